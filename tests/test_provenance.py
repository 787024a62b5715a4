import doctest
import hashlib
import json
import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from matinee import provenance
from matinee.errors import ConfigError, DataError

AT = datetime(2026, 1, 2, 3, 15, tzinfo=UTC)
FIELDS = {
    "created_at": AT,
    "as_of": AT,
    "code": {"commit": "c0ffee", "dirty": False, "lock_sha256": "aa"},
    "environment": {"python": "3.11"},
    "determinism": {"seed": 7},
    "inputs": [{"file": "plays/dt=2026-01-01/a.jsonl", "sha256": "bb", "rows": 3}],
}
FILE = {"file": "a.json", "sha256": "cc", "bytes": 2, "rows": None, "content_sha256": "dd"}


def manifest(**more):
    return provenance.manifest(
        FIELDS | more,
        files=[FILE],
        content_digest="ab" * 32,
        audit_head="0" * 64,
        audit_entries=0,
    )


def test_the_examples_in_the_docstrings_pass():
    assert doctest.testmod(provenance).failed == 0


def test_a_manifest_is_plain_json_with_its_release_id():
    fields = manifest()
    assert json.loads(provenance.readable_json(fields)) == fields
    assert fields["release_id"] == "20260102T031500Z-abababababab"
    assert fields["schema_version"] == 1
    assert (fields["reason"], fields["supersedes"]) == ("scheduled", None)


def test_given_fields_replace_the_defaults():
    fields = manifest(reason="erasure", supersedes="20260101T031500Z-000000000000")
    assert fields["reason"] == "erasure"


def test_numpy_values_and_times_of_any_zone_are_written_plainly():
    fields = manifest(
        model={"dims": np.int64(64), "means": np.array([0.5]), "day": date(2026, 1, 2)},
        as_of=AT.astimezone(timezone(timedelta(hours=9))),
    )
    assert fields["model"] == {"dims": 64, "means": [0.5], "day": "2026-01-02"}
    assert fields["as_of"] == "2026-01-02T03:15:00Z"


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_is_named(value):
    with pytest.raises(DataError, match=r"manifest\.model\.loss\[1\] is (nan|inf): a manifest"):
        manifest(model={"loss": [0.1, value]})


def test_missing_reserved_naive_and_non_json_fields_are_named():
    with pytest.raises(ConfigError, match="needs as_of as a datetime, got '2026'"):
        manifest(as_of="2026")
    with pytest.raises(ConfigError, match="the store sets files itself: leave it out"):
        manifest(files=[])
    with pytest.raises(ConfigError, match="has no time zone: pass an aware datetime"):
        manifest(created_at=datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ConfigError, match=r"manifest\.as_of has no time zone"):
        manifest(as_of=datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ConfigError, match=r"manifest\.model is a set: a manifest holds plain"):
        manifest(model={1, 2})


def test_the_statement_covers_the_manifest_first_and_then_every_file():
    statement = provenance.statement(manifest(), b"{}")
    assert statement["subject"] == [
        {
            "name": "manifest.json",
            "digest": {"sha256": hashlib.sha256(b"{}").hexdigest()},
            "annotations": {"bytes": 2},
        },
        {"name": "a.json", "digest": {"sha256": "cc"}},
    ]


def test_the_statement_lists_the_inputs():
    definition = provenance.statement(manifest(), b"{}")["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {"name": "code", "digest": {"gitCommit": "c0ffee"}},
        {"name": "requirements.lock", "digest": {"sha256": "aa"}},
        {"name": "plays/dt=2026-01-01/a.jsonl", "digest": {"sha256": "bb"}},
    ]
    assert definition["internalParameters"]["determinism"] == {"seed": 7}


def test_only_true_passes_a_rule():
    def rule(passed):
        return {"rule": str(passed), "passed": passed}

    gate = {"rules": [rule(True), rule(False), rule(None), rule("true"), rule(1)]}
    assert provenance.failed_rules({"gate": gate}) == ["False", "None", "true", "1"]
    assert provenance.failed_rules({}) == ["not_judged"]
