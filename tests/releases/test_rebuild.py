"""A rebuild from the inputs in the manifest gives the same content."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from matinee import releases
from matinee.errors import DataError, IntegrityError, RefusedError
from matinee.operations.rebuild import (
    RebuildResult,
    _previous,
    _withdrawn_since,
    collect_inputs,
    rebuild,
)
from matinee.pipeline import record_choice
from matinee.releases import stages
from matinee.settings import Settings
from tests.conftest import silent

MATINEE = str(Path(sys.executable).with_name("matinee"))


def landed(home, name="plays/dt=2026-01-01/a.jsonl", text="{}\n"):
    path = home / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_landing_files_are_collected_and_checked_against_their_hashes(tmp_path):
    inputs = [landed(tmp_path / "home")]
    landed(tmp_path / "home", "plays/dt=2026-01-02/later.jsonl")
    collect_inputs(tmp_path / "home", tmp_path / "clean", inputs)
    (only,) = [path for path in (tmp_path / "clean").rglob("*") if path.is_file()]
    assert only.read_text() == "{}\n"


def test_a_missing_landing_file_is_named(tmp_path):
    inputs = [landed(tmp_path)]
    (tmp_path / "landing" / inputs[0]["file"]).unlink()
    with pytest.raises(
        IntegrityError, match=r"plays/dt=2026-01-01/a\.jsonl is missing, which is an input"
    ):
        collect_inputs(tmp_path, tmp_path / "clean", inputs)


def test_a_changed_landing_file_is_named(tmp_path):
    inputs = [landed(tmp_path)]
    landed(tmp_path, text="{ }\n")
    message = r"a\.jsonl has sha256 \w{12} and had \w{12} when the release was built: rest"
    with pytest.raises(IntegrityError, match=message):
        collect_inputs(tmp_path, tmp_path / "clean", inputs)


def manifest(**more):
    files = {
        "model/titles.npy": "m1",
        "slates/part-0000.parquet": "s1",
        "insights/genre_trends_daily.parquet": "i1",
        "card.md": None,
    } | more.pop("files", {})
    sections = {
        "inputs": [{"file": "a", "rows": 2, "rejected": 0}],
        "received": [{"stream": "plays", "received": 2}],
        "stages": {"features": {"member_tastes": "t1"}, "frames": {"published/signals": "f1"}},
    }
    records = [{"file": name, "content_sha256": sha} for name, sha in files.items()]
    return sections | more | {"files": records}


@pytest.mark.parametrize(
    ("after", "stage", "name"),
    [
        ({"inputs": [{"file": "a", "rows": 3, "rejected": 0}]}, "received rows", "a"),
        ({"received": [{"stream": "plays", "received": 3}]}, "received rows", "all plays"),
        ({"stages": {"features": {"member_tastes": "t2"}}}, "warehouse", "member_tastes"),
        ({"files": {"insights/genre_trends_daily.parquet": "i2"}}, "warehouse", "insights/genre"),
        ({"files": {"model/titles.npy": "m2", "slates/part-0000.parquet": "s2"}}, "model", "model"),
        ({"files": {"slates/part-0000.parquet": "s2"}}, "slates", "slates/part-0000.parquet"),
        ({"files": {"slates/part-0001.parquet": "s2"}}, "slates", "slates/part-0001.parquet"),
    ],
)
def test_the_first_stage_that_differs_is_named(after, stage, name):
    first = stages.stage_differences(manifest(), manifest(**after))[0]
    assert first.stage == stage
    assert first.name.startswith(name)


def test_pages_and_equal_manifests_give_no_differences():
    assert not stages.stage_differences(manifest(), manifest(files={"card.md": None}))


def test_frames_come_after_features_and_before_the_model():
    after = manifest(
        stages={"features": {"member_tastes": "t1"}, "frames": {"published/signals": "f2"}},
        files={"model/titles.npy": "m2"},
    )
    differing = [one.stage for one in stages.stage_differences(manifest(), after)]
    assert differing == ["frames", "model"]


def test_a_rebuild_that_differs_is_refused_with_the_stage_and_possible_causes():
    difference = stages.StageDifference("frames", "published/signals.parquet", "f1", "f2")
    rebuilt = RebuildResult("R1", "R2", "d1", "d2", ("numpy was 1, is 2",), [difference])
    where = r"frames: published/signals\.parquet \(numpy was 1, is 2\)"
    message = f"R1 first differs in {where}: find the cause before you trust it"
    with pytest.raises(IntegrityError, match=message):
        rebuilt.raise_if_different()
    RebuildResult("R1", "R2", "d1", "d1", ()).raise_if_different()


@pytest.mark.attack
def test_a_rebuilt_night_gives_the_same_content_and_opens_no_external_socket(second_home, tmp_path):
    """A second night, which kept the weights of the first; that a full one gives the same again is
    in tests/night/test_night.py. It runs in its own process, in which external connections are
    refused and logged.

    The control is the guard's own attempt: it is refused and logged.
    """
    attempts = tmp_path / "attempts"
    guard = Path(__file__).parents[1] / "guards"
    off = ("DO_NOT_TRACK", "DBT_", "PREFECT_", "GX_", "FEAST_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(off)}
    done = subprocess.run(
        [MATINEE, "releases", "rebuild", "live", "--format", "json"],
        env=clean
        | {"MATINEE_HOME": str(second_home), "PYTHONPATH": str(guard), "ATTEMPTS": str(attempts)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["is_same"]
    assert printed["partings"] == []
    assert printed["rebuilt_digest"] == printed["content_digest"]
    assert not (second_home / "work/rebuild").exists()
    lines = attempts.read_text().splitlines()
    assert [line for line in lines if "control.invalid" in line]
    assert [line for line in lines if "control.invalid" not in line] == []


def test_a_release_whose_weights_came_from_one_that_is_gone_is_not_rebuilt(second_home, tmp_path):
    home = shutil.copytree(second_home, tmp_path / "home")
    store = releases.Store.of(home)
    live, first = store.open("live"), store.open("previous")
    assert live.manifest["evaluation"]["previous"] == first.id
    assert _previous(store, live).id == first.id
    assert _previous(store, first) is None
    shutil.rmtree(first.path)
    message = (
        rf"{live.id} kept the weights of {first.id}, which is not in .*: pull it from a mirror or a"
        r" backup; `matinee run --as-of 2026-01-31 --full-evaluation` makes a release of that day"
    )
    with pytest.raises(DataError, match=message):
        rebuild(Settings(home=home), live.id, progress=silent)


def test_a_release_is_not_rebuilt_when_an_input_file_changed(night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "home")
    entry = releases.Store.of(home).open("live").manifest["inputs"][0]
    path = home / "landing" / entry["file"]
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=entry["file"]):
        rebuild(Settings(home=home), "live", progress=silent)


def test_a_gate_that_stops_only_the_rebuild_has_its_own_message(night_home, tmp_path, monkeypatch):
    def stopped(*arguments, **more):
        raise RefusedError("plays: too few rows")

    monkeypatch.setattr(sys.modules["matinee.operations.rebuild"], "run", stopped)
    home = shutil.copytree(night_home, tmp_path / "home")
    message = r"the rebuild of \S+ was stopped, but its night was not: plays: too few rows"
    with pytest.raises(IntegrityError, match=message):
        rebuild(Settings(home=home), "live", progress=silent)


def test_a_release_is_not_rebuilt_with_members_who_refused_since(night_home, tmp_path):
    settings = Settings(home=shutil.copytree(night_home, tmp_path / "home"))
    live = releases.Store.of(settings.home).open("live")
    trained = pq.read_table(live.path / "vocabulary/members.parquet")["member_id"].to_pylist()
    others = {row for part in live.slates() for row in part["member_id"].to_pylist()}
    without_consent = min(others - set(trained))

    for member, purpose in ((without_consent, "personalisation"), (trained[0], "marketing")):
        record_choice(settings, member, purpose, granted=False)
    assert not _withdrawn_since(settings, live)  # no effect on the inputs of the release

    record_choice(settings, trained[0], "personalisation", granted=False)
    record_choice(settings, trained[1], "insights", granted=False)
    message = (
        rf"2 members of {live.id} have refused since, .* `matinee run --as-of "
        rf"{live.manifest['as_of'][:8]}\d\d` makes a release of that day without them"
    )
    with pytest.raises(DataError, match=message):
        rebuild(settings, "live", progress=silent)
    assert not (settings.home / "work/rebuild").exists()

    record_choice(settings, trained[0], "personalisation", granted=True)
    record_choice(settings, trained[1], "insights", granted=True)
    assert not _withdrawn_since(settings, live)


def test_a_reissued_release_is_not_rebuilt(store):
    from tests.releases.samples import fields, fill

    with store.draft() as draft:
        fill(draft.path)
        manifest_fields = fields(supersedes="20260101T000000Z-000000000000", reason="erasure")
        release = store.publish(draft, manifest_fields)
    home = store.root.parent
    message = r"reissued from 20260101T.* \(erasure\): .*erased, .*`matinee run --as-of 2026-01-01`"
    with pytest.raises(DataError, match=message):
        rebuild(Settings(home=home), release.id, progress=silent)
