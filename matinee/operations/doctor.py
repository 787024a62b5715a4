"""Collects diagnostics of an installation and a home."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matinee import releases
from matinee.releases import build_info
from matinee.settings import Settings


def doctor(settings: Settings) -> dict[str, Any]:
    """Versions, paths, the warehouse and the releases, for a bug report."""
    home = settings.home.resolve()
    is_writable = _writable(home)
    warehouse = home / "warehouse/matinee.duckdb"
    aliases = releases.Store.of(settings.home).aliases()
    return {
        "matinee": version("matinee"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **build_info.versions(),
        "home": str(home),
        "home_is_writable": is_writable,
        "project": str(settings.project),
        "landing_streams": sorted(path.name for path in (home / "landing").glob("*/")),
        "warehouse_bytes": warehouse.stat().st_size if warehouse.is_file() else None,
        "releases": len(releases.Store.of(settings.home).list()),
        "live": aliases.live.release_id if aliases.live else None,
        "candidate": aliases.candidate.release_id if aliases.candidate else None,
    }


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
