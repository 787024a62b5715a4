"""Provenance of a build: commit, lock file, machine and library versions."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ENGINES = (
    "prefect",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "feast",
    "rectools-lightfm",
    "numpy",
    "scipy",
    "pyarrow",
)


def code(project: Path) -> dict[str, Any]:
    """Version, commit, uncommitted changes and the hash of the lock file; null without git."""
    lock = project / "requirements.lock"
    return {
        "matinee": version("matinee"),
        "commit": _git(project, "rev-parse", "HEAD"),
        "dirty": bool(_git(project, "status", "--porcelain", "--untracked-files=no")),
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
    }


def package_sha256() -> str:
    """The hash of the package's source, by the names of its modules."""
    package = Path(__file__).resolve().parents[1]
    hashed = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        hashed.update(f"{path.relative_to(package)}\0".encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def environment() -> dict[str, Any]:
    """Python, CPU, system and libraries: what a digest may depend on besides code and data."""
    return {
        "python": platform.python_version(),
        "cpu": platform.machine(),
        "system": platform.system(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Installed versions of the libraries in `ENGINES`."""
    return {name: version(name) for name in ENGINES}


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(project), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
