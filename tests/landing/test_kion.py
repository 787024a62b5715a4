"""KION becomes plays, titles and members, from files of its documented form."""
# ruff: noqa: RUF001  the set is in Russian

from datetime import date, datetime

import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import DataError

INTERACTIONS = """\
user_id,item_id,last_watch_dt,total_dur,watched_pct
176549,9506,2021-05-11,4250,72.0
699317,1659,2021-05-29,8317,100.0
656683,7107,2021-05-09,10,0.0
864613,7107,2021-07-05,300000,40.0
864613,9506,2021-07-06,1200,
5,1659,2021-03-13,12,100.0
"""

ITEMS_HEADER = (
    "item_id,content_type,title,title_orig,release_year,genres,countries,for_kids,age_rating,"
    "studios,directors,actors,description,keywords\n"
)
ITEMS = ITEMS_HEADER + (
    '9506,film,Холоп,,2019.0,"комедии, драмы, комедии",Россия,,12.0,,Клим Шипенко,'
    '"Милош Бикович, Иван Охлобыстин","Григорий, ""золотая"" молодёжь.\n'
    'Второй абзац, с запятой.","Холоп, 2019, деревня"\n'
    '1659,film,,Crank,2006.0,боевики,"США, Великобритания",,18.0,HBO,,,,\n'
    '7107,series,"Девятаев, ""сериал""",,,,,1.0,,,,,,\n'
)

USERS = """\
user_id,age,income,sex,kids_flg
176549,age_25_34,income_60_90,М,1
699317,age_65_inf,income_20_40,Ж,0
656683,,,,0
77,age_18_24,income_0_20,Ж,0
"""

FILES = {"interactions.csv": INTERACTIONS, "items.csv": ITEMS, "users.csv": USERS}


@pytest.fixture
def read(tmp_path, home):
    """Import files as they are given; None leaves one out."""

    def read(**changes):
        folder = tmp_path / "set"
        folder.mkdir()
        for name, content in (FILES | changes).items():
            if content is not None:
                (folder / name).write_text(content, encoding="utf-8")
        return landing.import_kion(folder, home=home)

    return read


def landed(home, stream, day):
    return pq.read_table(home / f"landing/{stream}/dt={day}/kion.parquet").to_pylist()


def test_kion_is_landed_and_received_whole(read, home, contract):
    imported = read()
    assert imported.summary() == (
        "kion: 6 plays of 3 titles by 6 members, 2021-03-13 to 2021-07-06;"
        " 0 lines could not be read"
    )
    receipt = landing.receive(home=home, contract=contract, threads=1, memory_limit="1GB")
    assert receipt.rules == {"members": {}, "plays": {}, "titles": {}}
    assert (receipt.warnings, receipt.set_aside) == ((), ())


def test_a_play_has_a_runtime_where_the_part_watched_gives_a_plausible_one(read, home):
    read()
    plays = {
        (play["member_id"], play["title_id"]): (play["watched_seconds"], play["runtime_seconds"])
        for play in landed(home, "plays", "2021-07-06")
    }
    assert plays == {
        ("ki-176549", "ki-9506"): (4250, 5903),  # 4,250 s are 72 %
        ("ki-699317", "ki-1659"): (8317, 8317),
        ("ki-656683", "ki-7107"): (10, None),  # no part
        ("ki-864613", "ki-7107"): (86_400, None),  # more than a day, and 40 % of 60 hours
        ("ki-864613", "ki-9506"): (1200, None),  # an empty cell
        ("ki-5", "ki-1659"): (12, None),  # all of a title of 12 s
    }


def test_a_play_is_at_midnight_of_its_day(read, home):
    read()
    first, *_ = landed(home, "plays", "2021-07-06")
    assert first == {
        "event_id": "ki-5-ki-1659-1615593600",
        "event_at": datetime.fromisoformat("2021-03-13T00:00:00"),
        "received_at": datetime.fromisoformat("2021-03-13T00:00:00"),
        "member_id": "ki-5",
        "title_id": "ki-1659",
        "watched_seconds": 12,
        "runtime_seconds": None,
    }


def test_cells_of_titles_become_lists_dates_and_numbers(read, home):
    read()
    crank, series, serf = landed(home, "titles", "2021-03-13")
    assert serf == {
        "title_id": "ki-9506",
        "name": "Холоп",
        "title_kind": "movie",
        "released_on": date(2019, 1, 1),
        "genres": ["комедии", "драмы"],
        "themes": ["Холоп", "2019", "деревня"],
        "directors": ["Клим Шипенко"],
        "actors": ["Милош Бикович", "Иван Охлобыстин"],
        "countries": ["Россия"],
        "minimum_age": 12,
        "synopsis": 'Григорий, "золотая" молодёжь.\nВторой абзац, с запятой.',
    }
    assert (crank["name"], crank["countries"]) == ("Crank", ["США", "Великобритания"])
    assert (series["name"], series["title_kind"]) == ('Девятаев, "сериал"', "series")
    assert [series[name] for name in ("released_on", "minimum_age", "synopsis")] == [None] * 3
    assert series["genres"] == []


def test_members_are_those_of_both_files(read, home):
    read()
    members = landed(home, "members", "2021-03-13")
    assert [(row["member_id"], row["birth_year"], row["gender"]) for row in members] == [
        ("ki-5", None, None),
        ("ki-77", 2003, "F"),
        ("ki-176549", 1996, "M"),
        ("ki-656683", None, None),
        ("ki-699317", 1956, "F"),
        ("ki-864613", None, None),
    ]
    assert {"is_kids", "maximum_age"}.isdisjoint(members[0])


