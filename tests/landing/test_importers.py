"""Public sets become landing files, whatever their layout; dirt is said by file and line."""

from datetime import date, datetime

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from matinee import landing
from matinee.cli import app
from matinee.errors import ConfigError, DataError
from matinee.landing.importers.history import put_article_first, split_year

FLAGS = "0|0|0|1|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0"  # Animation and Comedy
LAYOUTS = {
    "100k": {
        "u.data": b"1\t7\t5\t881250949\n2\t267\t1\t891717742\n",
        "u.item": (
            f"7|Toy Story (1995)|01-Jan-1995||http://x|{FLAGS}\n"
            f"8|Usual Suspects, The (1995)|14-Aug-1995||http://x|{FLAGS}\n"
            f"9|Mis\u00e9rables, Les (1995)|||http://x|{FLAGS}\n"
            "267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
        ).encode("latin-1"),
        "u.user": b"1|24|M|technician|85711\n2|53|F|other|94043\n",
    },
    "recbole": {
        "x.inter": (
            b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
            b"1\t7\t5\t881250949\n2\t267\t1\t891717742\n"
        ),
        "x.item": (
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
            "7\tToy Story\t1995\tAnimation Comedy\n"
            "8\tUsual Suspects, The\t1995\tAnimation Comedy\n"
            "9\tMis\u00e9rables, Les\t1995\tAnimation Comedy\n"
            "267\tunkonwn\tunkonwn\tunknown\n"
        ).encode(),
        "x.user": (
            b"user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
            b"1\t24\tM\ttechnician\t85711\n2\t53\tF\tother\t94043\n"
        ),
        "x.link": b"item_id:token\tentity_id:token\n7\tm.7\n",
        "x.kg": (
            b"head_id:token\trelation_id:token\ttail_id:token\n"
            b"m.7\tfilm.film.actor\tm.hanks\nm.7\tfilm.film.actor\tm.allen\n"
            b"m.7\tfilm.film.directed_by\tm.lasseter\nm.9\tfilm.film.actor\tm.other\n"
        ),
    },
    "1m": {
        "ratings.dat": b"1::7::5::881250949\n2::267::1::891717742\n",
        "movies.dat": (
            "7::Toy Story (1995)::Animation|Comedy\n"
            "8::Usual Suspects, The (1995)::Animation|Comedy\n"
            "9::Mis\u00e9rables, Les (1995)::Animation|Comedy\n"
            "267::unknown::\n"
        ).encode("latin-1"),
        "users.dat": b"1::M::25::12::85711\n2::F::1::10::48067\n",
    },
    "10m": {
        "ratings.dat": b"1::7::5::881250949\n2::267::1::891717742\n",
        "movies.dat": (
            "7::Toy Story (1995)::Animation|Comedy\n"
            "8::Usual Suspects, The (1995)::Animation|Comedy\n"
            "9::Mis\u00e9rables, Les (1995)::Animation|Comedy\n"
            "267::unknown::(no genres listed)\n"
        ).encode(),
    },
    "csv": {
        "ratings.csv": (
            b"userId,movieId,rating,timestamp\r\n1,7,5.0,881250949\r\n2,267,1.0,891717742\r\n"
        ),
        "movies.csv": (
            "movieId,title,genres\n"
            "7,Toy Story (1995),Animation|Comedy\n"
            '8,"Usual Suspects, The (1995)",Animation|Comedy\n'
            '9,"Mis\u00e9rables, Les (1995)",Animation|Comedy\n'
            "267,unknown,(no genres listed)\n"
        ).encode(),
    },
}


RATINGS_HEADER = "userId,movieId,rating,timestamp"


