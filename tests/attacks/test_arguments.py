"""Arguments of any bytes: an answer or one line and a code of ours; no control characters out."""

import contextlib
import io
import itertools
import sys

import pytest

from matinee import cli, releases
from matinee.cli.output import as_json
from tests.attacks.commands import LONG, command

TEXTS = {
    "escape": "\x1b[2J\x1b]0;evil\x07",
    "csi": "\x9b31mred",
    "newline": "m-1\nmatinee: live is evil",
    "return": "m-1\rlive is evil",
    "bidi": "m-\u202e1\u2066",
    "nothing": "",
    "space": " ",
    "markup": "[red]m[/red] [link=x]",
    "long": "m" * 5000,
    "quotes": "'; drop table members; --\"",
    "percent": "%s%n{0}{x}${HOME}",
    "path": "../../../etc/passwd",
    "dash": "-m-1",
    "zero width": "m\u200b-1\ufeff",
    "astral": "\U0001f600" * 3,
}
BYTES = {"latin": "m\udce9", "cut": "m\udcf0\udc9f", "ff": "\udcff\udcfe"}
"""As Python gives bytes that are no UTF-8."""

COMMANDS = {
    "recommend": ("recommend", "{}"),
    "k": ("recommend", "m", "--k", "{}"),
    "release": ("recommend", "m", "--release", "{}"),
    "context": ("recommend", "m", "--context", "{}"),
    "format": ("recommend", "m", "--format", "{}"),
    "similar": ("similar", "{}"),
    "consent": ("consent", "--refuse", "--", "{}"),
    "purpose": ("consent", "m", "--refuse", "--purpose", "{}"),
    "export": ("export", "--", "{}"),
    "output": ("export", "m-000001", "--output", "/nowhere/{}"),
    "statement": ("statement", "--", "{}"),
    "forget": ("forget", "--", "{}"),
    "slates": ("slates", "--output", "/nowhere/{}"),
    "show": ("releases", "show", "--", "{}"),
    "verify": ("releases", "verify", "--", "{}"),
    "promote": ("releases", "promote", "--why", "x", "--", "{}"),
    "diff": ("releases", "diff", "--", "{}"),
    "as of": ("run", "--as-of", "{}"),
    "from": ("run", "--from", "{}"),
    "epsilon": ("dp-counts", "--epsilon", "{}"),
    "by": ("dp-counts", "--epsilon", "2", "--by", "{}"),
    "withdraw": ("receive", "--withdraw", "{}"),
    "url": ("releases", "list", "--at", "{}"),
    "import": ("import", "movielens", "{}"),
    "command": ("{}",),
    "option": ("recommend", "m", "--{}"),
}

QUICK = ("recommend", "k", "consent", "export", "show", "url", "command", "as of")
"""Beside every text; the others are beside the hardest ones, unless all are."""
HARDEST = ("escape", "newline")


def grid():
    for name, text in itertools.product(COMMANDS, TEXTS):
        if LONG or name in QUICK or text in HARDEST:
            yield name, text


def with_text(name, text):
    return [part.replace("{}", text) for part in COMMANDS[name]]


def test_no_argument_is_a_traceback_or_reaches_the_terminal_as_it_is(published, hold):
    def check(name, text):
        done = command(published, *with_text(name, TEXTS[text]))
        assert done.crash is None, done.crash
        assert done.code in (0, 2, 3, 5, 6), done.code
        assert text != "newline" or "\nmatinee: live is evil" not in done.err + done.out

    hold(check, grid())


def test_bytes_that_are_no_utf8_are_refused_by_their_place(published, hold):
    def check(name, text):
        arguments = with_text(name, BYTES[text])
        done = command(published, *arguments)
        place = 1 + next(n for n, one in enumerate(arguments) if BYTES[text] in one)
        assert done.crash is None, done.crash
        assert done.code == 2
        assert f"argument {place} is not UTF-8: b'" in done.err, done.err

    hold(check, itertools.product(COMMANDS, BYTES))


NUMBERS = ("0", "-1", "1e9", "9" * 30, "nan", "1.5", "", " 1", "0x10", "٣")
COUNTED = {
    "k": ("recommend", "m-000001", "--k", "{}"),
    "neighbours": ("similar", "The Matrix", "--k", "{}"),
    "keep": ("releases", "gc", "--keep", "{}"),
    "days": ("dp-counts", "--epsilon", "1", "--days", "{}"),
    "simulated days": ("simulate", "--members", "0", "--days", "{}"),
    "seed": ("simulate", "--seed", "{}", "--days", "0"),
    "rejected": ("rejected", "--limit", "{}"),
}


def test_a_number_that_is_none_or_too_large_is_no_traceback(published, hold):
    def check(name, number):
        done = command(published, *(part.replace("{}", number) for part in COUNTED[name]))
        assert done.crash is None, done.crash
        assert done.code in (0, 2, 5), done.code

    hold(check, itertools.product(COUNTED, NUMBERS))


@pytest.mark.parametrize("member", ["\x1b[31mred", "a\nb", "\x9b", "\u202eevil"])
def test_a_hostile_id_of_a_member_is_escaped_in_consent_and_export(published, monkeypatch, member):
    from matinee import pipeline

    choice = (published / "landing" / f"{member}.jsonl", "live")
    monkeypatch.setattr(pipeline, "record_choice", lambda *_, **__: choice)
    monkeypatch.setattr(pipeline, "reissue_pages", lambda *_, **__: [])
    rows = {"member_id": member, "received": {"plays": [{"device": member}]}}
    monkeypatch.setattr(pipeline, "export", lambda *_: rows)
    output = published / "export.json"
    for arguments in (
        ("consent", member, "--refuse"),
        ("export", member),
        ("export", member, "--output", output),
    ):
        done = command(published, *arguments)
        assert (done.code, done.crash) == (0, None)
    text = output.read_text()
    assert text == as_json(rows) + "\n"
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_terminal_of_another_encoding_gets_every_row(published, encoding, monkeypatch):
    member = releases.Store.of(published).open("live").manifest["samples"][0]
    screen = io.BytesIO()
    monkeypatch.setenv("MATINEE_HOME", str(published))
    monkeypatch.setattr(sys, "argv", ["matinee", "recommend", member, "--k", "50"])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(screen, encoding=encoding))
    with contextlib.suppress(SystemExit):
        cli.main()
    sys.stdout.flush()
    assert len(screen.getvalue()) > 1000
