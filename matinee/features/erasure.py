"""Takes members out of the feature tables and out of the online store, bytes and all."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.features.store import config, import_library, opened_to_write, quiet
from matinee.privacy import Traces


def erase(*, home: Path, project: Path, traces: Traces) -> None:
    """Remove all rows of the members, offline and online.

    Sums over members that they were part of stay until the next night builds them again.
    """
    with durable.drafts(home) as drafts:
        for path in sorted((home / "features").glob("*.parquet/*.parquet")):
            if MEMBER_ID in pq.read_schema(path).names:
                _filter(path, traces, drafts)
    with opened_to_write(home, project) as store:
        path = Path(store.config.online_store.path)
        if path.is_file():
            _empty_online(path, set(_entity_keys(traces)))


def remove_online(home: Path, project: Path, is_refused: Callable[[str], bool]) -> int:
    """Remove the members for whom `is_refused` is true from the online store; return how many."""
    path = _online_path(home, project)
    if not path.is_file():
        return 0
    with quiet():
        import_library()
    from feast.infra.key_encoding_utils import deserialize_entity_key

    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("pragma secure_delete = on")
        keys = {
            key
            for table in _tables(connection)
            for (key,) in connection.execute(f'select distinct entity_key from "{table}"')
        }
        refused = []
        for key in sorted(keys):
            entity = deserialize_entity_key(key, entity_key_serialization_version=3)
            names = dict(zip(entity.join_keys, entity.entity_values, strict=True))
            if MEMBER_ID in names and is_refused(names[MEMBER_ID].string_val):
                refused.append(key)
        if refused:
            _delete(connection, refused)
    return len(refused)


def _online_path(home: Path, project: Path) -> Path:
    return Path(config(home, project)["online_store"]["path"])


def _filter(path: Path, traces: Traces, drafts: durable.Drafts) -> None:
    members = pa.array(sorted(traces.ids))
    draft = drafts.new()
    erased = 0
    with pq.ParquetFile(path) as file, pq.ParquetWriter(draft, file.schema_arrow) as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept = rows.filter(pc.invert(pc.is_in(rows[MEMBER_ID], value_set=members)))
            erased += len(rows) - len(kept)
            writer.write_table(kept)
    if erased:
        durable.put(draft, path)


def _entity_keys(traces: Traces) -> Iterator[bytes]:
    """The entity keys of the members in Feast."""
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    for one in sorted(traces.ids):
        entity = EntityKey(join_keys=[MEMBER_ID], entity_values=[Value(string_val=one)])
        yield serialize_entity_key(entity, entity_key_serialization_version=3)


def _empty_online(path: Path, keys: set[bytes]) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("pragma secure_delete = on")
        _delete(connection, sorted(keys))
        # Removes what an older version deleted without secure_delete.
        connection.execute("vacuum")


def _delete(connection: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    rows = [(key,) for key in keys]
    with connection:
        for table in _tables(connection):
            connection.executemany(f'delete from "{table}" where entity_key = ?', rows)


def _tables(connection: sqlite3.Connection) -> list[str]:
    """The tables of the online store that have rows of entities, quoted."""
    rows = connection.execute(
        "select distinct m.name from sqlite_master m, pragma_table_info(m.name) c "
        "where m.type = 'table' and c.name = 'entity_key' order by m.name"
    )
    return [name.replace('"', '""') for (name,) in rows]
