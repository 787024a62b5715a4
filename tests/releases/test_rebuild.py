"""A release is what its manifest says: its night, run again, gives the same content."""

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
from matinee.operations.rebuild import rebuild
from matinee.operations.rebuild import Rebuilt, _refused_since, collect
from matinee.pipeline import choose
from matinee.releases import stages
from matinee.settings import Settings
from tests.conftest import silent

MATINEE = str(Path(sys.executable).with_name("matinee"))


def landed(home, name="plays/dt=2026-01-01/a.jsonl", text="{}\n"):
    path = home / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_landing_files_are_collected_and_held_to_their_hashes(tmp_path):
    wanted = [landed(tmp_path / "home")]
    landed(tmp_path / "home", "plays/dt=2026-01-02/later.jsonl")
    collect(tmp_path / "home", tmp_path / "clean", wanted)
    (only,) = [path for path in (tmp_path / "clean").rglob("*") if path.is_file()]
    assert only.read_text() == "{}\n"


def test_a_missing_landing_file_is_named(tmp_path):
    wanted = [landed(tmp_path)]
    (tmp_path / "landing" / wanted[0]["file"]).unlink()
    with pytest.raises(IntegrityError, match=r"plays/dt=2026-01-01/a\.jsonl is missing: the rel"):
        collect(tmp_path, tmp_path / "clean", wanted)


def test_a_changed_landing_file_is_named(tmp_path):
    wanted = [landed(tmp_path)]
    landed(tmp_path, text="{ }\n")
    said = r"a\.jsonl has sha256 \w{12} and had \w{12} when the release was made: restore it"
    with pytest.raises(IntegrityError, match=said):
        collect(tmp_path, tmp_path / "clean", wanted)


def manifest(**more):
    files = {
        "model/titles.npy": "m1",
        "slates/part-0000.parquet": "s1",
        "insights/genre_trends_daily.parquet": "i1",
        "card.md": None,
    } | more.pop("files", {})
    told = {
        "inputs": [{"file": "a", "rows": 2, "rejected": 0}],
        "received": [{"stream": "plays", "received": 2}],
        "stages": {"features": {"member_tastes": "t1"}, "frames": {"published/signals": "f1"}},
    }
    records = [{"file": name, "content_sha256": sha} for name, sha in files.items()]
    return told | more | {"files": records}


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
    first = stages.partings(manifest(), manifest(**after))[0]
    assert first.stage == stage
    assert first.name.startswith(name)


def test_pages_and_equal_manifests_part_nowhere():
    assert not stages.partings(manifest(), manifest(files={"card.md": None}))


def test_frames_come_after_features_and_before_the_model():
    after = manifest(
        stages={"features": {"member_tastes": "t1"}, "frames": {"published/signals": "f2"}},
        files={"model/titles.npy": "m2"},
    )
    told = [parting.stage for parting in stages.partings(manifest(), after)]
    assert told == ["frames", "model"]


def test_a_rebuild_that_parts_is_refused_and_says_where_and_what_may_explain_it():
    parting = stages.Parting("frames", "published/signals.parquet", "f1", "f2")
    rebuilt = Rebuilt("R1", "R2", "d1", "d2", ("numpy was 1, is 2",), [parting])
    where = r"frames: published/signals\.parquet \(numpy was 1, is 2\)"
    said = f"R1 first differs in {where}: find out why before you trust it"
    with pytest.raises(IntegrityError, match=said):
        rebuilt.raise_if_parted()
    Rebuilt("R1", "R2", "d1", "d1", ()).raise_if_parted()


@pytest.mark.slow
def test_a_night_run_again_gives_the_same_content_and_no_socket_leaves_the_machine(
    night_home, tmp_path
):
    """The whole night in a process of its own, in which each way out is refused and written down.

    The control is the guard's own attempt: it was refused, and it is in the list.
    """
    attempts = tmp_path / "attempts"
    guard = Path(__file__).parents[1] / "guards"
    off = ("DO_NOT_TRACK", "DBT_", "PREFECT_", "GX_", "FEAST_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(off)}
    done = subprocess.run(
        [MATINEE, "releases", "rebuild", "live", "--format", "json"],
        env=clean
        | {"MATINEE_HOME": str(night_home), "PYTHONPATH": str(guard), "ATTEMPTS": str(attempts)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["is_same"]
    assert told["rebuilt_digest"] == told["content_digest"]
    assert not (night_home / "work/rebuild").exists()
    lines = attempts.read_text().splitlines()
    assert [line for line in lines if "control.invalid" in line]
    assert [line for line in lines if "control.invalid" not in line] == []


@pytest.mark.slow
def test_a_release_is_not_rebuilt_when_a_file_it_was_made_from_changed(night_home, tmp_path):
    home = shutil.copytree(night_home, tmp_path / "home")
    entry = releases.Store.of(home).open("live").manifest["inputs"][0]
    path = home / "landing" / entry["file"]
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=entry["file"]):
        rebuild(Settings(home=home), "live", progress=silent)


@pytest.mark.slow
def test_a_gate_that_stops_the_rebuild_alone_is_told_apart_from_a_difference(
    night_home, tmp_path, monkeypatch
):
    def stopped(*arguments, **more):
        raise RefusedError("plays: too few rows")

    monkeypatch.setattr(sys.modules["matinee.operations.rebuild"], "run", stopped)
    home = shutil.copytree(night_home, tmp_path / "home")
    said = r"the rebuild of \S+ was stopped where the night was not: plays: too few rows"
    with pytest.raises(IntegrityError, match=said):
        rebuild(Settings(home=home), "live", progress=silent)


@pytest.mark.slow
def test_a_release_is_not_rebuilt_with_a_member_who_has_refused_since(night_home, tmp_path):
    settings = Settings(home=shutil.copytree(night_home, tmp_path / "home"))
    live = releases.Store.of(settings.home).open("live")
    told = live.manifest
    silenced = pq.read_table(live.path / "vocabulary/members.parquet")["member_id"].to_pylist()
    others = {row for part in live.slates() for row in part["member_id"].to_pylist()}
    without_consent = min(others - set(silenced))

    for member, purpose in ((without_consent, "personalisation"), (silenced[0], "marketing")):
        choose(settings, member, purpose, granted=False)
    assert not _refused_since(settings, live)  # of no consequence to what it was made of

    choose(settings, silenced[0], "personalisation", granted=False)
    choose(settings, silenced[1], "insights", granted=False)
    said = (
        rf"2 members of {live.id} have refused since, .* `matinee run --as-of "
        rf"{told['as_of'][:8]}\d\d` makes a release of that day without them"
    )
    with pytest.raises(DataError, match=said):
        rebuild(settings, "live", progress=silent)
    assert not (settings.home / "work/rebuild").exists()

    choose(settings, silenced[0], "personalisation", granted=True)
    choose(settings, silenced[1], "insights", granted=True)
    assert not _refused_since(settings, live)


def test_a_release_that_no_night_made_is_refused(store):
    from tests.releases.samples import fields, fill

    with store.draft() as draft:
        fill(draft.path)
        told = fields(supersedes="20260101T000000Z-000000000000", reason="erasure")
        release = store.publish(draft, told)
    home = store.root.parent
    said = r"re-issued from 20260101T.* \(erasure\): .*erased, .*`matinee run --as-of 2026-01-01`"
    with pytest.raises(DataError, match=said):
        rebuild(Settings(home=home), release.id, progress=silent)
