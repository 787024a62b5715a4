"""The README and docs match the commands and settings."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from matinee.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BIN = Path(sys.executable).parent


def commands() -> list[str]:
    """Every command of the command line, as it is typed."""
    from matinee.cli import app

    def walk(group, prefix):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, f"{prefix} {name}")
            else:
                yield f"{prefix} {name}"

    return sorted(walk(typer.main.get_command(app), "matinee"))


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme_or_in_docs(command):
    texts = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    assert any(command in text for text in texts)


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_that_ends_in_an_example(command):
    from typer.testing import CliRunner

    from matinee.cli import app

    result = CliRunner().invoke(app, [*command.split()[1:], "--help"])
    assert result.exit_code == 0
    assert f"Example: {command}" in " ".join(result.output.split())


@pytest.mark.parametrize("command", commands())
def test_help_shows_every_word_that_was_written(command):
    from typer.testing import CliRunner

    from matinee.cli import app

    found = typer.main.get_command(app)
    for word in command.split()[1:]:
        found = found.commands[word]
    result = CliRunner().invoke(app, [*command.split()[1:], "--help"])
    assert " ".join(found.help.split()) in " ".join(result.output.split())


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme_with_its_default(name):
    default = "this checkout" if name == "project" else f"`{Settings.model_fields[name].default}`"
    assert f"| `MATINEE_{name.upper()}` | {default} |" in README


def test_the_readmes_look_at_a_release_works_as_it_stands(night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "home")
    block = README.partition("## Look at a release")[2].partition("```console")[2]
    typed = re.findall(r"^\$ (.+)$", block.partition("```")[0], re.M)
    assert len(typed) >= 5
    for line in typed:
        done = subprocess.run(
            ["bash", "-c", line],
            env=os.environ | {"MATINEE_HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout.strip(), line


def test_the_readmes_own_logs_become_a_release(tmp_path, night, monkeypatch):
    code = README.partition("## Bring your own logs")[2].partition("```python\n")[2]
    monkeypatch.chdir(tmp_path)
    exec(code.partition("```")[0], {})  # noqa: S102
    published = night(tmp_path / "mine")
    assert not published.refusals


def test_no_file_of_the_project_names_a_registry_or_a_machine():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if name.endswith(".lock"):
            assert "://" not in text, name
        assert str(ROOT) not in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_a_gap_left_to_fill(page):
    gaps = r"^[A-Z-]{4,}$|\bTODO|\bTBD|\| [A-Z]{5,} \||<!-- figures: \S+ -->\s*<!-- end -->"
    assert not re.findall(gaps, page.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_is_longer_than_120_characters(page):
    """Without code blocks, and without tables, which have one line a row."""
    prose = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    lines = [line for line in prose.splitlines() if not line.lstrip().startswith("|")]
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """To a file there is, and to a heading in it, by the name that GitHub gives headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            names = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in names, target
