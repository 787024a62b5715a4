"""Finds a title of a release by id or name, and says its name as a screen shows it."""

from __future__ import annotations

import difflib
from typing import Any

import pyarrow.compute as pc

from matinee import releases
from matinee.columns import TITLE_ID
from matinee.errors import ConfigError
from matinee.slates import ai_labels

Row = dict[str, Any]


def titled(release: releases.Release, title_id: str) -> str:
    """A title's name and year, as a person would say it, and its label if AI had a part in it."""
    return _shown(_catalogue(release, title_id))


def _shown(row: Row) -> str:
    return ai_labels.labelled_name(_dated(row), row["ai_use"], row["ai_disclosure"])


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
