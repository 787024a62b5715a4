"""Registers `feature_repo/`, and computes a digest of its promise."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.features.store import config, declared, opened, opened_to_write


@dataclass(frozen=True)
class Registered:
    """What is registered for models and pages."""

    sha256: str
    """Of names, types, lifetimes and services in canonical order; no paths, no times."""

    views: tuple[str, ...]
    services: tuple[str, ...]


def apply(*, home: Path, project: Path) -> Registered:
    """Register what `feature_repo/` defines, and create its online tables.

    `feast/registry.db` is written from scratch, so nothing stays of views whose files are gone, nor
    of what somebody put there. Idempotent, and safe beside another process doing the same.
    """
    with opened_to_write(home, project) as store:
        _write_registry(home, project)
        _drop_undeclared(store)
        promise = promised(store)
    return Registered(digest(promise), tuple(promise["views"]), tuple(promise["services"]))


def _write_registry(home: Path, project: Path) -> None:
    """A new registry file of what is declared, in place of the one that is there."""
    from feast import FeatureStore, RepoConfig

    path = home.resolve() / "feast" / "registry.db"
    with durable.drafts(home.resolve()) as drafts:
        draft = drafts.new()
        draft.chmod(0o600)
        fields = config(home, project)
        registry = fields["registry"] | {"path": f"sqlite:///{draft}"}
        store = FeatureStore(config=RepoConfig(**fields | {"registry": registry}))
        store.apply(declared(home, project), partial=False)
        for engine in (store.registry.write_engine, store.registry.read_engine):
            engine.dispose()
        for suffix in ("-journal", "-wal", "-shm"):  # SQLite would replay them into the new file
            durable.remove(path.with_name(path.name + suffix))
        durable.put(draft, path)


def _drop_undeclared(store: Any) -> None:
    """Drop the online tables of views whose files are gone."""
    from feast.infra.online_stores.helpers import compute_table_id

    views = store.list_batch_feature_views()
    kept = {compute_table_id(store.config.project, view, False) for view in views}
    with closing(sqlite3.connect(store.config.online_store.path, timeout=60)) as connection:
        connection.execute("pragma secure_delete = on")
        tables = connection.execute(
            "select distinct m.name from sqlite_master m, pragma_table_info(m.name) c "
            "where m.type = 'table' and c.name = 'feature_name'"
        ).fetchall()
        with connection:
            for (table,) in tables:
                if table not in kept:
                    quoted = table.replace('"', '""')
                    connection.execute(f'drop table "{quoted}"')


def promise(*, home: Path, project: Path) -> dict[str, Any]:
    """What `feature_repo/` promises in a home now, in the form of `promised`."""
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
