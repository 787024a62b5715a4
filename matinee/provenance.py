"""The manifest of a release, and the in-toto statement that is signed over it.

Values in, values out; `releases` reads, writes and signs them.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from matinee.errors import ConfigError, DataError, IntegrityError

SCHEMA_VERSION = 1
"""Version of the manifest format. `tests/golden/` has a release of every version."""

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:matinee:night:v1"
BUILDER_ID = "urn:matinee:pipeline"

STORE_FIELDS = (
    "schema_version",
    "release_id",
    "audit_head",
    "audit_entries",
    "files",
    "content_digest",
)


def release_id(created_at: datetime, content_digest: str) -> str:
    """`<UTC time>-<12 hex>`: sorts by time, identifies its content, needs no server.

    >>> release_id(datetime(2026, 1, 2, 3, 15, tzinfo=UTC), "3f9ac0ffee1234" + "0" * 50)
    '20260102T031500Z-3f9ac0ffee12'
    """
    if created_at.tzinfo is None:
        raise ConfigError(f"created_at {created_at} has no time zone: pass an aware datetime")
    return f"{created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content_digest[:12]}"


def manifest(
    fields: Mapping[str, Any],
    *,
    files: Iterable[Mapping[str, Any]],
    content_digest: str,
    audit_head: str,
    audit_entries: int,
) -> dict[str, Any]:
    """The manifest of a release: the fields of the night, then those that the store computes.

    Parameters
    ----------
    fields
        `created_at` and `as_of` (aware datetimes) and any sections of DESIGN.md's manifest.
        `reason` is `scheduled` and `supersedes` null unless given.
    files
        One record a file: file, sha256, bytes, rows, content_sha256.
    audit_head
        The last hash of the store's audit trail; it fixes all entries before this release.
    audit_entries
        The number of those entries. No line after them is accepted without a signature.

    Raises
    ------
    ConfigError
        If a field is missing, is the store's to set, or cannot be written as JSON.
    DataError
        If a number is not finite.
    """
    for name in ("created_at", "as_of"):
        if not isinstance(fields.get(name), datetime):
            raise ConfigError(f"the manifest needs {name} as a datetime, got {fields.get(name)!r}")
    if reserved := [name for name in STORE_FIELDS if name in fields]:
        raise ConfigError(
            f"the store sets {', '.join(reserved)} itself: leave it out of the fields"
        )
    head = {
        "schema_version": SCHEMA_VERSION,
        "release_id": release_id(fields["created_at"], content_digest),
        "created_at": fields["created_at"],
        "as_of": fields["as_of"],
        "reason": "scheduled",
        "supersedes": None,
    }
    tail = {
        "audit_head": audit_head,
        "audit_entries": audit_entries,
        "files": list(files),
        "content_digest": content_digest,
    }
    written: dict[str, Any] = plain({**head, **fields, **tail}, "manifest")
    return written


def statement(manifest: Mapping[str, Any], text: bytes) -> dict[str, Any]:
    """The in-toto statement (v1) with an SLSA v1 provenance predicate, over every file.

    The manifest, whose bytes are `text`, is the first subject: its hash alone fixes all the others.
    Its length is signed too, so that nothing longer need be read to find that it is another one.
    """
    subjects: list[dict[str, Any]] = [
        {
            "name": "manifest.json",
            "digest": {"sha256": hashlib.sha256(text).hexdigest()},
            "annotations": {"bytes": len(text)},
        }
    ]
    subjects += [
        {"name": record["file"], "digest": {"sha256": record["sha256"]}}
        for record in manifest["files"]
    ]
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    name: manifest.get(name) for name in ("as_of", "reason", "supersedes")
                },
                "internalParameters": {
                    name: manifest.get(name, {}) for name in ("determinism", "environment")
                },
                "resolvedDependencies": _dependencies(manifest),
            },
            "runDetails": {
                "builder": {"id": BUILDER_ID},
                "metadata": {
                    "invocationId": manifest["release_id"],
                    "startedOn": manifest["created_at"],
                },
            },
        },
    }


def failed_rules(manifest: Mapping[str, Any]) -> list[str]:
    """The gate rules that failed, in the gate's order; `not_judged` if the gate has no rules."""
    rules = manifest.get("gate", {}).get("rules", [])
    if not rules:
        return ["not_judged"]
    return [str(rule["rule"]) for rule in rules if rule.get("passed") is not True]


def canonical_json(value: object) -> bytes:
    """The unique JSON encoding of a value, for hashes and signatures."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def readable_json(value: object) -> bytes:
    """Indented JSON in the given key order, with a final newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


class TooDeepError(ValueError):
    """JSON that is nested too deep to be read."""


def parse_json(text: str | bytes) -> Any:
    """A JSON document; ValueError when it is none, TooDeepError when it is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise TooDeepError("it is nested too deep") from None


class Fields(list[tuple[str, Any]]):
    """The fields of a JSON object, each as often as it is there."""


def parse_as_written(text: str | bytes) -> Any:
    """A JSON document with objects as `Fields` and numbers as text; raises as `parse_json`."""
    try:
        return json.loads(
            text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=Fields
        )
    except RecursionError:
        raise TooDeepError("it is nested too deep") from None


def document(text: str | bytes, where: object, cure: str) -> dict[str, Any]:
    """A JSON object that this program wrote.

    Raises
    ------
    IntegrityError
        When it is none; names `where` it was and the cure.
    """
    try:
        found = parse_json(text)
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise IntegrityError(f"{where} is not JSON as it was written ({error}): {cure}") from None
    return found


def plain(value: Any, where: str) -> Any:
    """`value` in JSON's own types: times as ISO 8601 in UTC, NumPy scalars and arrays as lists."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{where} is {value}: a manifest holds finite numbers, use null instead")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigError(f"{where} has no time zone: pass an aware datetime")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(inner, f"{where}.{name}") for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{where}[{index}]") for index, inner in enumerate(value)]
    raise ConfigError(f"{where} is a {type(value).__name__}: a manifest holds plain values only")


def _dependencies(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Inputs as SLSA resource descriptors: the code, its lock file and every landing file."""
    code = manifest.get("code", {})
    dependencies = []
    if code.get("commit"):
        dependencies.append({"name": "code", "digest": {"gitCommit": code["commit"]}})
    if code.get("lock_sha256"):
        digest = {"sha256": code["lock_sha256"]}
        dependencies.append({"name": "requirements.lock", "digest": digest})
    dependencies += [
        {"name": entry["file"], "digest": {"sha256": entry["sha256"]}}
        for entry in manifest.get("inputs", [])
    ]
    return dependencies
