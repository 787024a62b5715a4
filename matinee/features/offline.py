"""History, point in time: for each entity and instant, what was knowable then."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import ConfigError, DataError
from matinee.features.store import opened

EVENT_TIMESTAMP = "event_timestamp"
INSTANT = pa.timestamp("us", tz="UTC")


def members_as_of(
    ids: Sequence[str],
    as_of: datetime,
    *,
    home: Path,
    project: Path,
    features: str | Sequence[str] = "hybrid_ranker_v2",
) -> pa.Table:
    """The member features of `features`, one row per id in order of id, as known at `as_of`."""
    return frame(_entities(MEMBER_ID, ids, as_of), features, home=home, project=project)


def titles_as_of(
    ids: Sequence[str],
    as_of: datetime,
    *,
    home: Path,
    project: Path,
    features: str | Sequence[str] = "hybrid_ranker_v2",
) -> pa.Table:
    """The title features of `features`, one row per id in order of id, as known at `as_of`."""
    return frame(_entities(TITLE_ID, ids, as_of), features, home=home, project=project)


def frame(
    entities: pa.Table, features: str | Sequence[str], *, home: Path, project: Path
) -> pa.Table:
    """The features of each entity that were known at each instant.

    Parameters
    ----------
    entities : columns member_id or title_id or both, and event_timestamp (aware)
    features : the name of a service, or names of views and `view:field` references
        Only views about an entity that `entities` names are read: `hybrid_ranker_v2` of
        members gives their features, of titles theirs.

    Returns
    -------
    pa.Table, one row per row of `entities`, sorted by id, instant and title
        A row stamped exactly at the instant counts. Unknown or expired: null. With both
        entities present, columns are named `view__field`, for the two share names.
    """
    keys = [key for key in (MEMBER_ID, TITLE_ID) if key in entities.column_names]
    instants = entities.schema.field(EVENT_TIMESTAMP).type
    if not keys or not pa.types.is_timestamp(instants) or instants.tz is None:
        raise ConfigError(
            f"a feature frame needs member_id or title_id and an aware {EVENT_TIMESTAMP}, "
            f"got {entities.schema.names} with {instants}"
        )
    order = [keys[0], EVENT_TIMESTAMP, *keys[1:]]
    entities = entities.select(order).cast(
        pa.schema([(name, INSTANT if name == EVENT_TIMESTAMP else pa.string()) for name in order])
    )
    entities = entities.sort_by([(name, "ascending") for name in order])
    with opened(home, project) as store:
        requested = requested_fields(store, features, keys)
        full = len(keys) > 1
        schema = pa.schema([*entities.schema, *answer_fields(requested, full)])
        for view, _ in requested:
            refuse_not_finite(view)
        if not requested or not len(entities):
            return schema.empty_table() if requested else entities
        answer = store.get_historical_features(
            entities.to_pandas(), references(requested), full_feature_names=full
        ).to_arrow()
    return conformed(answer, schema).sort_by([(name, "ascending") for name in order])


def refuse_not_finite(view: Any) -> None:
    """Hold the table of a view to numbers that are numbers: Feast would take a NaN for a null.

    Raises
    ------
    DataError
        Naming the first column that holds a NaN or an infinity; or if there is no table.
    """
    for path in files(view):
        written = path.stat()
        _read_through(path, view.name, written.st_size, written.st_mtime_ns)


@cache
def _read_through(path: Path, model: str, size: int, mtime_ns: int) -> None:
    """Read every number of a file, once in a process for each version of the file."""
    with pq.ParquetFile(path) as file:
        for name in [one.name for one in file.schema_arrow if _is_real(one.type)]:
            for batch in file.iter_batches(columns=[name]):
                _refuse_not_finite(batch.column(0), f"{name} of {model}", model)


def _refuse_not_finite(values: pa.Array, what: str, model: str) -> None:
    if pa.types.is_list(values.type):
        values = values.flatten()
    wrong = values.filter(pc.invert(pc.is_finite(values)))
    if len(wrong):
        raise DataError(
            f"{what} is {wrong[0]} in {len(wrong)} places, which is no number: run `matinee run`, "
            f"which exports it anew; if it is so again, the dbt model {model} makes it"
        )


def files(view: Any) -> list[Path]:
    """The Parquet files that the table of a view is in: one a month, or one of everything.

    Raises
    ------
    DataError
        If there is no table.
    """
    path = Path(view.batch_source.path)
    if not path.exists():
        raise DataError(f"no feature table {path}: build it with `matinee run`")
    return sorted(path.glob("*.parquet")) or [path]


def requested_fields(
    store: Any, features: str | Sequence[str], keys: Sequence[str]
) -> list[tuple[Any, list[Any]]]:
    """The views that `features` names and that are about `keys`, each with its fields."""
    views = {view.name: view for view in store.list_batch_feature_views()}
    if isinstance(features, str):
        services = {service.name: service for service in store.list_feature_services()}
        if features not in services:
            known = ", ".join(sorted(services)) or "none: run `matinee run` first"
            raise ConfigError(f"no feature service {features}; there are: {known}")
        chosen = {
            part.name: [field.name for field in part.features]
            for part in services[features].feature_view_projections
        }
    else:
        chosen = {}
        for reference in features:
            name, _, field = reference.partition(":")
            known_fields = [one.name for one in views[name].features] if name in views else []
            if name not in views or (field and field not in known_fields):
                known = ", ".join(sorted(known_fields or views))
                raise ConfigError(f"no feature {reference}; there are: {known}")
            chosen.setdefault(name, []).extend([field] if field else known_fields)
    return [
        (views[name], [field for field in views[name].features if field.name in chosen[name]])
        for name in sorted(chosen)
        if set(views[name].join_keys) <= set(keys)
    ]


def references(requested: list[tuple[Any, list[Any]]]) -> list[str]:
    """`view:field`, as Feast expects them."""
    return [f"{view.name}:{field.name}" for view, fields in requested for field in fields]


def answer_fields(requested: list[tuple[Any, list[Any]]], full: bool) -> list[pa.Field]:
    """The Arrow columns of an answer, the same online and offline."""
    return [
        pa.field(f"{view.name}__{field.name}" if full else field.name, _arrow(field))
        for view, fields in requested
        for field in fields
    ]


def conformed(answer: pa.Table, schema: pa.Schema) -> pa.Table:
    """An answer in the promised order and types. A NaN is Feast's way to store a null."""
    columns = []
    for field in schema:
        column = answer.column(field.name).cast(field.type)
        if pa.types.is_floating(field.type):
            column = pc.if_else(pc.is_nan(column), None, column)
        columns.append(column)
    return pa.table(columns, schema=schema)


def _entities(key: str, ids: Sequence[str], as_of: datetime) -> pa.Table:
    instants = pa.array([as_of] * len(ids), INSTANT)
    return pa.table({key: pa.array(ids, pa.string()), EVENT_TIMESTAMP: instants})


def _is_real(kind: pa.DataType) -> bool:
    is_real: bool = pa.types.is_floating(kind.value_type if pa.types.is_list(kind) else kind)
    return is_real


def _arrow(field: Any) -> pa.DataType:
    from feast import types

    # Feast has no date: by the house rule on names, `_on` is a day and `_at` an instant.
    instant = pa.date32() if field.name.endswith("_on") else INSTANT
    arrow = {
        types.String: pa.string(),
        types.Bool: pa.bool_(),
        types.Int64: pa.int64(),
        types.Float32: pa.float32(),
        types.Float64: pa.float64(),
        types.UnixTimestamp: instant,
    }
    if isinstance(field.dtype, types.Array):
        return pa.list_(arrow[field.dtype.base_type])
    return arrow[field.dtype]
