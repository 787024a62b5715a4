"""The README's table of raw logs and the dbt sources' yml have the same columns."""

import re
from pathlib import Path

import pytest

from matinee import landing

ROOT = Path(__file__).resolve().parent.parent
STREAMS = landing.load(ROOT).streams
ENVELOPE = {"event_id", "event_at", "received_at", "member_id"}
OPTIONAL_ENVELOPE = {"country", "device", "utc_offset_minutes"}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """stream -> (required, optional) columns beyond the envelope, as README.md has them."""
    table = (ROOT / "README.md").read_text().partition("| stream | grain | columns")[2]
    rows = re.findall(r"^\| `?(\w+)`? \| [^|]+ \| (.+) \|$", table.partition("\n\n")[0], re.M)
    return {stream: columns_of(text) for stream, text in rows}


def columns_of(text: str) -> tuple[set[str], set[str]]:
    text = re.sub(r"\{[^}]*\}|\([^)]*\)", "", text)  # allowed values and remarks
    optional = " ".join(re.findall(r"\[([^]]*)\]", text))
    required = re.sub(r"\[[^]]*\]", "", text)
    return tuple(set(re.findall(r"[a-z_]+", part)) for part in (required, optional))


def test_the_readme_has_the_words_for_missing_values():
    table = (ROOT / "README.md").read_text().partition("| format | words for a missing value")[2]
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", table.partition("\n\n")[0], re.M)
    documented = {format: tuple(re.findall(r"`([^`]+)`", words)) for format, words in rows}
    assert documented == STREAMS["plays"].missing_values


def test_the_readme_has_every_stream_and_no_other():
    assert documented().keys() == STREAMS.keys()


@pytest.mark.parametrize("name", STREAMS)
def test_the_readme_and_the_sources_yml_name_the_same_columns(name):
    stream = STREAMS[name]
    required, optional = documented()[name]
    if stream.kind == "event":
        required, optional = required | ENVELOPE, optional | OPTIONAL_ENVELOPE
    assert required == set(stream.required)
    assert optional == set(stream.names) - set(stream.required)
