"""The contract is read from the dbt sources whole, or refused by file and key."""

import re

import pyarrow as pa
import pytest

from matinee import columns, landing
from matinee.errors import ConfigError

GOOD = """
sources:
  - name: playback
    tables:
      - name: plays
        config: {meta: {kind: event}}
        columns:
          - name: value
            data_type: double
            config:
              meta: {required: true, pii: none, purpose: [service], retention_days: 1}
      - name: rejected_plays
        columns: [{name: rule, config: {meta: {retention_days: 1}}}]
"""


def load(tmp_path, text):
    file = tmp_path / "dbt_project/models/staging/playback/__sources.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return landing.load(tmp_path)


def test_every_stream_is_there_with_its_kind(contract):
    kinds = {name: stream.kind for name, stream in contract.streams.items()}
    assert kinds == dict.fromkeys(columns.EVENT_STREAMS, "event") | dict.fromkeys(
        columns.SNAPSHOT_STREAMS, "snapshot"
    )


def test_every_event_has_the_same_envelope(contract):
    envelopes = {contract.streams[name].columns[:7] for name in columns.EVENT_STREAMS}
    assert len(envelopes) == 1
    assert contract.streams["plays"].required == (
        *("event_id", "event_at", "received_at", "member_id"),
        *("title_id", "watched_seconds"),
    )


def test_stars_and_thumbs_have_their_own_limits(contract):
    value = contract.streams["ratings"].columns[-1]
    thumbs, stars = value.when
    assert thumbs.limits.allowed == (-1, 1, 2)
    assert (stars.limits.minimum, stars.limits.maximum) == (0, 10)


def test_arrow_types_follow_the_contract(contract):
    schema = landing.arrow_schema(contract.streams["titles"])
    assert schema.field("genres").type == pa.list_(pa.string())
    assert schema.field("released_on").type == pa.date32()
    assert landing.received_schema(contract.streams["titles"]).names[:4] == [
        *("file", "line", "landed_on"),
        "title_id",
    ]


def test_a_minimal_contract_loads_and_rejected_tables_are_no_streams(tmp_path):
    assert list(load(tmp_path, GOOD).streams) == ["plays"]


def test_a_column_has_from_its_table_what_it_does_not_set_itself(tmp_path):
    text = GOOD.replace(
        "{kind: event}", "{kind: event, pii: behavioural, purpose: [insights], retention_days: 9}"
    ).replace("required: true, pii: none, purpose: [service],", "required: true, pii: none,")
    (column,) = load(tmp_path, text).streams["plays"].columns
    assert (column.pii, column.purpose, column.retention_days) == ("none", ("insights",), 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sources:", "sauces:", "__sources.yml: sources must be a list of mappings"),
        ("kind: event", "kind: evnt", "plays: kind must be one of event, snapshot, got 'evnt'"),
        ("data_type: double", "data_type: float", "plays.value: data_type must be one of bigint"),
        ("required: true", "required: 7", "plays.value: required must be true or false, got 7"),
        ("pii: none", "pii: some", "plays.value: pii must be one of behavioural"),
        ("[service]", "[]", "plays.value: purpose must be a list of at least one"),
        ("days: 1", "days: 0", "retention_days must be a whole number over 0, got 0"),
        ("days: 1", "days: 1, allowed: 3", "plays.value: allowed must be a list, got 3"),
        ("days: 1", "days: 1, minimum: []", "minimum must be a number or a quoted date"),
        ("days: 1", "days: 1, when: {x: {y: {}}}", "when names no column of the stream"),
        ("name: value", "name: 'va lue'", "name must be lower case letters, digits and _"),
        ("meta: {required", "mta: {required", "plays.value: config.meta is missing"),
        ("rejected_plays", "rejected_play", "plays: no table rejected_plays beside it"),
        ("name: rule, config: {meta: {retention_days: 1}}", "config: {meta: {}}", "rejected_plays"),
        ("sources:", "sources: [", "not YAML"),
    ],
)
def test_a_wrong_key_is_named(tmp_path, old, new, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_a_column_or_a_stream_that_is_there_twice_is_named(tmp_path):
    head, column = GOOD.split("        columns:\n", 1)
    column, rejected = column.split("      - name: rejected")
    twice = f"{head}        columns:\n{column}{column}      - name: rejected{rejected}"
    with pytest.raises(ConfigError, match="plays: a column is there twice"):
        load(tmp_path, twice)
    other = tmp_path / "dbt_project/models/staging/zoo/__sources.yml"
    other.parent.mkdir()
    for file in (other, other.parents[1] / "playback/__sources.yml"):
        file.write_text(GOOD)
    with pytest.raises(ConfigError, match="stream plays is also in another file"):
        landing.load(tmp_path)


def test_a_folder_without_a_contract_says_which_setting_to_change(tmp_path):
    with pytest.raises(ConfigError, match="set MATINEE_PROJECT to the checkout"):
        landing.load(tmp_path)
