"""What a raw log must look like: the dbt sources' yml, read into frozen values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml

from matinee.errors import ConfigError

SOURCES = "dbt_project/models/staging"
PROJECT = "dbt_project/dbt_project.yml"

ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),  # naive, UTC: what dbt's TIMESTAMP means here
    "date": pa.date32(),
    "varchar[]": pa.list_(pa.string()),
}
PII = {"none", "pseudonym", "behavioural", "free_text", "sensitive"}
NAME = re.compile(r"[a-z][a-z0-9_]*")  # what may be spelt into SQL and into a JSON path

FORMATS = ("csv", "parquet", "jsonl")
MISSING_VALUES: dict[str, tuple[str, ...]] = {
    "csv": (
        *(r"\n", "null", "(null)", "<null>", "none", "nan", "-nan", "nat"),
        *("<na>", "#n/a", "n/a", "undefined"),
    ),
    "jsonl": (r"\n", "null", "none", "nan", "-nan", "nat", "<na>", "undefined"),
    "parquet": (r"\n", "null", "none", "nan", "-nan", "nat", "<na>", "undefined"),
}
"""Words that stand for no value, by format, in lower case: they count in any case of letters.

`NA` is none of them, for it is a country. The dbt var `missing_values` replaces a format's list.
"""

LINEAGE = (("file", pa.string()), ("line", pa.int64()), ("landed_on", pa.date32()))
REJECTED = (*LINEAGE, ("rule", pa.string()), ("raw_text", pa.string()))

# The same in C, ten times faster, where PyYAML was built with it.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Bound = float | str
"""A least or greatest value: a number, or an ISO date for dates and timestamps."""


@dataclass(frozen=True)
class Limits:
    """Which values a column may take; None means that nothing is asked."""

    allowed: tuple[str | float, ...] | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None


@dataclass(frozen=True)
class Condition:
    """Limits that hold only where another column says `value`."""

    column: str
    value: str
    limits: Limits


@dataclass(frozen=True)
class Column:
    """One column of a stream and every promise about it."""

    name: str
    data_type: str
    description: str
    required: bool
    pii: str
    purpose: tuple[str, ...]
    retention_days: int
    limits: Limits = Limits()
    pattern: str | None = None
    is_rounded: bool = False
    """Whether a fraction is rounded to a whole number rather than refused."""
    when: tuple[Condition, ...] = ()
    missing: tuple[float, ...] = ()
    """Numbers that stand for no value in this column, as 0 in a year of birth."""


@dataclass(frozen=True)
class Stream:
    """One kind of raw log."""

    name: str
    source: str
    kind: Literal["event", "snapshot"]
    description: str
    columns: tuple[Column, ...]
    rejected_retention_days: int
    """How long a rejected row is kept, counted as `retention_days` is."""
    missing_values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MISSING_VALUES)
    """Format -> the words that stand for no value."""

    @property
    def retention_days(self) -> int:
        """How long a row is kept, in days since it landed: until its first column has to leave."""
        return min(column.retention_days for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Contract:
    """All streams by name, in the order of their files."""

    streams: Mapping[str, Stream]


def arrow_schema(stream: Stream) -> pa.Schema:
    """The columns of a landing file, in the contract's order and types."""
    return pa.schema([(column.name, ARROW_TYPES[column.data_type]) for column in stream.columns])


def received_schema(stream: Stream) -> pa.Schema:
    """The columns of a received Parquet file: where the row came from, then the contract's."""
    return pa.schema([*LINEAGE, *arrow_schema(stream)])


def load(project: Path) -> Contract:
    """Read the contract of a checkout.

    Raises
    ------
    ConfigError
        When a file, or a key in one, is missing or wrong; the message names both.
    """
    folder = project / SOURCES
    files = sorted(folder.glob("*/__sources.yml"))
    if not files:
        raise ConfigError(f"no */__sources.yml in {folder}: set MATINEE_PROJECT to the checkout")
    missing_values = _missing_values(project / PROJECT)
    streams: dict[str, Stream] = {}
    for file in files:
        for stream in _streams(file, missing_values):
            if stream.name in streams:
                raise ConfigError(f"{file}: stream {stream.name} is also in another file")
            streams[stream.name] = stream
    return Contract(streams)


def _missing_values(file: Path) -> Mapping[str, tuple[str, ...]]:
    """The dbt var `missing_values`, over the lists that hold where it names no format."""
    variables = (_yaml(file) or {}).get("vars") if file.exists() else None
    changed = (variables or {}).get("missing_values") or {}
    where = f"{file}: missing_values"
    if not isinstance(changed, dict) or (unknown := sorted(set(changed) - set(FORMATS))):
        found = unknown[0] if isinstance(changed, dict) else changed
        raise ConfigError(f"{where}: must be lists by {', '.join(FORMATS)}, got {found!r}")
    for format, words in changed.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError(f"{where}: {format} must be a list of texts, got {words!r}")
    return MISSING_VALUES | {
        format: tuple(word.lower() for word in words) for format, words in changed.items()
    }


