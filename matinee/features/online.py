"""The online store: bring it up to a night, read it, and compare it with history."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.errors import IntegrityError
from matinee.features.erasure import remove_online
from matinee.features.offline import (
    INSTANT,
    answer_fields,
    conformed,
    files,
    members_as_of,
    references,
    refuse_not_finite,
    requested_fields,
    titles_as_of,
)
from matinee.features.store import opened, opened_to_write
from matinee.progress import Progress
from matinee.provenance import parse_json

LeftOut = Callable[[str], bool]
"""Whether a member is left out, as after a refusal of personalisation."""

# Half of what SQLite takes as parameters of one statement.
_BLOCK = 16_000


@dataclass(frozen=True)
class Materialised:
    """What changed online."""

    as_of: datetime
    written: dict[str, int] = field(default_factory=dict)
    """Rows read from each view's table into the online store."""

    deleted: dict[str, int] = field(default_factory=dict)
    """Entities of each view that are gone at the source, or expired."""

    skipped_because: str | None = None
    """Why nothing was done, if so: one line for the operator."""


def materialise(
    *,
    home: Path,
    project: Path,
    as_of: datetime,
    lateness_days: int,
    left_out: LeftOut = lambda member_id: False,
    progress: Progress | None = None,
) -> Materialised:
    """Make the online store hold what was known of every entity at `as_of`, and no other entity.

    Members who are `left_out` are removed from it, even if the feature tables have them.

    Feast writes the rows of a window and never looks back, so two things are added. The window,
    which reaches `lateness_days` before the end of the last one, is widened to every row that is
    not as it was last written: a first run, a lost store, a half-done run, a new field, a rebuilt
    history or a consent withdrawn (which changes old counts) all come right. And entities without
    a living row are deleted.

    Notes
    -----
    An `as_of` before the last one is skipped, not refused: a replay of an old night trains on
    old features, which the offline store gives at any instant, but pages must not go back.
    """
    watermark = home / "feast" / "watermark.json"
    written: dict[str, int] = {}
    deleted: dict[str, int] = {}
    with opened_to_write(home, project) as store:
        start = as_of
        if watermark.is_file():
            reached = _as_of(watermark)
            if reached > as_of:
                return Materialised(
                    as_of,
                    skipped_because=f"the online store is at {reached:%Y-%m-%dT%H:%MZ}, later than "
                    f"{as_of:%Y-%m-%dT%H:%MZ}: left as it is. To go back, delete "
                    f"{store.config.online_store.path} and {watermark}",
                )
            start = reached - timedelta(days=lateness_days)
        views = sorted(store.list_batch_feature_views(), key=lambda view: str(view.name))
        for done, view in enumerate(views):
            if progress:
                progress(done, len(views), view.name)
            refuse_not_finite(view)
            written[view.name], deleted[view.name] = _materialise_view(
                store, view, start, as_of, left_out
            )
        remove_online(home, project, left_out)
        if progress and views:
            progress(len(views), len(views), views[-1].name)
        _write(watermark, {"as_of": as_of.isoformat()})
    return Materialised(as_of, written, deleted)


def members_online(
    ids: Sequence[str], *, home: Path, project: Path, features: str | Sequence[str] = "homepage_v1"
) -> pa.Table:
    """The member features of `features`, as stored online, one row per id in order of id."""
    return _online(MEMBER_ID, ids, features, home, project)


def titles_online(
    ids: Sequence[str], *, home: Path, project: Path, features: str | Sequence[str] = "homepage_v1"
) -> pa.Table:
    """The title features of `features`, as stored online, one row per id in order of id."""
    return _online(TITLE_ID, ids, features, home, project)


def assert_online_equals_offline(
    *,
    home: Path,
    project: Path,
    as_of: datetime,
    features: str | Sequence[str] = "homepage_v1",
    sample: int = 200,
    left_out: LeftOut = lambda member_id: False,
) -> int:
    """Compare the online store with history as of `as_of`; return the number of values compared.

    Takes `sample` members and as many titles, evenly over all that any view ever held, so
    expired and nearly forgotten ones are among them. Members who are `left_out` are not.

    Raises
    ------
    IntegrityError
        At the first value that differs, naming the entity and the field.
    """
    compared = 0
    for key, past, present in (
        (MEMBER_ID, members_as_of, members_online),
        (TITLE_ID, titles_as_of, titles_online),
    ):
        ids = _ever_seen(key, home, project, features)
        if key == MEMBER_ID:
            ids = [one for one in ids if not left_out(one)]
        ids = _spread(ids, sample)
        offline = past(ids, as_of, home=home, project=project, features=features)
        online = present(ids, home=home, project=project, features=features)
        for name in online.column_names[1:]:
            pairs = zip(
                offline.column(name).to_pylist(), online.column(name).to_pylist(), strict=True
            )
            for one, (expected, stored) in zip(ids, pairs, strict=True):
                compared += 1
                if expected != stored:
                    raise IntegrityError(
                        f"online {name} of {key} {one} is {stored!r}, but {expected!r} was known "
                        f"at {as_of:%Y-%m-%dT%H:%MZ}: delete {home / 'feast' / 'online.db'} and "
                        "run again"
                    )
    return compared


