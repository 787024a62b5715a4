import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from matinee import features
from matinee.errors import ConfigError
from matinee.features.registry import digest

PROJECT = Path(__file__).resolve().parents[2]

SERVICES = (
    "churn_v1",
    "homepage_v1",
    "hybrid_ranker_v1",
    "hybrid_ranker_v2",
    "member_title_v1",
    "member_v1",
    "title_v1",
)


def test_every_file_of_the_repo_is_registered(where):
    registered = features.apply(**where)
    supporting = {"entities", "services", "sources"}
    files = {path.stem for path in (PROJECT / "feature_repo").glob("*.py")} - supporting
    assert set(registered.views) == files
    assert registered.services == SERVICES


def test_the_registry_digest_is_of_content_so_two_homes_agree(where, tmp_path):
    elsewhere = features.apply(home=tmp_path / "other", project=PROJECT)
    assert elsewhere == features.apply(**where)


def test_the_digest_does_not_depend_on_the_order_of_names():
    assert digest({"views": {"a": 1, "b": 2}}) == digest({"views": {"b": 2, "a": 1}})


def test_a_new_field_changes_the_digest_and_a_deleted_view_leaves(where, tmp_path):
    before = features.apply(**where)
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "feature_repo", project / "feature_repo")
    services = project / "feature_repo" / "services.py"
    lines = services.read_text().splitlines(keepends=True)
    services.write_text("".join(line for line in lines if "member_dayparts" not in line))
    (project / "feature_repo" / "member_dayparts.py").unlink()

    after = features.apply(home=where["home"], project=project)
    assert after.sha256 != before.sha256
    assert set(before.views) - set(after.views) == {"member_dayparts"}
    assert features.apply(**where) == before


def test_the_environment_is_left_as_it_was(where, tmp_path, monkeypatch):
    monkeypatch.delenv("MATINEE_HOME")
    features.apply(home=tmp_path / "other", project=PROJECT)
    assert "entities" not in sys.modules
    assert str(PROJECT / "feature_repo") not in sys.path


def test_a_project_without_a_feature_repo_is_refused(home, tmp_path):
    with pytest.raises(ConfigError, match=r"no .*feature_store.yaml: point MATINEE_PROJECT"):
        features.apply(home=home, project=tmp_path)


def test_the_repo_works_by_hand_on_the_same_store(where, monkeypatch):
    monkeypatch.setenv("MATINEE_HOME", str(where["home"]))
    feast = Path(sys.executable).with_name("feast")
    command = [feast, "-c", PROJECT / "feature_repo", "apply"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "No changes to registry" in process.stdout
    assert features.apply(**where).services == SERVICES


@pytest.mark.attack
def test_processes_that_apply_at_once_lose_nothing(home):
    """Feast's file registry lost 5 of 16 applies; the SQL one must lose none."""
    script = (
        "from pathlib import Path; from matinee import features; "
        f"print(features.apply(home=Path({str(home)!r}), project=Path({str(PROJECT)!r})))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = {run.communicate(timeout=120)[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert outputs == {f"{features.apply(home=home, project=PROJECT)}\n"}


def test_a_project_that_is_no_checkout_is_named(tmp_path):
    message = r"no .*feature_store\.yaml: point MATINEE_PROJECT at a checkout of matinee"
    with pytest.raises(ConfigError, match=message):
        features.apply(home=tmp_path / "home", project=tmp_path)