def test_without_users_members_come_from_the_interactions(read, home):
    assert read(**{"users.csv": None}).members == 5
    assert {row["gender"] for row in landed(home, "members", "2021-03-13")} == {None}


def test_the_english_files_have_an_index_and_other_names(read, home):
    items = (
        ",item_id,content_type,title,title_orig,description,keywords,"
        "actors_translated,actors_transliterated,directors_translated,transliterated\n"
        '0,9506,film,Serf,,,,"Milos Bikovic, Ivan","Milos",Klim Shipenko,Klim\n'
        "1,1659,film,Crank,,,,,,,\n"
        "2,7107,series,Devyataev,,,,,,,\n"
    )
    users = ",user_id,age,income,sex,kids_flg\n0,176549,age_25_34,income_60_90,M,True\n"
    read(**{"items.csv": None, "items_en.csv": items, "users.csv": None, "users_en.csv": users})
    *_, serf = landed(home, "titles", "2021-03-13")
    assert (serf["directors"], serf["actors"]) == (["Klim Shipenko"], ["Milos Bikovic", "Ivan"])
    members = {row["member_id"]: row["gender"] for row in landed(home, "members", "2021-03-13")}
    assert members["ki-176549"] == "M"


DIRT = [
    (
        "interactions.csv",
        "7,9506,2021-13-01,1,1.0",
        "line 8: not a play: '7,9506,2021-13-01,1,1.0'",
    ),
    ("interactions.csv", "7,9506,2021-05-01,-1,1.0", "line 8: not a play"),
    ("interactions.csv", "7,9506,2021-05-01,9,101", "line 8: not a play"),
    ("interactions.csv", "7,9506,2021-05-01,9", "line 8: not a play"),
    ("items.csv", "8,trailer,Film,,,,,,,,,,,", "line 6: not a title: '8', 'trailer', 'Film'"),
    ("items.csv", "8,film,,,,,,,,,,,,", "line 6: not a title: '8', 'film', ''"),
    ("items.csv", "8,film,Film", "line 6: 3 fields where 14 are asked: '8,film,Film'"),
    ("users.csv", "8,25,,М,0", "line 6: not a person: '8' of '25', 'М'"),
    ("users.csv", "8,age_18_24,,x,0", "line 6: not a person: '8' of 'age_18_24', 'x'"),
]


@pytest.mark.parametrize(("name", "line", "problem"), DIRT)
def test_what_cannot_be_read_is_named_by_file_and_line(read, name, line, problem):
    imported = read(**{name: f"{FILES[name]}{line}\n"})
    assert imported.problem_count == 1
    assert imported.problems[0].startswith(f"{name} {problem}")
    assert (imported.events, imported.titles) == (6, 3)


PLAIN = [f"{n},film,Film {n},,,драмы,,,,,,,," for n in range(1, 31)]
QUOTED = [film.replace("драмы", '"драмы, комедии"') for film in PLAIN]
OPENS = '5,film,"Opens,,,драмы,,,,,,,,'
STRAY = {
    "closed far below": (
        [*PLAIN[:4], OPENS, *PLAIN[5:20], '21,film,Closes",,,,,,,,,,,', *PLAIN[21:]],
        "items.csv: 17 of 31 lines would be lost, for a quote on line 6 takes",
    ),
    "closed by the next quote": (
        [*QUOTED[:4], OPENS, *QUOTED[5:]],
        "items.csv: 2 of 31 lines would be lost, for a quote on line 6 takes",
    ),
    "never closed": (
        [*PLAIN[:4], OPENS, *PLAIN[5:]],
        "items.csv cannot be read: the record of line 6 opens a quote that never closes",
    ),
}


@pytest.mark.parametrize("kind", STRAY)
def test_a_stray_quote_that_takes_other_titles_is_an_error_with_numbers(read, home, kind):
    titles, message = STRAY[kind]
    with pytest.raises(DataError, match=message):
        read(**{"items.csv": ITEMS_HEADER + "\n".join([*titles, ""])})
    assert not (home / "landing").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items.csv": None}, r"looked for interactions\.csv with items\.csv or items_en\.csv"),
        ({"interactions.csv": None}, r"looked for interactions\.csv"),
        ({"interactions.csv": INTERACTIONS.splitlines()[0]}, "not one play could be read; 0 lines"),
        (
            {"interactions.csv": INTERACTIONS.replace(",", ";")},
            r"no column user_id, item_id, .* in its header 'user_id;item_id",
        ),
        (
            {"interactions.csv": INTERACTIONS + "7;9506;2021-05-01;9;1\n" * 10},
            "10 lines could not be read, more than the 6 plays and 3 titles that could",
        ),
        ({"users.csv": "user_id,age\n1,age_18_24\n"}, "no column sex in its header 'user_id,age'"),
        ({"items.csv": "\n"}, r"no column item_id, content_type, title in its header ''"),
    ],
)
def test_files_that_are_no_kion_are_refused(read, home, change, message):
    with pytest.raises(DataError, match=message):
        read(**change)
    assert not (home / "landing").exists()


def test_the_same_files_are_landed_once(read, tmp_path, home):
    before = [path.read_bytes() for path in read().files]
    again = landing.import_kion(tmp_path / "set", home=home)
    assert [path.read_bytes() for path in again.files] == before
