"""Finds a title of a release by id or name, and formats its display name."""

from __future__ import annotations

import difflib
import unicodedata
from typing import Any

import pyarrow.compute as pc

from matinee import releases
from matinee.columns import TITLE_ID
from matinee.errors import ConfigError
from matinee.slates import ai_labels

Row = dict[str, Any]


def display_title(release: releases.Release, title_id: str) -> str:
    """A title's name and year, with its AI label if it has one."""
    return _shown(_catalogue(release, title_id))


def _shown(row: Row) -> str:
    return ai_labels.labelled_name(_dated(row), row["ai_use"], row["ai_disclosure"])


def _dated(row: Row) -> str:
    return f"{row['name']} ({row['released_on'].year})" if row["released_on"] else row["name"]


def _catalogue(release: releases.Release, title_id: str) -> Row:
    titles = release.titles()
    row: Row = titles.slice(pc.index(titles[TITLE_ID], title_id).as_py(), 1).to_pylist()[0]
    return row


def find_title(release: releases.Release, title: str) -> str:
    """The id of a title given by id, by name in any case, or by display name."""
    titles = release.titles()
    if pc.index(titles[TITLE_ID], title).as_py() >= 0:
        return title
    query = unicodedata.normalize("NFC", title).lower()
    names = pc.utf8_lower(pc.utf8_normalize(titles["name"], form="NFC"))
    matches = titles.filter(pc.equal(names, query)).to_pylist() or [
        row for row in titles.to_pylist() if query in (_dated(row).lower(), _shown(row).lower())
    ]
    if len(matches) == 1:
        return str(matches[0][TITLE_ID])
    if matches:
        ids = ", ".join(f"{row[TITLE_ID]} is {_dated(row)}" for row in matches)
        raise ConfigError(f"{len(matches)} titles have the name {title!r}: use an id: {ids}")
    name_of = dict(zip(names.to_pylist(), titles["name"].to_pylist(), strict=True))
    near = [name for name in name_of if query in name] or difflib.get_close_matches(query, name_of)
    hint = f"its titles are in {release.path / 'vocabulary/titles.parquet'}"
    if near:
        hint = f"did you mean {' or '.join(repr(name_of[name]) for name in near[:3])}?"
    raise ConfigError(f"release {release.id} has no title {title!r}: {hint}")
