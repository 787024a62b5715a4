"""Each night reports whether online and offline features agree, or why it did not compare."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from matinee import landing, pipeline, releases
from matinee.errors import IntegrityError
from matinee.settings import Settings


def test_the_manifest_says_how_much_was_compared(night_home):
    features = releases.Store.of(night_home).open("live").manifest["features"]
    assert features["online_values_compared"] > 1000
    assert features["online_skipped_because"] is None


def test_a_value_that_differs_online_stops_the_night_and_an_older_one_says_it_was_skipped(copied):
    settings = Settings(home=copied)
    newest = landing.landed_days(copied)[1]
    before = pipeline.refresh_features(pipeline.begin(settings, newest - timedelta(days=1)))
    assert before.compared == 0
    assert "later than" in before.skipped_because

    with closing(sqlite3.connect(copied / "feast" / "online.db")) as online, online:
        tables = [
            name
            for (name,) in online.execute("select name from sqlite_master where type = 'table'")
            if name.endswith("_member_profiles")
        ]
        online.execute(
            f'update "{tables[0]}" set value = (select value from "{tables[0]}" where'
            " feature_name = 'plan' limit 1) where feature_name = 'country'"
        )
    with pytest.raises(IntegrityError, match=r"online country of member_id .* was known at"):
        pipeline.refresh_features(pipeline.begin(settings, newest))
