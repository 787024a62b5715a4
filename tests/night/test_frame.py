"""The instant of a frame's features."""

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from matinee import features, warehouse
from matinee.night import frame
from matinee.night.night import Night
from matinee.settings import Settings

FIRST_CATALOGUE = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "instant"), [(3, FIRST_CATALOGUE), (10, FIRST_CATALOGUE), (20, None)]
)
def test_the_first_catalogue_is_valid_before_its_day_too(monkeypatch, home, day, instant):
    path = warehouse.path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table title_contents as select * from (values"
            " ('t1', timestamp '2026-01-10'), ('t2', timestamp '2026-01-15')) as versions"
            " (title_id, observed_at)"
        )
    at = {}
    for kind in ("members", "titles"):

        def as_of(ids, moment, *, kind=kind, **_):
            at[kind] = moment
            return pa.table({})

        monkeypatch.setattr(features, f"{kind}_as_of", as_of)
    cut = datetime(2026, 1, day, tzinfo=UTC)
    night = Night(Settings(home=home), as_of=cut, started_at=cut)
    made = frame._frame(night, cut, ["m1"], ["t1"], pa.table({}), pa.table({}))
    assert at == {"members": cut, "titles": instant or cut}
    assert made.as_of == cut
