"""Pages are drawn from the release alone: again, after a reissue, and of releases of early days."""

import json
import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest

from matinee import releases, report
from matinee.night import manifest, validate
from matinee.releases import reissue
from matinee.rights.reissue import ReissueWithNewPages
from matinee.settings import Settings
from tests.report.samples import earlier, nights

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
AT = datetime(2026, 2, 1, tzinfo=UTC)
OLD = [path.name for path in sorted(GOLDEN.glob("*_*")) if path.is_dir()]

DRAW = """
import json, sys
from pathlib import Path
from matinee import report
folder = Path(sys.argv[1])
json.dump(report.draw(folder, json.loads((folder / "manifest.json").read_bytes())), sys.stdout)
"""


def golden(name):
    (release,) = releases.Store(GOLDEN / name / "releases", keys=GOLDEN / name / "keys").list()
    return release


def drawn(release):
    return report.draw(release.path, release.manifest)


class WithHistory(ReissueWithNewPages):
    """A release as it would be if others had been published before it."""

    def _fields(self, release, at):
        history = {"releases": earlier(), "validation": nights()}
        return {**super()._fields(release, at), "history": history}


def again(home, release, fill, at):
    store = releases.Store.of(home)
    done = reissue.reissue(store, release, fill, at=at, by="test", why="withdrawal")
    return store.open(done.after)


@pytest.mark.parametrize("name", OLD)
def test_an_old_release_is_drawn_alike_by_two_processes(name):
    release = golden(name)
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(release.path)],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == drawn(release)
    assert all(release.id in text for text in drawn(release).values())


def test_a_reissue_changes_nothing_on_the_pages_but_the_id(tmp_path):
    store = releases.Store.of(tmp_path)
    old = golden("night_1")
    with store.draft() as draft:
        fields = WithHistory(lambda member: True)(old, draft, AT)
        first = store.publish(draft, {**fields, "created_at": AT})
    pages = drawn(first)
    assert "Metrics over releases" in pages["report.html"]
    assert "✗ stopped 1" in pages["report.html"]
    second = again(
        tmp_path, first, ReissueWithNewPages(lambda member: True), AT + timedelta(days=1)
    )
    assert second.id != first.id
    for name, text in pages.items():
        written = (second.path / name).read_text(encoding="utf-8")
        assert written == text.replace(first.id, second.id)
        assert written == drawn(second)[name]
        assert second.id in written


def test_the_pages_of_a_night_are_drawn_again_to_the_byte(release):
    for name, text in drawn(release).items():
        assert (release.path / name).read_text(encoding="utf-8") == text


def night_after(home, release, days):
    """As much of a night as its history asks for."""
    as_of = datetime.fromisoformat(release.manifest["as_of"]) + timedelta(days=days)
    return SimpleNamespace(settings=Settings(home=home), as_of=as_of)


def test_the_history_of_a_night_is_of_releases_before_it_and_of_stopped_nights(tmp_path):
    old = golden("night_1")
    home = tmp_path
    (home / "releases").symlink_to(GOLDEN / "night_1/releases")
    (home / "reports").mkdir()
    failed = {"table": "plays", "success": False, "severity": "stopped"}
    stopped = {
        "as_of": old.manifest["as_of"],
        "created_at": "2026-12-01T00:00:00Z",
        "results": [failed],
    }
    (home / "reports/stopped-2026-01-14.json").write_text(json.dumps(stopped))
    later = night_after(home, old, days=1)
    (numbers,) = manifest.release_history(later)
    assert numbers == report.numbers(old.manifest)
    assert numbers["metrics"]["ndcg@10"]["mean"] == pytest.approx(0.17852132444809024)
    first, second = validate.history(later)
    assert first["tables"]["slates"].keys() == {"passed"}
    assert second["tables"] == {"plays": {"stopped": 1}}
    same_day = night_after(home, old, days=0)
    assert manifest.release_history(same_day) == []
    assert len(validate.history(same_day)) == 2
    assert validate.history(night_after(home, old, days=-1)) == []


def test_the_wheel_holds_every_template():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = package["package-data"]["matinee"]
    templates = [path for path in (ROOT / "matinee/report/templates").rglob("*") if path.is_file()]
    assert len(templates) > 20
    for path in templates:
        name = path.relative_to(ROOT / "matinee")
        assert any(
            fnmatch(name.name, Path(pattern).name) and name.parent == Path(pattern).parent
            for pattern in patterns
        ), name
