"""A project folder of one's own: made from the template of the package, and brought up to date.

The template is in the wheel, or is the checkout itself. `.matinee/template/` in the project keeps
the files as they were taken, so that an upgrade tells own edits from changes of the template.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matinee
from matinee import durable
from matinee.errors import ConfigError

NAMES = ("dbt_project", "feature_repo", "expectations", "flows", "deploy", "prefect.yaml")
SKIPPED = {"target", "logs", "__pycache__"}
TAKEN = ".matinee/template"

SETTINGS = """\
# `source matinee.env` in each shell and service that runs matinee.
export MATINEE_PROJECT={project}
export MATINEE_HOME={project}/home
"""


@dataclass(frozen=True)
class Change:
    """What an upgrade does with one file."""

    file: str
    action: str
    """`added`, `updated`, `removed upstream`, or `conflict`: edited here and in the template."""


def template() -> Path:
    """The folder of the template."""
    package = Path(matinee.__file__).resolve().parent
    installed = package / "template"
    return installed if installed.is_dir() else package.parent


def init(folder: Path) -> Path:
    """Write a new project folder, and the settings that use it.

    Raises
    ------
    ConfigError
        If the folder exists and is not empty.
    """
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty: name a new folder, or `matinee upgrade` it")
    with durable.storage_errors(folder):
        for name in _files(template()):
            _take(name, folder)
        (folder / "home").mkdir()
        (folder / ".gitignore").write_text("home/\n__pycache__/\ntarget/\nlogs/\n")
        (folder / "matinee.env").write_text(SETTINGS.format(project=folder))
    return folder


def upgrade(folder: Path, *, write: bool) -> list[Change]:
    """Compare a project with the template of this version, by the files as they were taken.

    A file that was not edited is updated. One that was edited here and changed in the template is a
    conflict: the template's is written beside it as `<name>.new`.

    Raises
    ------
    ConfigError
        If the folder is no project of `matinee init`.
    """
    folder = folder.resolve()
    taken = folder / TAKEN
    if not taken.is_dir():
        raise ConfigError(f"{folder} is no project of `matinee init`: it has no {TAKEN}")
    before, now = set(_files(taken)), set(_files(template()))
    changes = []
    for name in sorted(before | now):
        old, new, own = (_read(root / name) for root in (taken, template(), folder))
        if old == new:
            continue
        if new is None:
            changes.append(Change(name, "removed upstream"))
            if write:
                (taken / name).unlink()
        elif own in (old, new):
            changes.append(Change(name, "updated" if old is not None else "added"))
            if write:
                _take(name, folder)
        else:
            changes.append(Change(name, "conflict"))
            if write:
                beside = folder / f"{name}.new"
                beside.write_bytes(new)
                _copy(template() / name, taken / name)
    return changes


def _take(name: str, folder: Path) -> None:
    """Copy a file of the template into a project, and keep it as it was taken."""
    for target in (folder / name, folder / TAKEN / name):
        _copy(template() / name, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _files(root: Path) -> Iterator[str]:
    """The files of a template, by their path below it."""
    for name in NAMES:
        paths = [root / name] if (root / name).is_file() else sorted((root / name).rglob("*"))
        for path in paths:
            parts = path.relative_to(root).parts
            if path.is_file() and not SKIPPED & set(parts) and not path.name.startswith("."):
                yield "/".join(parts)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
