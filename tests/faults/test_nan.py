"""A NaN planted in a file between two steps stops the night, with its table and column."""

from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import pipeline, releases
from matinee.errors import DataError
from matinee.settings import Settings
from tests.conftest import run_night

pytestmark = pytest.mark.attack


def plant_nan(path):
    """Set the first evening_ratio to NaN."""
    table = pq.read_table(path)
    place = table.column_names.index("evening_ratio")
    values = [float("nan"), *table["evening_ratio"].to_pylist()[1:]]
    pq.write_table(table.set_column(place, "evening_ratio", pa.array(values)), path)


def test_a_nan_among_the_features_stops_the_night_by_table_and_column_and_live_stays(copied):
    settings = Settings(home=copied)
    before = pipeline.live_id(settings)

    @contextmanager
    def planting(what):
        if what == "build the training frames":
            plant_nan(max((copied / "features" / "member_dayparts.parquet").iterdir()))
        yield lambda done, total, name: None

    with pytest.raises(DataError, match=r"evening_ratio of member_dayparts is nan in 1 pl"):
        run_night(copied, progress=planting)
    assert pipeline.live_id(settings) == before
    releases.Store.of(settings.home).verify("live")