def unpack(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def landed(home, stream, day, name="movielens"):
    return pq.read_table(home / f"landing/{stream}/dt={day}/{name}.parquet").to_pylist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_movielens_gives_the_same_history(tmp_path, home, contract, layout):
    imported = landing.import_movielens(unpack(tmp_path / "set", LAYOUTS[layout]), home=home)

    assert (imported.layout, imported.problem_count, imported.problems) == (layout, 0, ())
    assert (imported.members, imported.titles, imported.events) == (2, 4, 2)
    assert (imported.first_day, imported.last_day) == (date(1997, 12, 4), date(1998, 4, 4))
    assert landed(home, "ratings", "1998-04-04")[0] == {
        "event_id": "ml-1-ml-7-881250949",
        "event_at": datetime.fromisoformat("1997-12-04T15:55:49"),
        "received_at": datetime.fromisoformat("1997-12-04T15:55:49"),
        "member_id": "ml-1",
        "title_id": "ml-7",
        "rating_kind": "stars",
        "value": 10.0,
    }
    titles = landed(home, "titles", "1997-12-04")
    assert [title["name"] for title in titles][:3] == [
        *("Toy Story", "The Usual Suspects", "Les Mis\u00e9rables"),
    ]
    assert titles[0]["title_id"] == "ml-7"
    assert titles[0]["genres"] == ["Animation", "Comedy"]
    assert titles[0]["released_on"] == date(1995, 1, 1)
    assert titles[3]["genres"] == []
    assert titles[3]["released_on"] is None
    members = landed(home, "members", "1997-12-04")
    assert [member["joined_on"] for member in members] == [date(1997, 12, 4), date(1998, 4, 4)]
    receipt = landing.receive(home=home, contract=contract, threads=1, memory_limit="1GB")
    assert receipt.rules == {"members": {}, "ratings": {}, "titles": {}}
    assert (receipt.warnings, receipt.set_aside) == ((), ())


def test_what_a_layout_knows_of_people_is_kept_and_nothing_is_invented(tmp_path, home):
    for layout, expected in {
        "100k": [(1974, "M"), (1945, "F")],
        "1m": [(1975, "M"), (None, "F")],
        "10m": [(None, None), (None, None)],
    }.items():
        here = home / layout
        landing.import_movielens(unpack(tmp_path / layout, LAYOUTS[layout]), home=here)
        members = landed(here, "members", "1997-12-04")
        assert [(row["birth_year"], row["gender"]) for row in members] == expected
        assert {title["directors"] for title in landed(here, "titles", "1997-12-04")} == {None}


def test_directors_and_actors_come_from_the_knowledge_graph(tmp_path, home):
    landing.import_movielens(unpack(tmp_path / "set", LAYOUTS["recbole"]), home=home)
    toy_story, other, *_ = landed(home, "titles", "1997-12-04")
    assert (toy_story["directors"], toy_story["actors"]) == (["m.lasseter"], ["m.allen", "m.hanks"])
    assert (other["directors"], other["actors"]) == (None, None)


def test_tags_become_themes_of_later_snapshots_and_never_before_they_were_written(tmp_path, home):
    tags = b"userId,movieId,tag,timestamp\n" + b"".join(
        # 2 January 1998; one more title and one lonely tag.
        f'1,{title},"Pixar, again ",883699200\n'.encode()
        for title in (7, 8, 9)
    )
    tags += b"1,7,lonely,883699200\n1,7,too late,891717742\n"
    unpack(tmp_path / "set", LAYOUTS["csv"] | {"tags.csv": tags})
    imported = landing.import_movielens(tmp_path / "set", home=home)
    days = [path.name for path in sorted((home / "landing/titles").iterdir())]
    assert days == ["dt=1997-12-04", "dt=1998-04-04"]
    assert landed(home, "titles", "1997-12-04")[0]["themes"] is None
    titles = landed(home, "titles", "1998-04-04")
    assert [title["themes"] for title in titles] == [*([["pixar, again"]] * 3), None]
    assert imported.problem_count == 0


def test_an_import_done_again_changes_nothing(tmp_path, home):
    unpack(tmp_path / "set", LAYOUTS["csv"])
    first = landing.import_movielens(tmp_path / "set", home=home)
    before = {path: path.read_bytes() for path in home.rglob("*.parquet")}
    assert landing.import_movielens(tmp_path / "set", home=home) == first
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


DIRT = [
    ("csv", "ratings.csv", b"1,7,5.5,881250949\n", "ratings.csv line 4: not a rating: '1,7,5.5,8"),
    ("csv", "ratings.csv", b"1,7,5.0\n", "ratings.csv line 4: not a rating: '1,7,5.0'"),
    ("csv", "ratings.csv", b"x,7,5.0,881250949\n", "ratings.csv line 4: not a rating: 'x,7"),
    ("csv", "ratings.csv", b"1,7,5.0,0\n", "ratings.csv line 4: not a rating: '1,7,5.0,0'"),
    ("csv", "ratings.csv", b"1,7,\xff,9\n", "ratings.csv line 4: not a rating: '1,7,\ufffd,9'"),
    ("csv", "movies.csv", b'11,"Two, fields"\n', "movies.csv line 6: 2 fields where 3 are asked"),
    ("csv", "movies.csv", b"x,Film,Drama\n", "movies.csv line 6: not a film: 'x', 'Film'"),
    ("10m", "movies.dat", b"11::A::B::C\n", "movies.dat line 5: 4 fields where 3 are asked"),
    ("10m", "tags.dat", b"1::7:: ::883699200\n", "tags.dat line 1: not a tag: ' '"),
    ("100k", "u.user", b"3|old|M|x|1\n", "u.user line 3: not a person: '3' of age 'old'"),
]


@pytest.mark.parametrize(("layout", "name", "line", "problem"), DIRT)
def test_what_cannot_be_read_is_said_by_file_and_line(tmp_path, home, layout, name, line, problem):
    files = dict(LAYOUTS[layout])
    files[name] = files.get(name, b"") + line
    imported = landing.import_movielens(unpack(tmp_path / "set", files), home=home)
    assert imported.problem_count == 1
    assert problem in imported.problems[0]
    assert (imported.events, imported.titles) == (2, 4)


TWEETS = {
    "ratings.dat": b"1::1074638::7::1365029107\n2::0104257::0::1364690142\n",
    "movies.dat": "1074638::Skyfall (2012)::Action|Thriller\n0104257::F\u00fcr (1992)::\n".encode(),
}


def test_movietweetings_keeps_its_scale_and_takes_imdb_ids(tmp_path, home):
    imported = landing.import_movietweetings(unpack(tmp_path / "set", TWEETS), home=home)
    ratings = landed(home, "ratings", "2013-04-03", "movietweetings")
    assert [(row["member_id"], row["title_id"], row["value"]) for row in ratings] == [
        ("mt-2", "tt0104257", 0.0),
        ("mt-1", "tt1074638", 7.0),
    ]
    titles = landed(home, "titles", "2013-03-31", "movietweetings")
    assert [(row["name"], row["genres"]) for row in titles] == [
        ("F\u00fcr", []),
        ("Skyfall", ["Action", "Thriller"]),
    ]
    assert (imported.members, imported.problem_count) == (2, 0)


def test_a_film_that_cannot_be_read_is_said_of_movietweetings_too(tmp_path, home):
    files = TWEETS | {"movies.dat": TWEETS["movies.dat"] + b"no film\n"}
    imported = landing.import_movietweetings(unpack(tmp_path / "set", files), home=home)
    assert imported.problems == ("movies.dat line 3: not a film: 'no film'",)


@pytest.mark.parametrize("tweets_first", [True, False])
def test_two_sets_in_one_home_do_not_retire_each_others_titles(tmp_path, home, tweets_first):
    lens = unpack(tmp_path / "lens", LAYOUTS["csv"])
    tweets = unpack(tmp_path / "tweets", TWEETS)
    imports = [
        lambda: landing.import_movielens(lens, home=home),
        lambda: landing.import_movietweetings(tweets, home=home),
    ]
    for run in reversed(imports) if tweets_first else imports:
        run()
    newest = max((home / "landing/titles").iterdir())
    assert newest.name == "dt=2013-03-31"
    assert sorted(path.name for path in newest.iterdir()) == [
        *("movielens.parquet", "movietweetings.parquet")
    ]


def test_a_folder_with_no_known_layout_says_what_was_looked_for(tmp_path, home):
    with pytest.raises(DataError, match=r"looked for u\.data with u\.item, \*\.inter"):
        landing.import_movielens(tmp_path, home=home)
    with pytest.raises(DataError, match=r"looked for ratings\.dat with movies\.dat"):
        landing.import_movietweetings(tmp_path, home=home)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratings.csv": b"userId,movieId,rating,timestamp\n"}, "not one rating could be read"),
        ({"ratings.csv": b"user,movie,rating,timestamp\n1,7,5,881250949\n"}, "its header is 'user"),
        (
            {"movies.csv": b"movieId,title,genres\nx,Film,Drama\n"},
            "not one title could be read: mov",
        ),
        ({"ratings.csv": b""}, "ratings.csv cannot be read: it is empty"),
    ],
)
def test_a_set_of_which_nothing_can_be_read_is_refused(tmp_path, home, change, message):
    folder = unpack(tmp_path / "set", LAYOUTS["csv"] | change)
    with pytest.raises(DataError, match=message):
        landing.import_movielens(folder, home=home)