def _yaml(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_SafeLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not YAML: {' '.join(str(error).split())}") from None


def _streams(file: Path, missing_values: Mapping[str, tuple[str, ...]]) -> list[Stream]:
    document = _yaml(file)
    found: list[Stream] = []
    for source in _items(document, "sources", str(file)):
        tables = _items(source, "tables", f"{file}: source {source.get('name')}")
        days = _rejected_retention_days(tables, file)
        for table in tables:
            name = str(table.get("name"))
            if not name.startswith("rejected_"):
                where = f"{file}: {name}"
                stream = _stream(table, str(source.get("name")), where, days.get(name))
                found.append(replace(stream, missing_values=missing_values))
    return found


def _rejected_retention_days(tables: list[dict[str, Any]], file: Path) -> dict[str, int]:
    """Stream -> how long its rejected rows are kept."""
    days = {}
    for table in tables:
        name = str(table.get("name"))
        if name.startswith("rejected_"):
            where = f"{file}: {name}"
            days[name.removeprefix("rejected_")] = min(
                _retention_days(_resolved(table, column, where), f"{where}.{column.get('name')}")
                for column in _items(table, "columns", where)
            )
    return days


def _stream(table: dict[str, Any], source: str, where: str, rejected_days: int | None) -> Stream:
    if rejected_days is None:
        raise ConfigError(f"{where}: no table rejected_{table.get('name')} beside it")
    columns = tuple(
        _column(column, _resolved(table, column, where), f"{where}.{column.get('name')}")
        for column in _items(table, "columns", where)
    )
    names = [column.name for column in columns]
    for column in columns:
        for condition in column.when:
            if condition.column not in names:
                raise ConfigError(f"{where}.{column.name}: when names no column of the stream")
    if len(set(names)) < len(names):
        raise ConfigError(f"{where}: a column is there twice")
    return Stream(
        name=_name(table, where),
        source=source,
        kind=_choice(_meta(table, where), "kind", {"event", "snapshot"}, where),
        description=str(table.get("description", "")),
        columns=columns,
        rejected_retention_days=rejected_days,
    )


def _column(column: dict[str, Any], meta: dict[str, Any], where: str) -> Column:
    purpose = meta.get("purpose")
    if not isinstance(meta.get("required"), bool):
        raise ConfigError(f"{where}: required must be true or false, got {meta.get('required')!r}")
    if not isinstance(purpose, list) or not purpose:
        raise ConfigError(f"{where}: purpose must be a list of at least one, got {purpose!r}")
    return Column(
        name=_name(column, where),
        data_type=_choice(column, "data_type", set(ARROW_TYPES), where),
        description=str(column.get("description", "")),
        required=meta["required"],
        pii=_choice(meta, "pii", PII, where),
        purpose=tuple(map(str, purpose)),
        retention_days=_retention_days(meta, where),
        limits=_limits(meta, where),
        pattern=meta.get("pattern"),
        is_rounded=bool(meta.get("is_rounded", False)),
        when=tuple(
            Condition(other, str(value), _limits(limits, f"{where}: when {other} is {value}"))
            for other, cases in meta.get("when", {}).items()
            for value, limits in cases.items()
        ),
        missing=_missing(meta, where),
    )


def _missing(meta: dict[str, Any], where: str) -> tuple[float, ...]:
    missing = meta.get("missing", [])
    if not isinstance(missing, list) or not all(isinstance(one, int | float) for one in missing):
        raise ConfigError(f"{where}: missing must be a list of numbers, got {missing!r}")
    return tuple(missing)


def _retention_days(meta: dict[str, Any], where: str) -> int:
    days = meta.get("retention_days")
    if not isinstance(days, int) or days < 1:
        raise ConfigError(f"{where}: retention_days must be a whole number over 0, got {days!r}")
    return days


def _limits(meta: dict[str, Any], where: str) -> Limits:
    allowed = meta.get("allowed")
    if allowed is not None and not isinstance(allowed, list):
        raise ConfigError(f"{where}: allowed must be a list, got {allowed!r}")
    for key in ("minimum", "maximum"):
        if not isinstance(meta.get(key), int | float | str | None):
            raise ConfigError(f"{where}: {key} must be a number or a quoted date")
    return Limits(
        allowed=None if allowed is None else tuple(allowed),
        minimum=meta.get("minimum"),
        maximum=meta.get("maximum"),
    )


def _items(parent: Any, key: str, where: str) -> list[dict[str, Any]]:
    items = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"{where}: {key} must be a list of mappings")
    return items


def _meta(item: dict[str, Any], where: str) -> dict[str, Any]:
    """What a table or a column sets; what a column leaves out it has from its table."""
    config = item.get("config", {"meta": {}})
    meta = config.get("meta") if isinstance(config, dict) else None
    if not isinstance(meta, dict):
        raise ConfigError(f"{where}: config.meta is missing")
    return meta


def _resolved(table: dict[str, Any], column: dict[str, Any], where: str) -> dict[str, Any]:
    return _meta(table, where) | _meta(column, f"{where}.{column.get('name')}")


def _name(item: dict[str, Any], where: str) -> str:
    name = item.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"{where}: name must be lower case letters, digits and _, got {name!r}")
    return name


def _choice(item: dict[str, Any], key: str, choices: set[str], where: str) -> Any:
    value = item.get(key)
    if value not in choices:
        raise ConfigError(
            f"{where}: {key} must be one of {', '.join(sorted(choices))}, got {value!r}"
        )
    return value
