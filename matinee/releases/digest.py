"""Content digests: hashes of values, independent of the encoding of a file.

Two builds of the same rows differ in row groups, compression and dictionaries. So a hash of the
bytes shows that a file was not changed, but not that two files contain the same rows. The content
digest hashes values instead. Whoever writes a file writes its rows in canonical order.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.errors import DataError
from matinee.provenance import canonical_json, parse_json
from matinee.releases import files

PAGES = ("card.md", "report.html")
TIMINGS = "timings/"
"""Pages contain the id and timings contain durations: hashed as files, excluded from content."""

Streams = defaultdict[str, Any]


@dataclass(frozen=True)
class FileRecord:
    """One file of a release, as its manifest lists it."""

    file: str
    sha256: str
    bytes: int
    rows: int | None
    """Rows of a Parquet file, else null."""
    content_sha256: str | None
    """Hash of the values, or null if the file is not part of the content digest."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def describe(folder: Path) -> list[FileRecord]:
    """A record of every file under `folder`, sorted by name."""
    return [_describe(folder, name) for name in files.walk(folder)]


def content_digest(records: Iterable[FileRecord]) -> str:
    """One hash over names and content hashes, sorted by name."""
    hashes = {record.file: record.content_sha256 for record in records if record.content_sha256}
    return hashlib.sha256(canonical_json(hashes)).hexdigest()


def content_records(folder: Path) -> list[FileRecord]:
    """The records that are part of the content digest."""
    return [_describe(folder, name) for name in files.walk(folder) if _is_content(name)]


def table_sha256(path: Path) -> tuple[str, int]:
    """The content hash and the number of rows of a Parquet file, or of a folder of them.

    Notes
    -----
    Each column feeds up to three streams, element by element: validity, length, bytes. So the
    hash is independent of batch boundaries, and memory holds one batch.
    """
    streams: Streams = defaultdict(hashlib.sha256)
    rows = 0
    for part in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        with pq.ParquetFile(part, memory_map=True) as file:
            for batch in file.iter_batches():
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    _update(column, name, streams)
            schema = [[field.name, _type_name(field.type)] for field in file.schema_arrow]
            rows += int(file.metadata.num_rows)
    parts = {name: stream.hexdigest() for name, stream in streams.items()}
    return hashlib.sha256(canonical_json([schema, rows, parts])).hexdigest(), rows


def _describe(folder: Path, name: str) -> FileRecord:
    path = folder / name
    sha256, rows, content = files.sha256(path), None, None
    if path.suffix == ".parquet":
        content, rows = table_sha256(path)
    elif path.suffix == ".json":
        content = _json_sha256(path, name)
    return FileRecord(
        file=name,
        sha256=sha256,
        bytes=path.stat().st_size,
        rows=rows,
        content_sha256=(content or sha256) if _is_content(name) else None,
    )


def _is_content(name: str) -> bool:
    return name not in PAGES and not name.startswith(TIMINGS)


def _json_sha256(path: Path, name: str) -> str:
    try:
        return hashlib.sha256(canonical_json(parse_json(path.read_bytes()))).hexdigest()
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON with finite numbers: {error}") from error


def _type_name(kind: Any) -> str:
    """The logical type of a column: `large_string` and `string` are the same."""
    if pa.types.is_dictionary(kind):
        return _type_name(kind.value_type)
    if pa.types.is_struct(kind):
        inner = ", ".join(f"{field.name}: {_type_name(field.type)}" for field in kind)
        return f"struct<{inner}>"
    if _is_list(kind):
        return f"list<{_type_name(kind.value_type)}>"
    return str(kind).removeprefix("large_").removesuffix("_view")


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _update(array: Any, path: str, streams: Streams) -> None:
    """Add one batch of a column to its streams."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    streams[f"{path} is there"].update(_bytes_of(array.is_valid().cast(pa.uint8()), 1))
    kind = array.type
    if pa.types.is_struct(kind):
        for field, child in zip(kind, array.flatten(), strict=True):
            _update(child, f"{path}.{field.name}", streams)
    elif _is_list(kind):
        lengths = pc.list_value_length(array.drop_null()).cast(pa.int64())
        streams[f"{path} length"].update(_bytes_of(lengths, 8))
        _update(array.flatten(), f"{path}[]", streams)
    elif pa.types.is_null(kind):
        return
    elif pa.types.is_boolean(kind):
        streams[path].update(_bytes_of(array.drop_null().cast(pa.uint8()), 1))
    elif kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        known = array.drop_null().cast(pa.large_binary())
        streams[f"{path} length"].update(_bytes_of(pc.binary_length(known).cast(pa.int64()), 8))
        streams[path].update(_text_of(known))
    elif pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        streams[path].update(_bytes_of(array.drop_null(), kind.bit_width // 8))
    else:
        raise DataError(
            f"column {path} is {kind}: a release can contain numbers, text, times and lists"
        )


def _bytes_of(array: Any, width: int) -> memoryview:
    """The values of an array of fixed width without nulls."""
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return memoryview(b"")
    return memoryview(data)[array.offset * width : (array.offset + len(array)) * width]


def _text_of(array: Any) -> memoryview:
    """The concatenated bytes of a `large_binary` array without nulls."""
    if len(array) == 0 or array.buffers()[2] is None:
        return memoryview(b"")
    offsets = np.frombuffer(array.buffers()[1], np.int64)
    first, last = offsets[array.offset], offsets[array.offset + len(array)]
    return memoryview(array.buffers()[2])[int(first) : int(last)]
