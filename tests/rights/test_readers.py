"""A refusal holds at the next read, whichever command reads; and every command is asked."""

import ast
import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import matinee
from matinee import pipeline, releases
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
    # consenting is the rule, explaining asks it first, statement tells members what is held, and
    # reissuing counts the slates that leave with the erased.
    assert readers == {"consenting", "explaining", "statement", "reissuing"}


@pytest.fixture(scope="module")
def refused(night_home, tmp_path_factory):
    """A home in which the first sample of the live release has just refused personalisation."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("readers") / "home")
    settings = Settings(home=home)
    release = releases.Store.of(settings.home).open("live")
    member = release.manifest["samples"][0]
    own = release.slate(member).to_pylist()
    assert own[0]["source"] == "hybrid"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_HOME", str(home))
        before = {name: said(name, member, own) for name in READERS}
        screen = invoke(SCREENS[0]).output
        pipeline.record_choice(settings, member, "personalisation", granted=False)
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


@pytest.fixture
def shown(copied, monkeypatch):
    """A home, its live release, and a member whose list is on its page."""
    monkeypatch.setenv("MATINEE_HOME", str(copied))
    live = releases.Store.of(copied).open("live")
    member = live.manifest["samples"][0]
    assert member in (live.path / "report.html").read_text()
    return copied, live, member


def holds_without(home, before, member):
    """Live is the same content under a new name, and no page of it shows the member."""
    store = releases.Store.of(home)
    live = store.open("live")
    store.verify("live")
    assert [one.id for one in store.list()] == [live.id]
    assert live.manifest["supersedes"] == before.id
    assert live.manifest["reason"] == "withdrawal"
    assert live.manifest["content_digest"] == before.manifest["content_digest"]
    assert live.manifest["samples"] == before.manifest["samples"][1:]
    for page in ("report.html", "card.md"):
        assert member not in (live.path / page).read_text()
    assert live.manifest["samples"][0] in (live.path / "report.html").read_text()


@pytest.mark.slow
def test_a_refusal_takes_a_member_off_the_pages_of_kept_releases_at_once(shown):
    home, before, member = shown
    done = invoke(["consent", member, "--refuse"])
    assert f"release {before.id}, whose page showed them, is now 2" in done.stderr
    holds_without(home, before, member)


@pytest.mark.slow
def test_while_a_night_runs_a_refusal_waits_for_the_next_receipt_to_take_the_pages_off(shown):
    home, before, member = shown
    with pipeline.lease(Settings(home=home), "night"):
        done = invoke(["consent", member, "--refuse"])
    assert "The next receipt of logs takes them off the pages" in done.stderr
    assert releases.Store.of(home).open("live").id == before.id
    pipeline.receive(Settings(home=home))
    holds_without(home, before, member)


@pytest.mark.slow
def test_a_machine_that_signs_nothing_leaves_pages_to_its_mirror(shown):
    home, before, member = shown
    (home / "keys" / "signing.pem").unlink()
    assert (
        f"release {before.id} shows them the list for all"
        in invoke(["consent", member, "--refuse"]).stderr
    )
    assert releases.Store.of(home).open("live").id == before.id
