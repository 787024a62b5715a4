"""The screen of a release fits a terminal, and always shows what did not pass."""

import json
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from matinee.cli import screen
from matinee.cli.output import Format
from matinee.rights import consent
from matinee.settings import Settings

OLD_NIGHT = Path(__file__).parents[1] / "golden/night_1"

FAILED = {
    "rule": "exposure_by_country",
    "passed": False,
    "status": "FAIL",
    "text": "exposure_share by title country  US 9.9 % of top-10 slots, 75.6 % of plays  limit 30 %"
    " of its share",
}
WARNED = {
    "rule": "gap_by_plan",
    "passed": True,
    "status": "WARN",
    "text": "ndcg_gap@10 by member plan  premium +0.0749 [-0.0577, +0.1572]  limit +0.0682  47"
    " members evaluated",
}


@pytest.fixture
def screen_of(tmp_path, capsys):
    """A function that changes the manifest of an old release and returns its screen as lines."""
    home = shutil.copytree(OLD_NIGHT, tmp_path / "home")
    consent.refresh(Settings(home=home))
    (folder,) = (home / "releases").glob("2*")

    def print_screen(change=None, *, form=Format.table, full=False):
        manifest = json.loads((folder / "manifest.json").read_text())
        if change:
            change(manifest)
            (folder / "manifest.json").write_text(json.dumps(manifest))
        screen.show(Settings(home=home), folder.name, form, full=full)
        return capsys.readouterr().out.splitlines()

    return print_screen


def fits(lines):
    links = ("Look at", "Try next", " " * 10)  # paths and commands are never cut
    widths = [cell_len(line) for line in lines if not line.startswith(links)]
    return len(lines) <= screen.LINES and max(widths) <= screen.WIDTH


def test_the_short_screen_has_gate_headlines_three_slates_rows_and_commands(screen_of):
    lines = screen_of()
    assert fits(lines)
    text = "\n".join(lines)
    assert "Gate  PASS  12 rules: 12 PASS" in text
    metrics = [line.split()[0] for line in lines if "@10 " in line]
    assert metrics == ["ndcg@10", "recall@10", "calibration_kl@10", "coverage@10", "ndcg@10"]
    assert text.count(" is shown (") == 3
    assert "Rows      5,232 received, 5,219 accepted, 8 duplicates, 5 rejected" in text
    assert "report.html" in text
    assert "matinee recommend m-000047" in text
    assert "--full" in text


def test_lines_that_did_not_pass_are_on_the_short_screen(screen_of):
    def change(manifest):
        manifest["gate"]["rules"] += [WARNED, FAILED]
        manifest["gate"]["overrides"] = [{"rule": FAILED["rule"], "by": "ada", "why": "a test"}]

    lines = screen_of(change)
    assert fits(lines)
    assert "Gate  FAIL  14 rules: 12 PASS, 1 WARN, 1 FAIL" in lines
    assert f"  WARN  {WARNED['text']}" in lines
    assert f"  FAIL  {FAILED['text']}" in lines
    assert "  override  exposure_by_country by ada: a test" in lines
    assert any("--override exposure_by_country --by WHO --why TEXT" in line for line in lines)
    assert not any(line.startswith("  PASS") for line in lines)


def test_the_short_screen_fits_with_many_failures_and_long_wide_warnings(screen_of):
    def change(manifest):
        rules = manifest["gate"]["rules"]
        rules[:] = [{**FAILED, "text": f"{rule['rule']}  {'長' * 99}"} for rule in rules]
        manifest["warnings"] = [f"landing file {number}: " + "x" * 200 for number in range(9)]
        manifest["set_aside"] = [{"file": "plays/a.csv", "reason": "長" * 200}]

    lines = screen_of(change)
    assert fits(lines)
    failed = [line for line in lines if line.startswith("  FAIL")]
    assert len(failed) == 12
    assert all(line.endswith("…") for line in failed)
    assert any("7 more warnings" in line for line in lines)


def test_the_full_screen_has_every_rule_stream_and_warning(screen_of):
    warnings = [f"landing file {number} is late" for number in range(9)]
    lines = screen_of(lambda manifest: manifest.update(warnings=warnings), full=True)
    assert sum(line.startswith("  PASS") for line in lines) == 12
    assert sum("is late" in line for line in lines) == 9
    assert any(line.split()[:2] == ["subscriptions", "136"] for line in lines)


def test_the_full_screen_can_be_read_in_80_columns(screen_of, monkeypatch):
    monkeypatch.setattr(screen, "stdout", lambda **_: Console(width=80))
    lines = screen_of(lambda manifest: manifest["gate"]["rules"].append(FAILED), full=True)
    paths = ("Look at", "Try next", " " * 10)  # never cut
    assert max(cell_len(line) for line in lines if not line.startswith(paths)) <= 80
    assert "…" not in "".join(lines)
    (first,) = [number for number, line in enumerate(lines) if "FAIL  exposure_share" in line]
    assert " ".join(" ".join(lines[first : first + 2]).split()) == " ".join(
        f"FAIL {FAILED['text']}".split()
    )


@pytest.mark.parametrize("full", [False, True])
def test_text_from_logs_cannot_control_the_terminal_or_style_the_screen(screen_of, full):
    def change(manifest):
        manifest["warnings"] = ["\x1b[2J [bold]landing[/]\nfile"]
        manifest["gate"]["rules"].append({**WARNED, "text": "gap  \u202e[red]premium[/]"})

    text = "\n".join(screen_of(change, full=full))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J [bold]landing[/]\\nfile" in text
    assert "[red]premium[/]" in text


def test_as_json_the_screen_is_the_whole_manifest(screen_of):
    printed = json.loads("\n".join(screen_of(form=Format.json)))
    (folder,) = (OLD_NIGHT / "releases").glob("2*")
    assert printed == json.loads((folder / "manifest.json").read_text())


def test_a_release_without_slates_or_with_few_metrics_still_has_a_screen(screen_of):
    def change(manifest):
        manifest["samples"] = []
        manifest["evaluation"]["metrics"] = []

    lines = screen_of(change)
    assert fits(lines)
    assert "no metrics" in lines


def test_the_reason_of_a_forward_night_is_one_line(screen_of):
    def change(manifest):
        manifest["evaluation"] |= {"is_full": False, "because": "R1 on the days since"}

    lines = screen_of(change)
    assert fits(lines)
    assert "  forward test: R1 on the days since" in lines
