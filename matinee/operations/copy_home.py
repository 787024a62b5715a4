"""Copies of a home, taken while no night writes: a backup, its restore, and a sandbox."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matinee import durable, releases
from matinee.errors import ConfigError, IntegrityError
from matinee.night.lease import lease
from matinee.settings import Settings

KEPT = ("keys", "privacy", "releases", "received", "landing", "reports")
"""The stores of a backup. The next night builds the others again from `received/`."""

NOT_COPIED = shutil.ignore_patterns(".leases", ".drafts", "*.lease", "work", "notify.yml")
"""What a sandbox has no use for: alerts go to the people of the home alone."""

PATIENCE_SECONDS = 3600
"""How long a copy waits for the night to end."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Copied:
    """What was copied, and what is live in it."""

    path: Path
    files: int
    bytes: int
    live: str | None


def backup(settings: Settings, file: Path, *, tell: Tell = lambda message: None) -> Copied:
    """Write the stores that cannot be built again to a new tar file, which its owner may read.

    A night that runs is waited for, so the copy is of one instant.

    Raises
    ------
    ConfigError
        If the file exists, or would lie in the home.
    BusyError
        If the night does not end within an hour.
    """
    home, target = _checked(settings, file)
    unfinished = target.with_name(f".{target.name}.new")
    count = size = 0
    with lease(settings, "backup", patience_seconds=PATIENCE_SECONDS, tell=tell):
        unfinished.unlink(missing_ok=True)
        with durable.storage_errors(target):
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
                archive.dereference = True  # a store may be a link to another disk
                for store in KEPT:
                    if (home / store).exists():
                        archive.add(home / store, store)
                members = archive.getmembers()
                count = sum(member.isfile() for member in members)
                size = sum(member.size for member in members)
            durable.sync(unfinished)
            durable.rename(unfinished, target)
    return Copied(target, count, size, _live(home))


def restore(file: Path, home: Path) -> Copied:
    """Write a backup to a folder that is not there yet, and verify its live release.

    Raises
    ------
    ConfigError
        If the folder exists, or the file is no backup.
    IntegrityError
        If the live release does not verify; the folder is then not kept.
    """
    home = home.resolve()
    if home.exists():
        raise ConfigError(f"{home} exists: restore to a folder that does not, then move it")
    unfinished = home.with_name(f".{home.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with tarfile.open(file, "r:") as archive:
            strays = {one.name.partition("/")[0] for one in archive} - set(KEPT)
            if strays:
                raise ConfigError(f"{file} is no backup of a home: it has {min(strays)}")
            with durable.storage_errors(home):
                unfinished.mkdir(parents=True)
                archive.extractall(unfinished, filter="data")
        store = releases.Store.of(unfinished)
        if store.aliases().live:
            store.verify("live")
        durable.sync_tree(unfinished)
        durable.rename(unfinished, home)
    except (tarfile.TarError, EOFError, FileNotFoundError) as error:
        raise ConfigError(f"{file} is no backup of a home: {error}") from None
    except IntegrityError as error:
        raise IntegrityError(f"{file}: {error}; take another backup") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    files = [path for path in home.rglob("*") if path.is_file()]
    return Copied(home, len(files), sum(path.stat().st_size for path in files), _live(home))


def sandbox(settings: Settings, folder: Path, *, tell: Tell = lambda message: None) -> Copied:
    """Copy the whole home to a new folder, to change models and run nights without a risk.

    Raises
    ------
    ConfigError
        If the folder exists, or would lie in the home.
    """
    home, target = _checked(settings, folder)
    unfinished = target.with_name(f".{target.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    with (
        lease(settings, "sandbox", patience_seconds=PATIENCE_SECONDS, tell=tell),
        durable.storage_errors(target),
    ):
        shutil.copytree(home, unfinished, ignore=NOT_COPIED)
        os.chmod(unfinished, 0o700)
        durable.rename(unfinished, target)
    files = [path for path in target.rglob("*") if path.is_file()]
    return Copied(target, len(files), sum(path.stat().st_size for path in files), _live(target))


def _checked(settings: Settings, path: Path) -> tuple[Path, Path]:
    """The home and the target of a copy of it."""
    home, target = settings.home.resolve(), path.resolve()
    if not (home / "received").is_dir():
        raise ConfigError(f"{home} is no home with data: it has no received/")
    if target.exists():
        raise ConfigError(f"{target} exists: name a new one")
    if target.is_relative_to(home):
        raise ConfigError(f"{target} is in the home: an erasure searches all that is below it")
    if not target.parent.is_dir():
        raise ConfigError(f"there is no folder {target.parent}: make it first")
    return home, target


def _live(home: Path) -> str | None:
    live = releases.Store.of(home).aliases().live
    return live.release_id if live else None
