"""A refusal is applied at the next read by every command that reads a slate."""

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
"""Commands about a member that print nothing of a release."""

READERS = {
    "recommend": ["--format", "json"],
    "explain": ["{title}", "--format", "json"],
    "export": [],
    "statement": ["--format", "json"],
}
"""Commands that print something about one member, and their other arguments."""

SCREENS = [["releases", "show", "live"]]
"""Commands that print some members without a member argument."""


def commands():
    from matinee.cli import app

    def walk(group, prefix):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, [*prefix, name])
            else:
                yield [*prefix, name], command

    return list(walk(typer.main.get_command(app), []))


def test_every_command_with_a_member_argument_is_tested_below():
    named = {
        " ".join(name)
        for name, command in commands()
        for one in command.params
        if one.param_type_name == "argument" and one.name in MEMBERS
    }
    assert named == READERS.keys() | WRITERS


def test_slates_are_read_without_the_consent_check_in_known_modules_only():
    readers = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr != "slate" or path.is_relative_to(PACKAGE / "releases"):
                    continue
                if getattr(node.func.value, "id", "") != "consent":
                    readers.add(path.stem)
    # consent is the check, explain calls it first, statement exports all data of a member, and
    # reissue counts the slates of erased members. The API reads them for a member
    # whom `serving.members` has looked up, and that asks first: tests/serving.
    api = {"reads", "hot_routes", "release_view"}
    assert readers == {"consent", "explain", "statement", "reissue"} | api


@pytest.fixture(scope="module")
def refused(night_home, tmp_path_factory):
    """A home in which the first sample of the live release has refused personalisation."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("readers") / "home")
    settings = Settings(home=home)
    release = releases.Store.of(settings.home).open("live")
    member = release.manifest["samples"][0]
    own = release.slate(member).to_pylist()
    assert own[0]["source"] == "hybrid"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_HOME", str(home))
        before = {name: run_reader(name, member, own) for name in READERS}
        screen = invoke(SCREENS[0]).output
        pipeline.record_choice(settings, member, "personalisation", granted=False)
        yield member, own, before, screen


def invoke(arguments):
    from matinee.cli import app

    return CliRunner().invoke(app, arguments)


def run_reader(name, member, own):
    more = [one.format(title=own[0]["title_id"]) for one in READERS[name]]
    return invoke([name, member, *more])


def personal(own):
    """Reasons that come from the member's own interactions."""
    return {row["reason"] for row in own if "you watched" in row["reason"]}


def test_recommend_prints_the_non_profiled_list(refused):
    member, own, before, _ = refused
    assert any(reason in before["recommend"].stdout for reason in personal(own))  # control
    rows = json.loads(run_reader("recommend", member, own).stdout)
    assert {row["source"] for row in rows} == {"non_profiled"}
    assert not {row["reason"] for row in rows} & personal(own)


def test_explain_refuses(refused):
    member, own, before, _ = refused
    assert json.loads(before["explain"].stdout)["groups"]
    done = run_reader("explain", member, own)
    assert done.stdout == ""
    assert f"member {member!r} refused personalisation: their data is not used" in str(
        done.exception
    )


def test_export_and_statement_have_past_and_current_slates(refused):
    member, own, before, _ = refused
    assert json.loads(before["export"].stdout)["shown_now"] == json.loads(json.dumps(own))
    exported = json.loads(run_reader("export", member, own).stdout)
    assert exported["choices_now"]["personalisation"] == "refused"
    assert {row["source"] for row in exported["shown_now"]} == {"non_profiled"}
    assert next(iter(exported["published"].values()))["list"] == own
    rows = json.loads(run_reader("statement", member, own).stdout)
    (release,) = [row for row in rows if row["kind"] == "release"]
    assert release["why"].endswith(
        "they refused personalisation since and get the non-profiled list"
    )
    assert "personalisation since" not in before["statement"].stdout


@pytest.mark.parametrize("screen", SCREENS)
def test_screens_print_the_non_profiled_list(refused, screen):
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


def assert_reissued_without(home, before, member):
    """Live has the same content under a new id, and no page shows the member."""
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


def test_a_refusal_reissues_the_pages_that_show_the_member(shown):
    home, before, member = shown
    done = invoke(["consent", member, "--refuse"])
    assert f"release {before.id}, whose page showed them, is now 2" in done.stderr
    assert_reissued_without(home, before, member)


def test_during_a_night_pages_are_reissued_by_the_next_receive(shown):
    home, before, member = shown
    with pipeline.lease(Settings(home=home), "night"):
        done = invoke(["consent", member, "--refuse"])
    assert "The next `receive` removes the member from the pages" in done.stderr
    assert releases.Store.of(home).open("live").id == before.id
    pipeline.receive(Settings(home=home))
    assert_reissued_without(home, before, member)


def test_a_machine_without_a_signing_key_reissues_no_pages(shown):
    home, before, member = shown
    (home / "keys" / "signing.pem").unlink()
    assert (
        f"release {before.id} shows them the non-profiled list"
        in invoke(["consent", member, "--refuse"]).stderr
    )
    assert releases.Store.of(home).open("live").id == before.id
