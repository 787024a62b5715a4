"""Worlds at the edge of what a night is for: a release that verifies, or one refusal."""

import json
import re
from datetime import date

import pytest

from matinee import pipeline
from matinee.cli import nights
from matinee.cli.output import Format
from matinee.errors import GateError, MatineeError
from matinee.settings import Settings
from tests.conftest import run_night

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 1)
GENRES = ("Drama", "Comedy", "Western")


def land(home, stream, day, rows):
    folder = home / "landing" / stream / f"dt={day}"
    folder.mkdir(parents=True)
    (folder / "export.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def titles(names, first=0):
    return [
        {"title_id": f"t{n}", "name": f"Film {n}", "title_kind": "movie", "genres": [GENRES[n % 3]]}
        for n in range(first, first + names)
    ]


def ratings(members, names):
    return [
        {
            "event_id": f"e{m}-{t}",
            "event_at": f"2026-03-01T{t % 24:02}:00:00Z",
            "received_at": f"2026-03-01T{t % 24:02}:00:05Z",
            "member_id": f"m{m}",
            "title_id": f"t{t}",
            "rating_kind": "stars",
            "value": 9 if t % 3 == m % 3 else 3,
        }
        for m in range(members)
        for t in range(names)
        if (m * 7 + t * 5) % 4 == 0
    ]


def test_a_single_member_gets_a_slate_in_a_candidate_that_verifies(tmp_path, capsys):
    land(tmp_path, "titles", "2026-03-01", titles(60))
    land(tmp_path, "ratings", "2026-03-01", ratings(1, 60))
    with pytest.raises(GateError, match="the releases of 2026-03-01 are refused: live is none of"):
        nights.backfill(Settings(home=tmp_path), DAY, DAY, full_refresh=False, form=Format.table)
    said = r"is refused: .*shown alike.*\. Live is untouched\. Look at .*--override RULE --by WHO"
    assert re.search(said, capsys.readouterr().err)
    store = pipeline.store(Settings(home=tmp_path))
    store.verify("candidate")
    assert store.open("candidate").slate("m0").num_rows == 45  # of 60, 15 are rated


def test_a_catalogue_that_is_all_new_is_shown_though_nobody_has_met_any_of_it(tmp_path):
    land(tmp_path, "titles", "2026-03-01", titles(30))
    land(tmp_path, "ratings", "2026-03-01", ratings(20, 30))
    land(tmp_path, "titles", "2026-03-02", titles(30, first=30))
    published = run_night(tmp_path)
    store = pipeline.store(Settings(home=tmp_path))
    store.verify(published.release_id)
    shown = store.open(published.release_id).slate("m0")["title_id"].to_pylist()
    assert sorted(shown) == sorted(f"t{n}" for n in range(30, 60))


def test_an_empty_catalogue_is_refused_by_name(tmp_path):
    land(tmp_path, "titles", "2026-03-01", [])
    land(tmp_path, "ratings", "2026-03-01", ratings(5, 10))
    with pytest.raises(
        MatineeError, match=r"no file of titles was ever received .* is empty"
    ) as refused:
        run_night(tmp_path)
    assert 2 <= refused.value.exit_code <= 6
    assert pipeline.live_id(Settings(home=tmp_path)) is None


def test_a_day_on_which_nothing_landed_is_a_night_like_any_other(tmp_path):
    land(tmp_path, "titles", "2026-03-01", titles(60))
    land(tmp_path, "ratings", "2026-03-01", ratings(40, 60))
    published = run_night(tmp_path, last_day=date(2026, 3, 2))
    assert published.refusals == ()
    store = pipeline.store(Settings(home=tmp_path))
    store.verify("live")
    assert store.open("live").manifest["as_of"].startswith("2026-03-03")
