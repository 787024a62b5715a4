"""A registry file that somebody planted runs nothing: Feast executes what it finds in one."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from matinee import features
from matinee.features.store import config
from tests.features.conftest import COLUMNS, PROJECT, export  # noqa: F401

AT = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
def where(home, export):  # noqa: F811
    """A home after a night: one member in every table of members, registered and online."""
    for table in COLUMNS:
        key = "member_id" if table.startswith("member") else "title_id"
        export(table, {key: "m-000001", "observed_at": datetime(2026, 1, 1, tzinfo=UTC)})
    place = {"home": home, "project": PROJECT}
    features.apply(**place)
    features.materialise(as_of=AT, lateness_days=3, **place)
    return place


def by_hand(home):
    """The store as the `feast` command opens it."""
    from feast import FeatureStore, RepoConfig

    return FeatureStore(config=RepoConfig(**config(home, PROJECT)))


@pytest.fixture
def ran(where, tmp_path):
    """A file that exists once the planted registry was loaded."""
    from feast.protos.feast.core.FeatureView_pb2 import FeatureView

    mark = tmp_path / "ran"
    with closing(sqlite3.connect(where["home"] / "feast/registry.db")) as database, database:
        rows = database.execute(
            "select feature_view_name, feature_view_proto from feature_views"
        ).fetchall()
        assert rows
        for name, proto in rows:
            view = FeatureView.FromString(proto)
            function = view.spec.feature_transformation.user_defined_function
            function.name = "planted"
            function.body_text = f"open({str(mark)!r}, 'w').close()\ndef planted(x): return x"
            database.execute(
                "update feature_views set feature_view_proto = ? where feature_view_name = ?",
                (view.SerializeToString(), name),
            )
    return mark


def test_control_feast_runs_what_is_planted(where, ran):
    store = by_hand(where["home"])
    store.list_batch_feature_views()
    assert ran.exists()


def test_a_planted_registry_runs_nothing_and_a_night_replaces_it(where, ran):
    members = ["m-000001"]
    before = features.members_online(members, **where)
    features.promise(**where)
    features.members_as_of(members, AT, features="homepage_v1", **where)
    features.titles_online(members, **where)
    features.materialise(as_of=AT, lateness_days=3, **where)
    features.assert_online_equals_offline(as_of=AT, **where)
    features.remove_online(where["home"], PROJECT, lambda member: False)
    features.apply(**where)
    assert features.members_online(members, **where).equals(before)
    assert not ran.exists()
    store = by_hand(where["home"])
    store.list_batch_feature_views()  # by hand, after the night
    assert not ran.exists()


def test_no_journal_is_replayed_into_the_new_registry(where):
    path = where["home"] / "feast/registry.db"
    planted = [path.with_name(path.name + suffix) for suffix in ("-journal", "-wal", "-shm")]
    for one in planted:
        one.write_bytes(b"planted")
    features.apply(**where)
    assert not [one for one in planted if one.exists()]


def test_the_registry_is_private_and_a_link_in_its_place_is_replaced(where, tmp_path):
    path, target = where["home"] / "feast/registry.db", tmp_path / "target"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    target.write_bytes(b"mine")
    path.unlink()
    path.symlink_to(target)
    features.apply(**where)
    assert not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert target.read_bytes() == b"mine"


def test_a_view_whose_file_is_gone_leaves_no_rows_online(where):
    online = where["home"] / "feast/online.db"
    with closing(sqlite3.connect(online)) as database, database:
        database.execute(
            'create table "matinee_gone" (entity_key blob, feature_name text, value blob)'
        )
        database.execute("insert into matinee_gone values (x'00', 'f', 'somebody planted')")
    features.apply(**where)
    assert b"somebody planted" not in online.read_bytes()
