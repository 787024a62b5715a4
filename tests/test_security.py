"""The claims of docs/reference/security.md: no telemetry, no pickle, hostile names and"""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matinee import report
from matinee.cli import nights, output
from tests.landing.samples import HOSTILE

ROOT = Path(__file__).resolve().parent.parent
MATINEE = str(Path(sys.executable).with_name("matinee"))


def matinee(*arguments, home):
    return subprocess.run(
        [MATINEE, *map(str, arguments)],
        env=os.environ | {"MATINEE_HOME": str(home)},
        capture_output=True,
        text=True,
    )


def assert_refused(done, code, message):
    assert done.returncode == code, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("matinee: ")]
    assert message in error
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["../..", "/etc/passwd", "live/../..", "a b", "", "20260101T000000Z-00000000000g"]
)
def test_only_an_alias_or_a_release_id_becomes_a_path(tmp_path, name):
    assert_refused(matinee("releases", "show", name, home=tmp_path), 2, "neither an alias")


def test_a_home_that_is_a_file_is_a_storage_error(tmp_path):
    home = tmp_path / "file"
    home.write_text("")
    assert_refused(matinee("run", home=home), 6, str(home))


def test_a_home_that_cannot_be_created_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    home = tmp_path / "file" / "home"  # assert_refused for root too
    simulate = ("simulate", "--members", 30, "--titles", 30, "--days", 2)
    assert_refused(matinee(*simulate, home=home), 6, "check the disk and its permissions")


def test_a_setting_of_the_wrong_type_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", "zero")
    assert_refused(matinee("releases", "list", home=tmp_path), 2, "MATINEE_THREADS is 'zero'")


def test_the_package_disables_telemetry():
    code = (
        "import matinee, os; print(os.environ['DO_NOT_TRACK'], os.environ['GX_ANALYTICS_ENABLED'])"
    )
    off = {"DO_NOT_TRACK", "GX_ANALYTICS_ENABLED"}
    clean = {name: value for name, value in os.environ.items() if name not in off}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1", "false"]


def test_arrays_are_never_opened_with_pickle_allowed():
    loads = [
        (path.name, call)
        for path in (ROOT / "matinee").rglob("*.py")
        for call in re.findall(r"allow_pickle\s*=\s*\w+", path.read_text())
    ]
    assert [one for one in loads if not one[1].endswith("False")] == []


CONTROL = re.compile(r"[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control and bidirectional characters, except newline."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_escaped_on_a_terminal_in_json_and_on_a_page(text, capsys):
    for form in output.Format:
        output.emit([{text: 1, "name": [text, "\udfff"]}, {text: text, "name": text}], form)
    printed = capsys.readouterr().out
    assert not CONTROL.search(printed.replace("\t", ""))
    page, plain = (
        report.stopped([], day=day, as_of=datetime(2026, 1, 1, tzinfo=UTC), nights=[], drift="")
        for day in (text, "2026-01-01")
    )
    assert not CONTROL.search(re.sub(r"[\t\r]", "", page))
    assert page.count("<") == plain.count("<")
    assert json.loads(output.as_json({text: text})) == {text: text}


def test_a_name_between_colons_is_not_an_emoji(capsys):
    for form in output.Format:
        output.emit([{":x:": "root:x:0", "name": [":smile:"]}], form, title=":x:")
    nights.print_lines("quarantined root:x:0")
    printed, messages = capsys.readouterr()
    assert printed.count(":x:") == 5
    assert printed.count(":smile:") == 2
    assert "root:x:0" in messages
