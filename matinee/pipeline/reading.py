"""Questions to a release: what a member is shown, what a title is near to, what there is."""

from __future__ import annotations

import difflib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from matinee import authenticity, releases
from matinee.columns import MEMBER_ID, RANK, REASON, SCORE, SOURCE, TITLE_ID
from matinee.errors import ConfigError
from matinee.pipeline import consenting, origin
from matinee.releases import mirror
from matinee.settings import Settings

Row = dict[str, Any]


def recommend(settings: Settings, member: str, *, k: int, release: str) -> list[Row]:
    """The first `k` of a member's slate: rank, title, year, reason, source, score."""
    opened = releases.Store.of(settings.home).open(release)
    slate = consenting.slate(settings, opened, member).slice(0, k)
    known = opened.table("vocabulary/members.parquet")[MEMBER_ID]
    if not slate.num_rows and pc.index(known, member).as_py() < 0:
        near = ", ".join(known.slice(0, 3).to_pylist())
        raise ConfigError(
            f"release {opened.id} has no slate for member {member!r}: "
            f"its {len(known):,} members are called {near}, ..."
        )
    return [
        {
            RANK: row[RANK],
            "title": titled(opened, row[TITLE_ID]),
            REASON: row[REASON],
            SOURCE: row[SOURCE],
            SCORE: row[SCORE],
            TITLE_ID: row[TITLE_ID],
        }
        for row in slate.to_pylist()
    ]


def similar(settings: Settings, title: str, *, k: int, release: str) -> list[Row]:
    """The `k` titles nearest to one, which is given by id or by name."""
    opened = releases.Store.of(settings.home).open(release)
    wanted = title_id(opened, title)
    neighbours = opened.similar(wanted).slice(0, k)
    return [
        {
            RANK: row[RANK],
            "title": titled(opened, row["similar_title_id"]),
            "similarity": row["similarity"],
            TITLE_ID: row["similar_title_id"],
        }
        for row in neighbours.to_pylist()
    ]


def list_releases(settings: Settings, url: str = "") -> list[Row]:
    """Every release of this home or of a URL, newest first: id, names, as_of, gate, size."""
    kept = releases.Store.of(settings.home)
    if url:
        found = mirror.listed(releases.Remote.at(url), keys=kept.keys)
    else:
        if not kept.root.parent.is_dir():
            raise ConfigError(
                f"the home {kept.root.parent} does not exist: `matinee run` fills one, and "
                f"MATINEE_HOME says where it is"
            )
        names = kept.aliases()
        found = ((one.id, names.names_of(one.id), one.manifest) for one in kept.list())
    rows = []
    for release_id, aliases, manifest in found:
        gate = manifest["gate"]
        failed = [rule["rule"] for rule in gate["rules"] if not rule["passed"]]
        answers = sorted({one["by"] for one in gate.get("overrides", [])})
        passed_over = f", passed over by {', '.join(answers)}" if answers else ""
        rows.append(
            {
                "release": release_id,
                "alias": ", ".join(aliases),
                "as_of": manifest["as_of"][:10],
                "reason": manifest["reason"],
                "gate": f"refused by {', '.join(failed)}{passed_over}" if failed else "passed",
                "slates": manifest["exposure"]["members"],
                "bytes": sum(record["bytes"] for record in manifest["files"]),
            }
        )
    return rows


def doctor(settings: Settings) -> Row:
    """What one would ask first when something is wrong."""
    home = settings.home.resolve()
    is_writable = _writable(home)
    warehouse = home / "warehouse/matinee.duckdb"
    names = releases.Store.of(settings.home).aliases()
    return {
        "matinee": version("matinee"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **origin.versions(),
        "home": str(home),
        "home_is_writable": is_writable,
        "project": str(settings.project),
        "landing_streams": sorted(path.name for path in (home / "landing").glob("*/")),
        "warehouse_bytes": warehouse.stat().st_size if warehouse.is_file() else None,
        "releases": len(releases.Store.of(settings.home).list()),
        "live": names.live.release_id if names.live else None,
        "candidate": names.candidate.release_id if names.candidate else None,
    }


def titled(release: releases.Release, title_id: str) -> str:
    """A title's name and year, as a person would say it, and its label if AI had a part in it."""
    return _shown(_catalogue(release, title_id))


def _shown(row: Row) -> str:
    return authenticity.told(_dated(row), row["ai_use"], row["ai_disclosure"])


def _dated(row: Row) -> str:
    return f"{row['name']} ({row['released_on'].year})" if row["released_on"] else row["name"]


def _catalogue(release: releases.Release, title_id: str) -> Row:
    titles = release.titles()
    row: Row = titles.slice(pc.index(titles[TITLE_ID], title_id).as_py(), 1).to_pylist()[0]
    return row


def title_id(release: releases.Release, title: str) -> str:
    """The id of a title named by its id, or in any case by its name or as a screen shows it."""
    titles = release.titles()
    if pc.index(titles[TITLE_ID], title).as_py() >= 0:
        return title
    wanted, names = title.lower(), pc.utf8_lower(titles["name"])
    found = titles.filter(pc.equal(names, wanted)).to_pylist() or [
        row for row in titles.to_pylist() if wanted in (_dated(row).lower(), _shown(row).lower())
    ]
    if len(found) == 1:
        return str(found[0][TITLE_ID])
    if found:
        ids = ", ".join(f"{row[TITLE_ID]} is {_dated(row)}" for row in found)
        raise ConfigError(f"{len(found)} titles are called {title!r}: use an id: {ids}")
    called = dict(zip(names.to_pylist(), titles["name"].to_pylist(), strict=True))
    near = [name for name in called if wanted in name] or difflib.get_close_matches(wanted, called)
    hint = f"its titles are in {release.path / 'vocabulary/titles.parquet'}"
    if near:
        hint = f"did you mean {' or '.join(repr(called[name]) for name in near[:3])}?"
    raise ConfigError(f"release {release.id} has no title {title!r}: {hint}")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