@pytest.mark.parametrize(
    "time",
    [
        *("881250949000", "881250949000000", "881250949000000000", "881250949.0"),
        *("1997-12-04 15:55:49", "1997-12-04T15:55:49", '"881250949"'),
    ],
)
def test_a_time_is_read_in_any_unit_and_means_the_same(tmp_path, home, time):
    header = '"userId","movieId","rating","timestamp"' if '"' in time else RATINGS_HEADER
    ratings = f"{header}\n1,7,5.0,{time}\n2,267,1.0,891717742\n"
    tags = "userId,movieId,tag,timestamp\n" + "".join(
        f"1,{title},pixar,{time}\n" for title in (7, 8, 9) if '"' not in time and "." not in time
    )
    files = LAYOUTS["csv"] | {"ratings.csv": ratings.encode(), "tags.csv": tags.encode()}
    imported = landing.import_movielens(unpack(tmp_path / "set", files), home=home)
    assert (imported.first_day, imported.problem_count) == (date(1997, 12, 4), 0)
    rating, _ = landed(home, "ratings", "1998-04-04")
    assert rating["event_at"] == datetime.fromisoformat("1997-12-04T15:55:49")


@pytest.mark.parametrize("time", ["19971204155549", "0", "4 Dec 1997", "8812509490"])
def test_times_that_cannot_be_read_are_refused_with_an_example_of_both(tmp_path, home, time):
    ratings = f"{RATINGS_HEADER}\n1,7,5.0,{time}\n".encode()
    folder = unpack(tmp_path / "set", LAYOUTS["csv"] | {"ratings.csv": ratings})
    said = (
        rf"not one rating could be read; 1 lines, the first ratings.csv line 2: not a rating:"
        rf" '1,7,5.0,{time}'; wanted are lines like '1,31,2.5,1260759144', the value from 0.5 to 5"
    )
    with pytest.raises(DataError, match=said):
        landing.import_movielens(folder, home=home)


