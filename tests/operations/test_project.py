"""`matinee init` and `matinee upgrade`: a project of one's own, and changes of its template."""

import ast
from pathlib import Path

import pytest

from matinee import pipeline
from matinee.errors import ConfigError
from matinee.operations import project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A project made from a small template, which is then changed."""
    template = tmp_path / "template"
    for name in ("dbt_project/a.sql", "dbt_project/b.sql", "flows/c.py", "prefect.yaml"):
        (template / name).parent.mkdir(parents=True, exist_ok=True)
        (template / name).write_text(f"{name} 1")
    monkeypatch.setattr(project, "template", lambda: template)
    folder = pipeline.init(tmp_path / "own")
    (folder / "dbt_project/b.sql").write_text("mine")
    (folder / "flows/mine.py").write_text("mine")
    for name in ("dbt_project/a.sql", "dbt_project/b.sql", "dbt_project/new.sql"):
        (template / name).write_text(f"{name} 2")
    (template / "flows/c.py").unlink()
    return folder


EXPECTED = [
    ("dbt_project/a.sql", "updated"),
    ("dbt_project/b.sql", "conflict"),
    ("dbt_project/new.sql", "added"),
    ("flows/c.py", "removed upstream"),
]


def listed(folder, *, write=False):
    return [(one.file, one.action) for one in pipeline.upgrade(folder, write=write)]


def test_an_upgrade_without_write_changes_nothing(own):
    assert listed(own) == EXPECTED
    assert listed(own) == EXPECTED
    assert (own / "dbt_project/a.sql").read_text() == "dbt_project/a.sql 1"


def test_an_upgrade_updates_what_was_not_edited_and_leaves_what_was(own):
    assert listed(own, write=True) == EXPECTED
    assert (own / "dbt_project/a.sql").read_text() == "dbt_project/a.sql 2"
    assert (own / "dbt_project/b.sql").read_text() == "mine"
    assert (own / "dbt_project/b.sql.new").read_text() == "dbt_project/b.sql 2"
    assert (own / "flows/c.py").exists()
    assert (own / "flows/mine.py").read_text() == "mine"
    assert listed(own) == []


def test_a_folder_with_files_or_without_a_template_is_refused(own, tmp_path):
    with pytest.raises(ConfigError, match="is not empty: name a new folder"):
        pipeline.init(own)
    with pytest.raises(ConfigError, match="is no project of `matinee init`"):
        pipeline.upgrade(tmp_path, write=False)


def test_a_project_has_all_that_a_night_reads_and_its_settings(tmp_path):
    folder = pipeline.init(tmp_path / "own")
    for name in ("dbt_project/dbt_project.yml", "feature_repo/services.py", "flows/nightly.py"):
        assert (folder / name).read_bytes() == (ROOT / name).read_bytes()
    assert f"MATINEE_PROJECT={folder}" in (folder / "matinee.env").read_text()
    assert pipeline.upgrade(folder, write=False) == []


def test_the_wheel_has_the_same_folders():
    tree = ast.parse((ROOT / "setup.py").read_text())
    (names,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "TEMPLATE"
    ]
    assert set(names) == set(project.NAMES)
