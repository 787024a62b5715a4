"""A refusal holds at the next read, whichever command reads; and every command is asked."""

import ast
import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import matinee
from matinee import pipeline
from matinee.settings import Settings

PACKAGE = Path(matinee.__file__).parent

MEMBERS = ("member", "members")
WRITERS = {"forget", "consent"}
"""Commands about a member that show nothing of a release."""

READERS = {
    "recommend": ["--format", "json"],
    "explain": ["{title}", "--format", "json"],
    "export": [],
    "statement": ["--format", "json"],
}
"""Commands that show something of one member, and what they need beside the id."""

SCREENS = [["releases", "show", "live"]]
"""Commands that show some members without being told whom."""


def commands():
    from matinee.cli import app

    def walk(group, prefix):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, [*prefix, name])
            else:
                yield [*prefix, name], command

    return list(walk(typer.main.get_command(app), []))


def test_every_command_that_takes_a_member_is_asked_below():
    named = {
        " ".join(name)
        for name, command in commands()
        for one in command.params
        if one.param_type_name == "argument" and one.name in MEMBERS
    }
    assert named == READERS.keys() | WRITERS


def test_slates_are_read_past_the_rule_only_where_a_member_asks_for_what_is_held():
    readers = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr != "slate" or path.is_relative_to(PACKAGE / "releases"):
                    continue
                if getattr(node.func.value, "id", "") != "consenting":
                    readers.add(path.stem)
    # consenting is the rule, explaining asks it first, statement tells members what is held.
    assert readers == {"consenting", "explaining", "statement"}


@pytest.fixture(scope="module")
def refused(night_home, tmp_path_factory):
    """A home in which the first sample of the live release has just refused personalisation."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("readers") / "home")
    settings = Settings(home=home)
    release = pipeline.store(settings).open("live")
    member = release.manifest["samples"][0]
    own = release.slate(member).to_pylist()
    assert own[0]["source"] == "hybrid"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_HOME", str(home))
        before = {name: said(name, member, own) for name in READERS}
        screen = invoke(SCREENS[0]).output
        pipeline.choose(settings, member, "personalisation", granted=False)
        yield member, own, before, screen


def invoke(arguments):
    from matinee.cli import app

    return CliRunner().invoke(app, arguments)


def said(name, member, own):
    more = [one.format(title=own[0]["title_id"]) for one in READERS[name]]
    return invoke([name, member, *more])


def personal(own):
    """Reasons that only the member's own acts give."""
    return {row["reason"] for row in own if "you watched" in row["reason"]}


@pytest.mark.slow
def test_recommend_shows_the_list_for_all(refused):
    member, own, before, _ = refused
    assert any(reason in before["recommend"].stdout for reason in personal(own))  # the control
    rows = json.loads(said("recommend", member, own).stdout)
    assert {row["source"] for row in rows} == {"non_profiled"}
    assert not {row["reason"] for row in rows} & personal(own)


@pytest.mark.slow
def test_explain_has_nothing_to_explain(refused):
    member, own, before, _ = refused
    assert json.loads(before["explain"].stdout)["groups"]
    done = said("explain", member, own)
    assert done.stdout == ""
    assert f"member {member!r} refused personalisation: nothing of theirs" in str(done.exception)


@pytest.mark.slow
def test_export_and_statement_tell_what_is_held_and_what_is_shown_now(refused):
    member, own, before, _ = refused
    assert json.loads(before["export"].stdout)["shown_now"] == json.loads(json.dumps(own))
    held = json.loads(said("export", member, own).stdout)
    assert held["choices_now"]["personalisation"] == "refused"
    assert {row["source"] for row in held["shown_now"]} == {"non_profiled"}
    assert next(iter(held["published"].values()))["list"] == own
    told = json.loads(said("statement", member, own).stdout)
    (release,) = [row for row in told if row["kind"] == "release"]
    assert release["why"].endswith("they refused since, and are shown the list for all")
    assert "refused since" not in before["statement"].stdout


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS)
def test_screens_show_the_list_for_all(refused, screen):
    member, _, _, before = refused
    assert f"{member} is shown (hybrid)" in before
    now = invoke(screen).output
    assert f"{member} is shown (non_profiled)" in now
    part = now.partition(f"{member} is shown")[2].partition(" is shown")[0]
    assert "you watched" not in part