FILMS = [f"{n},Film {n} (1995),Drama" for n in range(1, 31)]
STRAY = {
    "closed by the next quote": (4, '5,"Opens (1999),Drama', 20, '21,"Closes, The (1999)",Drama'),
    "well formed": (4, '5,"Opens (1999),Drama', 20, '21,Closes (1999)",Drama'),
    "one line": (4, '5,"Opens (1999),Drama', 5, '6,"Closes, The (1999)",Drama'),
}


@pytest.mark.parametrize("kind", STRAY)
def test_a_stray_quote_that_takes_other_films_is_an_error_with_numbers(tmp_path, home, kind):
    first, opens, last, closes = STRAY[kind]
    films = [*FILMS]
    films[first], films[last] = opens, closes
    movies = "\n".join(["movieId,title,genres", *films, ""]).encode()
    folder = unpack(tmp_path / "set", LAYOUTS["csv"] | {"movies.csv": movies})
    said = rf"movies.csv: {last - first + 1} of 31 lines would be lost, for a quote on line 6 takes"
    with pytest.raises(DataError, match=said):
        landing.import_movielens(folder, home=home)
    assert not (home / "landing").exists()


def test_a_set_of_which_most_cannot_be_read_is_an_error_with_numbers(tmp_path, home):
    ratings = LAYOUTS["csv"]["ratings.csv"] + b"1;7;5.0;881250949\n" * 7
    folder = unpack(tmp_path / "set", LAYOUTS["csv"] | {"ratings.csv": ratings})
    with pytest.raises(
        DataError, match=r"7 lines could not be read, more than the 2 ratings and 4"
    ):
        landing.import_movielens(folder, home=home)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Toy Story (1995)", ("Toy Story", 1995)),
        ("Big Bang Theory, The (2007-)", ("Big Bang Theory, The", 2007)),
        ("Fawlty Towers (1975-1979) ", ("Fawlty Towers", 1975)),
        ("Pixies (2006\N{EN DASH}2007)", ("Pixies", 2006)),
        ("City (Cit\u00e9) (1995)", ("City (Cit\u00e9)", 1995)),
        ("Stranger Things", ("Stranger Things", None)),
        ("2001 (0000)", ("2001 (0000)", None)),
    ],
)
def test_the_year_is_taken_from_the_end_of_the_name(name, expected):
    found, released_on = split_year(name)
    assert (found, released_on and released_on.year) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Avventura, L'", "L'Avventura"),
        ("City of Lost Children, The (Cit\u00e9, La)", "The City of Lost Children (Cit\u00e9, La)"),
        ("Women of '69, Unboxed", "Women of '69, Unboxed"),
    ],
)
def test_the_article_goes_first(name, expected):
    assert put_article_first(name) == expected


@pytest.mark.parametrize("kind", ["movielens", "movietweetings", "kion"])
def test_a_folder_that_is_not_there_is_named(kind, tmp_path):
    run = CliRunner().invoke(app, ["import", kind, str(tmp_path / "nowhere")])
    assert isinstance(run.exception, ConfigError)
    assert "nowhere: give the folder of the unpacked dataset" in str(run.exception)
