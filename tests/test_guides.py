"""The guides are true: their snippets run on a finished night, one after the other."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
SCRIPT = ROOT / "examples/train_on_features.py"
BIN = Path(sys.executable).parent

NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\n *```")
"""A block that no test runs says why in a comment above it."""

BLOCK = re.compile(r"^( *)```(python|console)\n(.*?)^\1```", re.M | re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block that can be run, in order; lists may indent them."""
    text = NOT_RUN.sub("```not-run-", page.read_text(encoding="utf-8"))
    return [(language, dedent(block)) for _, language, block in BLOCK.findall(text)]


@pytest.fixture(scope="module")
def environment(night_home, tmp_path_factory):
    """The variables of a shell in which `source .venv/bin/activate` was typed."""
    folder = tmp_path_factory.mktemp("guides")
    home = shutil.copytree(night_home, folder / "home")
    return os.environ | {
        "MATINEE_HOME": str(home),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_snippet_of_a_guide_runs(page, environment):
    code = "\n".join(text for language, text in blocks(page) if language == "python")
    steps = [[sys.executable, "-c", code]] if code else []
    for language, text in blocks(page):
        if language == "console":
            steps += [["bash", "-c", line[2:]] for line in text.splitlines() if line[:2] == "$ "]
    assert steps, f"{page.name} has nothing to run"
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{step[-1]}\n{done.stdout}{done.stderr}"


def test_the_notebook_has_the_cells_of_the_script():
    parts = re.split(r"^# %%", SCRIPT.read_text(encoding="utf-8"), flags=re.M)[1:]
    cells = json.loads(SCRIPT.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    assert len(cells) == len(parts)
    for part, cell in zip(parts, cells, strict=True):
        head, _, body = part.partition("\n")
        if cell["cell_type"] == "markdown":
            assert "[markdown]" in head
            body = re.sub(r"^# ?", "", body, flags=re.M)
        assert "".join(cell["source"]) == body.strip("\n")


def test_the_notebook_runs_from_top_to_bottom(environment):
    cells = json.loads(SCRIPT.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "AUC on 250 later choices" in done.stdout
