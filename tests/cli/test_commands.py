"""The command line: stdout, stderr and exit codes."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path

import pytest

from matinee import cli, releases

MATINEE = str(Path(sys.executable).with_name("matinee"))
ENGINES = ("dbt", "duckdb", "feast", "great_expectations", "lightfm", "prefect", "sqlalchemy")


@pytest.fixture
def matinee(tmp_path, monkeypatch):
    """A function that runs `matinee ...` in a home, in this process, as a finished process."""

    def run(*arguments, home=tmp_path / "home"):
        monkeypatch.setenv("MATINEE_HOME", str(home))
        monkeypatch.setattr(sys, "argv", ["matinee", *map(str, arguments)])
        code, stdout, stderr = 0, io.StringIO(), io.StringIO()
        with redirect_stdout(stdout), redirect_stderr(stderr):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code or 0
        return subprocess.CompletedProcess(sys.argv, code, stdout.getvalue(), stderr.getvalue())

    return run


def test_the_installed_program_ends_with_the_exit_code_of_the_command_line(tmp_path):
    done = subprocess.run([MATINEE, "releases", "list"], env=os.environ, cwd=tmp_path)
    assert done.returncode == 2


def test_help_imports_no_engine():
    code = (
        "import sys\n"
        "from matinee.cli import app\n"
        "try:\n    app(['--help'])\n"
        "except SystemExit:\n    pass\n"
        f"print([name for name in {ENGINES} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "recommend" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run"], 2, "no file of titles was ever received"),
        (["run", "--as-of", "yesterday"], 2, "--as-of must be a day like 2026-01-31"),
        (["recommend", "m-1"], 2, "no live release in"),
        (["recommend", "m-1", "--release", "../../etc"], 2, "neither an alias"),
        (["releases", "show", "20260101T000000Z-000000000000"], 2, "no release 20260101T"),
        (["releases", "rollback"], 2, "there is no previous release"),
        (["import", "movielens", "/nowhere"], 2, "/nowhere"),
        (["simulate", "--day", "2026-01-31"], 2, "--day needs --play"),
        (
            ["simulate", "--play", "http://127.0.0.1:9", "--days", "3"],
            2,
            "are of simulated logs: not",
        ),
    ],
)
def test_wrong_input_is_one_line_on_stderr_and_its_exit_code(
    matinee, tmp_path, arguments, code, message
):
    (tmp_path / "home").mkdir()
    done = matinee(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("matinee: ")]
    assert message in error
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_bad_usage(matinee):
    assert matinee("recomend").returncode == 2


def test_a_home_that_is_missing_or_a_file_is_named(matinee, tmp_path):
    missing = matinee("releases", "list")
    assert missing.returncode == 2
    assert "home does not exist: `matinee run` creates one" in missing.stderr
    (tmp_path / "home").write_text("")
    for command in (["releases", "list"], ["releases", "show"], ["recommend", "m-1"]):
        done = matinee(*command)
        assert done.returncode == 2
        assert f"the home {tmp_path / 'home'} is a file" in done.stderr


def test_the_version_is_one_word_on_stdout(matinee):
    assert matinee("--version").stdout.strip() == version("matinee")


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_while_dbt_builds_is_reported_as_an_interruption(matinee, night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "copy")
    shutil.rmtree(home / "warehouse")
    environment = os.environ | {"MATINEE_HOME": str(home)}
    night = subprocess.Popen([MATINEE, "run"], env=environment, stderr=subprocess.PIPE, text=True)
    while not (home / "warehouse/matinee.duckdb").exists():
        time.sleep(0.05)
    night.send_signal(signal.SIGINT)
    printed = night.communicate()[1]
    assert night.returncode == 130
    assert printed.splitlines()[-1] == "matinee: interrupted; live unchanged"


def test_diff_is_not_suggested_without_a_previous_release(matinee, night_home):
    assert "diff previous" not in matinee("releases", "show", home=night_home).stdout


def test_a_day_far_from_the_landed_days_is_refused_with_their_range(matinee, night_home):
    done = matinee("run", "--as-of", "2019-01-01", home=night_home)
    assert done.returncode == 2
    assert "is 2019-01-01 and logs have landed from 20" in done.stderr


def test_slates_are_printed_on_stdout_only(matinee, night_home):

    member = releases.Store.of(night_home).open("live").manifest["samples"][0]
    done = matinee("recommend", member, "--k", 3, "--format", "json", home=night_home)
    rows = json.loads(done.stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert all(row["title"] and row["reason"] for row in rows)
    assert done.stderr == ""


def test_a_title_is_found_by_name_in_any_case_and_a_similar_name_is_suggested(matinee, night_home):
    listed = json.loads(matinee("similar", "JAWS", "--format", "json", home=night_home).stdout)
    assert listed
    missed = matinee("similar", "the godf", home=night_home)
    assert missed.returncode == 2
    assert "did you mean 'The Godfather" in missed.stderr


def test_a_title_is_found_by_its_display_name(matinee, night_home):
    similar = json.loads(matinee("similar", "Jaws", "--format", "json", home=night_home).stdout)
    for row in similar:
        again = matinee("similar", row["title"], "--format", "json", home=night_home)
        assert again.returncode == 0, again.stderr


def test_an_unknown_member_is_refused_with_example_ids(matinee, night_home):
    done = matinee("recommend", "nobody", home=night_home)
    assert done.returncode == 2
    assert "has no slate for member 'nobody': the ids of its " in done.stderr
    assert " members look like m-000001, m-000002, m-000003, ..." in done.stderr


def test_a_flipped_byte_is_refused_by_name_with_exit_code_5(matinee, night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "copy")
    assert matinee("releases", "verify", home=home).returncode == 0
    slates = next(home.glob("releases/2*/slates/part-0000.parquet"))
    damaged = bytearray(slates.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    slates.write_bytes(damaged)
    done = matinee("releases", "verify", home=home)
    assert done.returncode == 5
    assert "slates/part-0000.parquet" in done.stderr


def test_the_screen_of_a_release_shows_the_gate_three_members_the_rows_and_what_to_try(
    matinee, night_home
):
    screen = matinee("releases", "show", home=night_home).stdout
    for part in ("Gate", "popularity", "is shown", "received", "report.html", "Try next"):
        assert part in screen
    assert len(screen.splitlines()) <= 40
    full = matinee("releases", "show", "--full", home=night_home).stdout
    assert "PASS  non_finite_scores  0 of " in full
    printed = json.loads(matinee("releases", "show", "--format", "json", home=night_home).stdout)
    rules = printed["gate"]["rules"]
    assert all({"rule", "passed", "observed", "threshold", "text"} <= rule.keys() for rule in rules)


def test_doctor_prints_the_state_of_the_home(matinee, night_home):
    printed = json.loads(matinee("doctor", "--format", "json", home=night_home).stdout)
    assert printed["home_is_writable"] is True
    assert printed["live"]
    assert printed["duckdb"]


def test_releases_are_listed_newest_first(matinee, night_home):
    listed = json.loads(matinee("releases", "list", "--format", "json", home=night_home).stdout)
    assert [row["alias"] for row in listed] == ["live"]
    assert listed[0]["gate"] == "passed"


def test_an_erasure_of_an_unknown_member_is_refused_and_changes_nothing(matinee, night_home):
    done = matinee("forget", "m-999999", home=night_home)
    assert done.returncode == 2
    assert "no data about member 'm-999999'" in done.stderr
    assert not (night_home / "privacy/forgetting.json").exists()


def test_a_consent_without_a_choice_is_refused_and_lands_nothing(matinee, tmp_path):
    done = matinee("consent", "m-1")
    assert done.returncode == 2
    assert "give the member's choice: --grant or --refuse" in done.stderr
    assert not (tmp_path / "home/landing").exists()


def test_a_pushed_release_is_listed_verified_and_shown_elsewhere(matinee, night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "home")
    url = f"file://{tmp_path / 'share'}"
    pushed = json.loads(matinee("releases", "push", url, "--format", "json", home=home).stdout)
    live = pushed["live"]
    assert pushed["sent"] == [live]

    server = tmp_path / "server"
    (server / "keys").mkdir(parents=True)
    for key in [*(home / "keys").glob("*.pub"), home / "keys/privacy.key"]:
        shutil.copy(key, server / "keys")
    verified = matinee("releases", "verify", "live", "--store", url, home=server)
    assert verified.returncode == 0
    assert live in verified.stdout
    assert live in matinee("releases", "list", "--store", url, home=server).stdout
    assert matinee("releases", "pull", url, home=server).returncode == 0
    assert json.loads(matinee("releases", "show", "--format", "json", home=server).stdout)

    manifest = next((tmp_path / "share/releases").glob("*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes().replace(b"hybrid", b"hybrie", 1))
    for command in (["verify", "live", "--store", url], ["list", "--store", url]):
        done = matinee("releases", *command, home=server)
        assert done.returncode == 5
        assert f"{live}/manifest.json is not the one that signature.json signs" in done.stderr


def test_an_unreachable_store_is_one_line_and_exit_code_6(matinee, tmp_path):
    (tmp_path / "share").write_text("a file where a folder should be")
    done = matinee("releases", "pull", f"file://{tmp_path}/share/x")
    assert done.returncode == 6
    assert "could not be reached, read or written" in done.stderr
    assert "live is unchanged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