def _materialise_view(
    store: Any, view: Any, start: datetime, as_of: datetime, left_out: LeftOut
) -> tuple[int, int]:
    """Bring one view up to `as_of`; return rows written and entities deleted."""
    from feast.infra.online_stores.helpers import compute_table_id

    latest = _latest(view, as_of, left_out)
    table = compute_table_id(store.config.project, view, False)
    with closing(sqlite3.connect(store.config.online_store.path, timeout=60)) as connection:
        # Deleted bytes must not stay in the file: erasure requires it.
        connection.execute("pragma secure_delete = on")
        connection.execute(
            "create table if not exists rows_written "
            "(view text, entity_key blob, digest blob, primary key (view, entity_key))"
        )
        stored = {
            key for (key,) in connection.execute(f'select distinct entity_key from "{table}"')
        }
        before = dict(
            connection.execute(
                "select entity_key, digest from rows_written where view = ?", (view.name,)
            )
        )
        changed = {
            key: at
            for key, (at, digest) in latest.items()
            if key not in stored or before.get(key) != digest
        }
        gone = [(key,) for key in stored - latest.keys()]
        with connection:
            connection.executemany(f'delete from "{table}" where entity_key = ?', gone)
            fields = [field.name for field in view.features]
            connection.execute(
                f'delete from "{table}" where feature_name not in ({", ".join("?" * len(fields))})',
                fields,
            )
        start = min([start, as_of, *changed.values()])
        store.materialize(start, as_of, [view.name])
        with connection:
            connection.execute("delete from rows_written where view = ?", (view.name,))
            connection.executemany(
                "insert into rows_written values (?, ?, ?)",
                [(view.name, key, digest) for key, (_, digest) in latest.items()],
            )
    return sum(at >= start for at, _ in latest.values()), len(gone)


def _latest(view: Any, as_of: datetime, left_out: LeftOut) -> dict[bytes, tuple[datetime, bytes]]:
    """The clock and a digest of each living entity's latest row, by Feast's key of the entity."""
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    (key,) = view.join_keys
    born_after = as_of - view.ttl if view.ttl else None
    # With the types, for a field whose type changed is written anew.
    promise = repr([(field.name, str(field.dtype)) for field in view.features])
    latest = {}
    for row in _latest_rows(view, key, as_of).to_pylist():
        if key == MEMBER_ID and left_out(row[key]):
            continue
        if born_after is None or row[OBSERVED_AT] >= born_after:
            entity = EntityKey(join_keys=[key], entity_values=[Value(string_val=row[key])])
            content = f"{promise}{row!r}".encode()
            latest[serialize_entity_key(entity, entity_key_serialization_version=3)] = (
                row[OBSERVED_AT],
                hashlib.blake2b(content, digest_size=16).digest(),
            )
    return latest


def _latest_rows(view: Any, key: str, as_of: datetime) -> pa.Table:
    """Each entity's latest row that was knowable at `as_of`, read a row group at a time."""
    columns = [key, OBSERVED_AT, *(field.name for field in view.features)]
    known = pc.field(key).is_valid() & (pc.field(OBSERVED_AT) <= pa.scalar(as_of, INSTANT))
    parts = []
    for path in files(view):
        with pq.ParquetFile(path) as file:
            parts.append(file.schema_arrow.empty_table().select(columns))
            for group in range(file.num_row_groups):
                part = file.read_row_group(group, columns=columns).select(columns)
                parts.append(_last_of_each(part.filter(known), key))
    return _last_of_each(pa.concat_tables(parts), key)


def _last_of_each(rows: pa.Table, key: str) -> pa.Table:
    if not len(rows):
        return rows
    rows = rows.sort_by([(key, "ascending"), (OBSERVED_AT, "ascending")])
    keys = rows.column(key).combine_chunks()
    is_last = pc.not_equal(keys.slice(0, len(keys) - 1), keys.slice(1))
    return rows.filter(pa.concat_arrays([is_last, pa.array([True])]))


def _online(
    key: str, ids: Sequence[str], features: str | Sequence[str], home: Path, project: Path
) -> pa.Table:
    ids = sorted(ids)
    with opened(home, project) as store:
        requested = requested_fields(store, features, [key])
        schema = pa.schema([pa.field(key, pa.string()), *answer_fields(requested, full=False)])
        blocks = [
            conformed(
                store.get_online_features(
                    references(requested), {key: list(ids[at : at + _BLOCK])}
                ).to_arrow(),
                schema,
            )
            for at in range(0, len(ids), _BLOCK)
        ]
    return pa.concat_tables(blocks) if blocks else schema.empty_table()


def _ever_seen(key: str, home: Path, project: Path, features: str | Sequence[str]) -> list[str]:
    with opened(home, project) as store:
        paths = [view.batch_source.path for view, _ in requested_fields(store, features, [key])]
    columns = [pq.read_table(path, columns=[key]).column(key).unique() for path in paths]
    return sorted({one for column in columns for one in column.to_pylist() if one is not None})


def _spread(ids: list[str], sample: int) -> list[str]:
    """At most `sample` of them, evenly from first to last."""
    if len(ids) <= sample:
        return ids
    return [ids[at * len(ids) // sample] for at in range(sample)]


def _as_of(watermark: Path) -> datetime:
    try:
        return datetime.fromisoformat(parse_json(watermark.read_bytes())["as_of"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{watermark} is not what was written ({error}): remove feast/ and run `matinee run`"
        ) from None


def _write(path: Path, content: dict[str, str]) -> None:
    """Whole or not at all."""
    durable.replace(path, f"{json.dumps(content, sort_keys=True)}\n".encode())
