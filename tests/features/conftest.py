"""Feature tables by hand: every column of the contract, the rows a test cares about."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import features

PROJECT = Path(__file__).resolve().parents[2]
TEXT, WHOLE, REAL, TRUTH, DAY = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32()
TEXTS, SHARES = pa.list_(pa.string()), pa.list_(pa.float32())

COLUMNS = {
    "member_profiles": {
        "country": TEXT,
        "plan": TEXT,
        "language": TEXT,
        "is_kids": TRUTH,
        "maximum_age": WHOLE,
        "main_device": TEXT,
        "joined_on": DAY,
    },
    "member_tastes": {
        "genres": TEXTS,
        "genre_affinities": SHARES,
        "people": TEXTS,
        "person_affinities": SHARES,
        "themes": TEXTS,
        "theme_affinities": SHARES,
    },
    "member_activity_stats": dict.fromkeys(
        [
            "play_count_7d",
            "play_count_28d",
            "play_count_90d",
            "watched_seconds_7d",
            "watched_seconds_28d",
            "watched_seconds_90d",
            "title_count_28d",
            "rating_count_28d",
            "completion_milli_28d",
            "stars_milli_28d",
        ],
        WHOLE,
    ),
    "member_dayparts": {
        "morning_ratio": REAL,
        "afternoon_ratio": REAL,
        "evening_ratio": REAL,
        "night_ratio": REAL,
        "main_daypart": TEXT,
    },
    "member_search_intents": {
        "search_count_28d": WHOLE,
        "no_result_ratio_28d": REAL,
        "searched_genres": TEXTS,
    },
    "title_contents": {
        "name": TEXT,
        "title_kind": TEXT,
        "language": TEXT,
        "countries": TEXTS,
        "genres": TEXTS,
        "themes": TEXTS,
        "directors": TEXTS,
        "actors": TEXTS,
        "release_decade": TEXT,
        "release_year": WHOLE,
        "minimum_age": WHOLE,
        "runtime_seconds": WHOLE,
    },
    "title_popularity_stats": {
        **dict.fromkeys(
            [
                "play_count_7d",
                "play_count_28d",
                "play_count_90d",
                "member_count_7d",
                "member_count_28d",
                "member_count_90d",
                "signal_milli_28d",
                "signal_milli_90d",
                "rating_count_90d",
            ],
            WHOLE,
        ),
        "mean_rating": REAL,
    },
}


@pytest.fixture
def export(home):
    """Write one feature table; a column that a row leaves out is null."""

    def write(table: str, *rows: dict) -> None:
        key = "member_id" if table.startswith("member") else "title_id"
        columns = {key: TEXT, "observed_at": pa.timestamp("us", tz="UTC"), **COLUMNS[table]}
        (home / "features").mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist(list(rows), schema=pa.schema(columns)),
            home / "features" / f"{table}.parquet",
        )

    return write


@pytest.fixture
def where(home, export):
    """Where a store is: a home with every feature table, all of them empty, registered."""
    for table in COLUMNS:
        export(table)
    place = {"home": home, "project": PROJECT}
    features.apply(**place)
    return place
