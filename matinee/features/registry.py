"""Registers `feature_repo/`, and computes a digest of its promise."""

import contextlib
import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from matinee.features.store import opened, opened_to_write


@dataclass(frozen=True)
class Registered:
    """What is registered for models and pages."""

    sha256: str
    """Of names, types, lifetimes and services in canonical order; no paths, no times."""

    views: tuple[str, ...]
    services: tuple[str, ...]


def apply(*, home: Path, project: Path) -> Registered:
    """Register what `feature_repo/` defines, and create its online tables.

    Views and services whose files are gone are removed. Idempotent, and safe beside another
    process doing the same.
    """
    repo = project / "feature_repo"
    with opened_to_write(home, project) as store, _imported(repo, home) as modules:
        from feast import Entity, FeatureService, FeatureView

        declared = _declared(modules, (Entity, FeatureView, FeatureService))
        names = {(type(thing), thing.name) for thing in declared}
        sources = {view.batch_source.name for view in declared if isinstance(view, FeatureView)}
        gone: list[Any] = [
            thing
            for thing in [*store.list_feature_services(), *store.list_batch_feature_views()]
            if (type(thing), thing.name) not in names
        ]
        gone += [source for source in store.list_data_sources() if source.name not in sources]
        store.apply(declared, objects_to_delete=gone, partial=False)
        promise = promised(store)
    return Registered(digest(promise), tuple(promise["views"]), tuple(promise["services"]))


def promise(*, home: Path, project: Path) -> dict[str, Any]:
    """What the registry of a home promises now, in the form of `promised`."""
    with opened(home, project) as store:
        return promised(store)


def promised(store: Any) -> dict[str, Any]:
    """The registry's content as plain, sorted data: what a consumer can notice, nothing else."""
    return {
        "views": {
            view.name: {
                "join_keys": list(view.join_keys),
                "clock": view.batch_source.timestamp_field,
                "expires_seconds": int(view.ttl.total_seconds()),
                "fields": {field.name: str(field.dtype) for field in view.features},
            }
            for view in sorted(store.list_batch_feature_views(), key=lambda view: str(view.name))
        },
        "services": {
            service.name: {
                chosen.name: sorted(field.name for field in chosen.features)
                for chosen in service.feature_view_projections
            }
            for service in sorted(store.list_feature_services(), key=lambda one: str(one.name))
        },
    }


def digest(promise: dict[str, Any]) -> str:
    """The sha256 of a promise; the order in which Feast lists it does not matter."""
    return hashlib.sha256(json.dumps(promise, sort_keys=True).encode()).hexdigest()


def _declared(modules: list[ModuleType], kinds: tuple[type, ...]) -> list[Any]:
    """Everything the files define, once each, in the order of their names."""
    things: dict[tuple[str, str], Any] = {
        (type(thing).__name__, getattr(thing, "name", "")): thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, kinds)
    }
    return [things[key] for key in sorted(things)]


@contextlib.contextmanager
def _imported(folder: Path, home: Path) -> Iterator[list[ModuleType]]:
    """The repo's files, imported afresh for `home` and forgotten again.

    Feast's own convention is a folder of scripts that import one another by bare name and
    learn where the data is as they load, so two homes in one process need two imports.
    """
    names = sorted(path.stem for path in folder.glob("*.py"))
    modules = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    before = os.environ.get("MATINEE_HOME")
    os.environ["MATINEE_HOME"] = str(home.resolve())
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(folder.resolve()))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(modules)
        if before is None:
            del os.environ["MATINEE_HOME"]
        else:
            os.environ["MATINEE_HOME"] = before
