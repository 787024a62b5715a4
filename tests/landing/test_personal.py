"""Histories of people: lines as Netflix, Trakt, Jellyfin and Last.fm export them."""

import json

import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import DataError
from matinee.landing.importers import personal

COLUMNS = (
    "Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,"
    "Bookmark,Latest Bookmark,Country"
)
EPISODE = (
    "Ada,2021-03-01 20:00:00,00:51:02,,Dark: Season 1: Secrets (Episode 1),,"
    "Samsung TV 2018 Smart TV,00:51:02,00:51:02,DE (Germany)"
)
TRAILER = (
    "Ada,2021-03-02 21:10:00,00:00:31,Autoplayed: user action: None; ,Heat,TRAILER,"
    "Chrome PC (Cadmium),00:00:31,00:00:31,DE (Germany)"
)
NO_DURATION = "Ben,2021-03-02 22:00:00,oops,,Heat,,,,,DE (Germany)"
NETFLIX = "\n".join([COLUMNS, EPISODE, TRAILER, NO_DURATION, ""])
TRAKT = [
    {
        "id": 1982346,
        "watched_at": "2014-03-31T09:28:53.000Z",
        "action": "scrobble",
        "type": "movie",
        "movie": {
            "title": "The Dark Knight",
            "year": 2008,
            "ids": {"trakt": 4, "imdb": "tt0468569"},
        },
    },
    {
        "id": 1982347,
        "watched_at": "2014-04-01T09:28:53.000Z",
        "action": "watch",
        "type": "episode",
        "episode": {"season": 2, "number": 1, "title": "Pawnee Zoo", "ids": {"trakt": 251}},
        "show": {"title": "Parks and Recreation", "year": 2009, "ids": {"trakt": 4}},
    },
    {"watched_at": None},
]
JELLYFIN = (
    "2023-05-01 20:15:30.1234567\tu1\ti1\tEpisode\tDark - s01e01 - Secrets\tDirectPlay"
    "\tJellyfin Web\tFirefox\t2700\n"
    "2023-05-02 20:15:30.1234567\tu1\ti2\tMovie\tHeat\tTranscode\tJellyfin Android\tPixel 6\t600\n"
    "not a line\n"
)
LASTFM = (
    "user_000639\t2009-04-08T01:57:47Z\tMBID\tThe Dogs D'Amour\tMBID\tFall in Love Again?\n"
    "user_000639\t2009-04-08T01:53:56Z\tMBID\tThe Dogs D'Amour\tMBID\tWait Until I'm Dead\n"
)
FILES = {
    "netflix": (NETFLIX, personal.import_netflix),
    "trakt": (json.dumps(TRAKT), personal.import_trakt),
    "jellyfin": (JELLYFIN, personal.import_jellyfin),
    "lastfm": (LASTFM, personal.import_lastfm),
}


def plays(home):
    files = sorted(home.glob("landing/plays/*/*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def imported(name, tmp_path, text=None):
    (tmp_path / "export").write_text(text or FILES[name][0])
    return FILES[name][1](tmp_path / "export", home=tmp_path / "home")


@pytest.mark.parametrize("name", FILES)
def test_an_export_is_received_without_a_rejected_row(name, tmp_path, contract):
    done = imported(name, tmp_path)
    receipt = landing.receive(
        home=tmp_path / "home", contract=contract, threads=1, memory_limit="1GB"
    )
    assert not receipt.set_aside
    assert sum(total.rejected for total in receipt.totals.values()) == 0
    assert receipt.totals["plays"].kept == done.events == 2
    assert done.problem_count == (0 if name == "lastfm" else 1)


def test_an_episode_of_netflix_is_a_play_of_its_series_and_a_trailer_is_marked(tmp_path):
    imported("netflix", tmp_path)
    episode, trailer = plays(tmp_path / "home")
    assert (episode["episode_label"], episode["watched_seconds"]) == (
        "Season 1: Secrets (Episode 1)",
        3062,
    )
    assert (episode["device"], episode["country"], episode["is_trailer"]) == ("tv", "DE", False)
    assert (trailer["device"], trailer["is_trailer"], trailer["is_autoplay"]) == ("web", True, True)


def test_names_of_profiles_do_not_enter_the_logs(tmp_path):
    imported("netflix", tmp_path)
    assert not [one for one in plays(tmp_path / "home") if "Ada" in json.dumps(one, default=str)]
    assert len({one["member_id"] for one in plays(tmp_path / "home")}) == 1


def test_a_show_of_trakt_is_a_title_with_its_year(tmp_path):
    imported("trakt", tmp_path)
    (titles,) = (tmp_path / "home").glob("landing/titles/*/*.parquet")
    table = pq.ParquetFile(titles).read().to_pylist()
    assert {(one["name"], one["title_kind"]) for one in table} == {
        ("The Dark Knight (2008)", "movie"),
        ("Parks and Recreation (2009)", "series"),
    }
    assert [one["episode_label"] for one in plays(tmp_path / "home")] == [None, "S02E01"]


def test_an_export_lands_twice_as_the_same_files(tmp_path):
    first = imported("jellyfin", tmp_path)
    assert imported("jellyfin", tmp_path).files == first.files


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("netflix", "Title,Date\nHeat,1/2/21\n", "request all your data instead"),
        ("trakt", "{}", "it must be a list of plays"),
        ("trakt", "[]", "not one play in .* can be read"),
        ("jellyfin", "x\n", "not one play in .* can be read"),
    ],
)
def test_another_file_is_refused(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message):
        imported(name, tmp_path, text)
