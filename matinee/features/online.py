"""Today's features, ready to be asked for: bring the online store up to a night, and read it."""

import json
import os
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

from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.errors import DataError, IntegrityError
from matinee.features.offline import (
    INSTANT,
    answer_fields,
    asked,
    conformed,
    members_as_of,
    references,
    titles_as_of,
)
from matinee.features.registry import digest, promised
from matinee.features.store import opened, opened_to_write

Progress = Callable[[int, int, str], None]
"""Called with how many views are done, how many there are, and the name of one."""

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
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Materialised:
    """Make the online store hold, of every entity, what was known at `as_of`, and no one else.

    Feast writes a window of rows and never looks back, so three things are added. The window
    starts `lateness_days` before the last one ended, for late events change rows in it, or at
    `since` when older rows were rebuilt. It is widened to reach every entity whose stored row
    is not its latest, which makes a first run, a lost store and a half-done run all come right.
    Entities without a living row are deleted.

    Notes
    -----
    An `as_of` before the last one is skipped, not refused: a replay of an old night trains on
    old features, which the offline store gives at any instant, but pages must not go back.
    """
    watermark = home / "feast" / "watermark.json"
    with opened_to_write(home, project) as store:
        registry = digest(promised(store))
        last = json.loads(watermark.read_text()) if watermark.is_file() else None
        start = as_of
        if last is not None:
            reached = datetime.fromisoformat(last["as_of"])
            if reached > as_of:
                return Materialised(
                    as_of,
                    skipped_because=f"the online store is at {reached:%Y-%m-%dT%H:%MZ}, later than "
                    f"{as_of:%Y-%m-%dT%H:%MZ}: left as it is. To go back, delete "
                    f"{store.config.online_store.path} and {watermark}",
                )
            start = min(reached - timedelta(days=lateness_days), as_of)
        start = min(start, since or start)
        # Other fields than last time: every row is written anew.
        anew = last is None or last["registry_sha256"] != registry

        written: dict[str, int] = {}
        deleted: dict[str, int] = {}
        views = sorted(store.list_batch_feature_views(), key=lambda view: str(view.name))
        for done, view in enumerate(views):
            if progress:
                progress(done, len(views), view.name)
            written[view.name], deleted[view.name] = _materialise_view(
                store, view, start, as_of, anew=anew
            )
        if progress and views:
            progress(len(views), len(views), views[-1].name)
    _write(watermark, {"as_of": as_of.isoformat(), "registry_sha256": registry})
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
) -> int:
    """Hold what is stored online against history as of `as_of`; return the values compared.

    Takes `sample` members and as many titles, evenly over all that any view ever held, so
    expired and nearly forgotten ones are among them.

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
        ids = _spread(_ever_seen(key, home, project, features), sample)
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
    store: Any, view: Any, start: datetime, as_of: datetime, *, anew: bool
) -> tuple[int, int]:
    """Bring one view up to `as_of`; return rows written and entities deleted."""
    stamps = _stamps(view, as_of)
    latest = _latest(stamps, view, as_of)
    with closing(sqlite3.connect(store.config.online_store.path, timeout=60)) as connection:
        # What is deleted leaves no trace in the file: members may ask for that.
        connection.execute("pragma secure_delete = on")
        table = _table(store, view)
        stored = dict(
            connection.execute(f'select entity_key, max(event_ts) from "{table}" group by 1')
        )
        gone = [(key,) for key in stored if key not in latest]
        with connection:
            connection.executemany(f'delete from "{table}" where entity_key = ?', gone)
            if anew:
                connection.execute(f'delete from "{table}"')
    behind = [at for key, at in latest.items() if anew or stored.get(key) != _as_stored(at)]
    start = min([start, *behind])
    store.materialize(start, as_of, [view.name])
    return sum(at >= start for at in latest.values()), len(gone)


def _stamps(view: Any, as_of: datetime) -> pa.Table:
    """Key and clock of every row of a view's table that was knowable at `as_of`."""
    path = Path(view.batch_source.path)
    if not path.is_file():
        raise DataError(f"no feature table {path}: build it with `matinee run`")
    stamps = pq.read_table(path, columns=[view.join_keys[0], OBSERVED_AT])
    return stamps.filter(pc.field(OBSERVED_AT) <= pa.scalar(as_of, INSTANT))


def _latest(stamps: pa.Table, view: Any, as_of: datetime) -> dict[bytes, datetime]:
    """The clock of each living entity's latest row, by the key that Feast stores it under."""
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = view.join_keys[0]
    newest = stamps.group_by(key).aggregate([(OBSERVED_AT, "max")])
    born_after = as_of - view.ttl if view.ttl else None
    return {
        serialize_entity_key(
            EntityKey(join_keys=[key], entity_values=[Value(string_val=one)]),
            entity_key_serialization_version=3,
        ): at
        for one, at in zip(
            newest.column(key).to_pylist(),
            newest.column(f"{OBSERVED_AT}_max").to_pylist(),
            strict=True,
        )
        if one is not None and (born_after is None or at >= born_after)
    }


def _table(store: Any, view: Any) -> str:
    from feast.infra.online_stores.helpers import compute_table_id

    return str(compute_table_id(store.config.project, view, False))


def _as_stored(at: datetime) -> int:
    """An instant as Feast's SQLite store writes it: whole seconds of the naive UTC time."""
    return int(at.replace(tzinfo=None).timestamp())


def _online(
    key: str, ids: Sequence[str], features: str | Sequence[str], home: Path, project: Path
) -> pa.Table:
    ids = sorted(ids)
    with opened(home, project) as store:
        wanted = asked(store, features, [key])
        schema = pa.schema([pa.field(key, pa.string()), *answer_fields(wanted, full=False)])
        blocks = [
            conformed(
                store.get_online_features(
                    references(wanted), {key: list(ids[at : at + _BLOCK])}
                ).to_arrow(),
                schema,
            )
            for at in range(0, len(ids), _BLOCK)
        ]
    return pa.concat_tables(blocks) if blocks else schema.empty_table()


def _ever_seen(key: str, home: Path, project: Path, features: str | Sequence[str]) -> list[str]:
    with opened(home, project) as store:
        paths = [view.batch_source.path for view, _ in asked(store, features, [key])]
    columns = [pq.read_table(path, columns=[key]).column(key).unique() for path in paths]
    return sorted({one for column in columns for one in column.to_pylist() if one is not None})


def _spread(ids: list[str], sample: int) -> list[str]:
    """At most `sample` of them, evenly from first to last."""
    if len(ids) <= sample:
        return ids
    return [ids[at * len(ids) // sample] for at in range(sample)]


def _write(path: Path, content: dict[str, str]) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(content, sort_keys=True) + "\n")
    os.replace(draft, path)
