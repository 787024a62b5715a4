"""The differences between two releases, for the person who decides on a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matinee.columns import MEMBER_ID, RANK, TITLE_ID
from matinee.errors import DataError
from matinee.releases.release import Release

TOP = 10
"""Number of places that are compared."""

MAX_MOVERS = 20

Row = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """From `before` to `after`. Lists contain rows for a table or JSON."""

    before: str
    after: str
    overlap_at_10: float | None
    """Mean share of a member's top 10 in both releases, over common members; null if none."""
    member_count: int
    members_gained: int
    members_lost: int
    movers: list[Row]
    """Titles whose number of top-10 places changed most: title_id, name, before, after, change."""
    metrics: list[Row]
    """model, cohort, metric, before, after, change, is_clear (the intervals do not overlap)."""
    gate: list[Row]
    """Rules with another verdict: rule, before, after."""
    features: list[Row]
    """Differing values of the manifest's `features` section: name, before, after."""
    files: list[Row]
    """Files whose content differs: file, and whether it was added, removed or changed."""


def diff(before: Release, after: Release) -> Difference:
    """Compare slates, metrics, verdicts, features and content."""
    old, new = _top(before), _top(after)
    shared = _members(old, new)
    return Difference(
        before=before.id,
        after=after.id,
        overlap_at_10=_overlap(old, new, shared),
        member_count=len(shared),
        members_gained=len(pc.unique(new[MEMBER_ID])) - len(shared),
        members_lost=len(pc.unique(old[MEMBER_ID])) - len(shared),
        movers=_movers(old, new, _names(before) | _names(after)),
        metrics=_metrics(before, after),
        gate=_changes(_rules(before), _rules(after), "rule"),
        features=_changes(_facts(before), _facts(after), "name"),
        files=_files(before, after),
    )


def _top(release: Release) -> pa.Table:
    columns = [MEMBER_ID, RANK, TITLE_ID]
    parts = [part.filter(pc.field(RANK) <= TOP) for part in release.slates(columns)]
    return pa.concat_tables(parts).select([MEMBER_ID, TITLE_ID])


def _members(old: pa.Table, new: pa.Table) -> pa.Array:
    members = pc.unique(new[MEMBER_ID])
    return members.filter(pc.is_in(members, value_set=pc.unique(old[MEMBER_ID])))


def _overlap(old: pa.Table, new: pa.Table, shared: pa.Array) -> float | None:
    """Mean share of a member's top 10 (or of the longer list, if shorter) in both lists."""
    if len(shared) == 0:
        return None
    common = old.join(new, keys=[MEMBER_ID, TITLE_ID], join_type="inner")
    counts = [_count(table, MEMBER_ID, shared) for table in (common, old, new)]
    return float((counts[0] / np.maximum(counts[1], counts[2])).mean())


def _count(table: pa.Table, column: str, values: pa.Array) -> np.ndarray[Any, np.dtype[np.intp]]:
    """How often each of `values` is in a column, in the order of `values`."""
    places = pc.index_in(table[column], value_set=values).drop_null()
    return np.bincount(places.to_numpy(), minlength=len(values))


def _names(release: Release) -> dict[str, str]:
    try:
        titles = release.titles()
    except DataError:  # a release without names
        return {}
    return dict(zip(titles[TITLE_ID].to_pylist(), titles["name"].to_pylist(), strict=True))


def _movers(old: pa.Table, new: pa.Table, names: Mapping[str, str]) -> list[Row]:
    titles = pc.unique(pa.chunked_array([*old[TITLE_ID].chunks, *new[TITLE_ID].chunks]))
    titles = titles.take(pc.sort_indices(titles))
    was, now = _count(old, TITLE_ID, titles), _count(new, TITLE_ID, titles)
    change = now - was
    order = np.argsort(-np.abs(change), kind="stable")[:MAX_MOVERS]
    return [
        {
            TITLE_ID: titles[int(i)].as_py(),
            "name": names.get(titles[int(i)].as_py()),
            "before": int(was[i]),
            "after": int(now[i]),
            "change": int(change[i]),
        }
        for i in order
        if change[i]
    ]


def _metrics(before: Release, after: Release) -> list[Row]:
    old, new = _metrics_by_key(before), _metrics_by_key(after)
    rows = []
    for key in sorted(old.keys() & new.keys()):
        was, now = old[key], new[key]
        is_clear = None not in (was["low"], was["high"], now["low"], now["high"]) and (
            now["low"] > was["high"] or now["high"] < was["low"]
        )
        rows.append(
            {
                **dict(zip(("model", "cohort", "metric"), key, strict=True)),
                "before": was["mean"],
                "after": now["mean"],
                "change": now["mean"] - was["mean"],
                "is_clear": is_clear,
            }
        )
    return rows


def _metrics_by_key(release: Release) -> dict[tuple[str, str, str], Row]:
    try:
        rows = release.evaluation().to_pylist()
    except DataError:  # a release without an evaluation
        return {}
    return {(row["model"], row["cohort"], row["metric"]): row for row in rows}


def _rules(release: Release) -> dict[str, Any]:
    rules = release.manifest.get("gate", {}).get("rules", [])
    return {rule["rule"]: rule["passed"] for rule in rules}


def _facts(release: Release) -> dict[str, Any]:
    facts: Mapping[str, Any] = release.manifest.get("features", {})
    return dict(facts)


def _files(before: Release, after: Release) -> list[Row]:
    was, now = _content(before), _content(after)
    return [
        {
            "file": row["file"],
            "change": "added"
            if row["file"] not in was
            else "removed"
            if row["file"] not in now
            else "changed",
        }
        for row in _changes(was, now, "file")
    ]


def _content(release: Release) -> dict[str, Any]:
    """Content hash by file, without pages and timings, which are not content."""
    records = release.manifest["files"]
    return {
        record["file"]: record["content_sha256"] for record in records if record["content_sha256"]
    }


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], noun: str) -> list[Row]:
    return [
        {noun: name, "before": old.get(name), "after": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
