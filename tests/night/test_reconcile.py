"""The account of the raw logs, from landing files to marts: nothing lost, no night poisoned."""

import json
import random
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from matinee import landing, pipeline, transform, warehouse
from matinee.cli import app
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.night import reconcile
from matinee.operations.rejected import CROSS_ROW_RULES
from matinee.settings import Settings
from tests.built_tables import after_staging, differing, tables
from tests.landing.samples import HOSTILE, as_kept, good_row, is_text

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = landing.load(ROOT)
FIRST, LAST = date(2026, 1, 2), date(2026, 1, 5)
LATEST = 3

BOT_PLAYS = 300


def hostile_rows(stream):
    """Every text column of a stream with every hostile text in it, a row each."""
    for column in filter(is_text, stream.columns):
        for kind, text in HOSTILE.items():
            row = good_row(stream)
            for key in ("event_id", "request_id", "impression_id", "asset_id"):
                if key in row:
                    row[key] = f"{key}-{column.name}-{kind}"
            if stream.name in ("members", "titles"):
                row[f"{stream.name[:-1]}_id"] = f"{column.name}-{kind}"
            row[column.name] = [text] if column.data_type == "varchar[]" else text
            yield row


def events_of(day):
    """Ordinary plays and ratings of one day, of a few members who also wait for a title."""
    at = datetime.combine(day, datetime.min.time()) + timedelta(hours=20)
    for number in range(12):
        act = {
            "event_id": f"{day}-{number}",
            "event_at": f"{at + timedelta(minutes=number)}",
            "received_at": f"{at + timedelta(minutes=number + 1)}",
            "member_id": f"m{number % 5}",
            "title_id": "later" if number == 7 else f"t{number % 4}",
        }
        if number % 3:
            yield "plays", act | {"watched_seconds": 600 * number, "device": "tv"}
        else:
            yield "ratings", act | {"rating_kind": "stars", "value": number % 10}


def rows_on_time():
    """(stream, day) -> rows, as they would land if nothing went wrong."""
    found = {}
    for name, stream in CONTRACT.streams.items():
        found[name, FIRST] = [good_row(stream), *hostile_rows(stream)]
    found["titles", FIRST] += [
        {"title_id": f"t{n}", "name": f"T{n}", "title_kind": "movie", "genres": ["Drama"]}
        for n in range(4)
    ]
    found["members", FIRST] += [
        {"member_id": name, "joined_on": "2025-12-01"}
        for name in ("m0", "m1", "m2", "m3", "m4", "bot")
    ]
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        for stream, act in events_of(day):
            found.setdefault((stream, day), []).append(act)
    bot = dict(events_of(FIRST))["plays"] | {"member_id": "bot", "title_id": "t0"}
    found["plays", FIRST] += [bot | {"event_id": f"bot-{n}"} for n in range(BOT_PLAYS)]
    return found


def land(home, stream, day, rows, name="part"):
    path = home / "landing" / stream / f"dt={day}" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def receive(home):
    return landing.receive(home=home, contract=CONTRACT, threads=2, memory_limit="1GB")


def build(home, last_day, **options):
    as_of = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC)
    receive(home)
    transform.build(project=ROOT, home=home, as_of=as_of, threads=2, memory_limit="1GB", **options)


def comparable(home):
    """The tables after staging, without the day on which a row landed."""
    return {
        name: rows.drop_columns([one for one in ("landed_on",) if one in rows.column_names])
        for name, rows in after_staging(tables(home)).items()
    }


@pytest.fixture(scope="module")
def on_time(tmp_path_factory):
    """A home where all landed on its day, hostile texts and a bot included; built at once."""
    home = tmp_path_factory.mktemp("on_time")
    for (stream, day), rows in rows_on_time().items():
        land(home, stream, day, rows)
    build(home, LAST)
    return home


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory):
    """The same rows shuffled, split over files, late by up to three days, and some of them twice.

    Snapshots are of their day, so they are split and shuffled but neither late nor repeated.
    """
    home = tmp_path_factory.mktemp("disturbed")
    chance = random.Random(5)  # noqa: S311
    parts = {}
    for (stream, day), rows in rows_on_time().items():
        is_event = CONTRACT.streams[stream].kind == "event"
        for row in rows:
            late = chance.randint(0, LATEST) if is_event else 0
            key = stream, day + timedelta(days=late), chance.randint(1, 3)
            parts.setdefault(key, []).append(row)
            if is_event and chance.random() < 0.2:
                parts.setdefault((stream, day + timedelta(days=LATEST), 4), []).append(row)
    halves = [FIRST + timedelta(days=1), LAST + timedelta(days=LATEST)]
    for before, until in zip([date.min, halves[0]], halves, strict=True):
        for (stream, day, part), rows in parts.items():
            if before < day <= until:
                chance.shuffle(rows)
                land(home, stream, day, rows, f"part-{part}")
        build(home, min(until, LAST))
    return home


# ---------- the same tables, however the rows came


def test_late_split_shuffled_and_repeated_rows_give_the_tables_of_rows_on_time(on_time, disturbed):
    expected = comparable(on_time)
    assert differing(expected, comparable(disturbed)) == []
    assert len(expected) > 20


# ---------- abuse


def test_hostile_texts_are_values_in_every_column_of_every_stream(on_time):
    receipt_rules = landing.count(landing.read_ledger(on_time).received)
    assert sum(total.rejected for total in receipt_rules.values()) == 0
    for name, stream in CONTRACT.streams.items():
        rows = warehouse.table(f"stg_{stream.source}__{name}", home=on_time)
        for expected in hostile_rows(stream):
            for column, value in expected.items():
                text = value[0] if isinstance(value, list) else value
                if text in HOSTILE.values():
                    kept = as_kept(stream, column, text)
                    kept = [kept] if isinstance(value, list) else kept
                    assert kept in rows[column].to_pylist(), (name, column)
    assert not list(on_time.rglob("*passwd*"))


def test_a_bot_counts_as_a_busy_member_of_that_day_and_no_more(on_time):
    (stats,) = warehouse.query(
        "select play_count_7d, member_count_7d, signal_milli_28d from title_popularity_stats"
        " where title_id = 't0' and observed_at = timestamp '2026-01-03'",
        home=on_time,
    ).to_pylist()
    (bot,) = warehouse.query(
        "select sum(signal_milli) as signal_milli from member_title_signals"
        " where member_id = 'bot'",
        home=on_time,
    ).to_pylist()
    cap = transform.project_vars(ROOT)["events_per_title_day"]
    others = 2  # plays of t0 on that day by ordinary members
    assert stats["play_count_7d"] == cap + others
    assert bot["signal_milli"] <= transform.project_vars(ROOT)["signal_milli"]["cap"]


# ---------- rejected rows


@pytest.fixture
def copied(on_time, tmp_path, monkeypatch):
    home = shutil.copytree(on_time, tmp_path / "home")
    monkeypatch.setenv("MATINEE_HOME", str(home))
    return home


def waiting(home):
    settings = Settings(home=home, project=ROOT)
    return pipeline.rejected(settings, stream=None, rule="unknown_title", limit=100)


def test_rows_of_an_unknown_title_are_taken_in_once_the_catalogue_knows_it(copied):
    before = waiting(copied)
    assert {row["file"].split("/")[0] for row in before.rows} == {"plays"}
    plays = warehouse.counts(copied)["plays"]
    title = {"title_id": "later", "name": "Later", "title_kind": "movie"}
    land(copied, "titles", LAST, [*rows_on_time()["titles", FIRST], title])
    build(copied, LAST)
    assert waiting(copied).rows == []
    after = warehouse.counts(copied)["plays"]
    assert after.staged == plays.staged + len(before.rows)
    reconcile.reconcile(copied)


def test_rejected_rows_are_listed_without_obeying_them(copied):
    result = CliRunner().invoke(app, ["rejected", "--stream", "plays", "--limit", "2"])
    assert result.exit_code == 0
    assert "unknown_title" in result.stdout
    assert "2 of 4 rejected rows: 4 plays unknown_title" in result.output
    result = CliRunner().invoke(app, ["rejected", "--rule", "invalid_utf8", "--format", "json"])
    assert "[]" in result.stdout
    assert "no rejected rows for this rule; other rules: 4 plays unknown_title" in result.output


def test_an_unknown_rule_is_a_usage_error_that_names_the_known_ones(copied):
    settings = Settings(home=copied, project=ROOT)
    message = r"unknown rule unknown; known rules: before_service, .*missing_field, .*unknown_title"
    with pytest.raises(ConfigError, match=message):
        pipeline.rejected(settings, stream=None, rule="unknown", limit=1)
    with pytest.raises(ConfigError, match=r"unknown rule missing_field:title_id; known rules"):
        pipeline.rejected(settings, stream="members", rule="missing_field:title_id", limit=1)


def test_the_rules_of_dbt_are_known_by_name():
    text = (ROOT / "dbt_project/macros/staging/classified_deliveries.sql").read_text()
    assert set(re.findall(r"'((?:duplicate|unknown)_\w+)'", text)) == set(CROSS_ROW_RULES)


def test_an_unknown_stream_is_a_usage_error(copied):
    settings = Settings(home=copied, project=ROOT)
    with pytest.raises(ConfigError, match=r"unknown stream playz; known streams: .*plays"):
        pipeline.rejected(settings, stream="playz", rule=None, limit=1)


# ---------- the account


def test_a_lost_row_is_reported_with_its_stream_file_and_numbers(copied, monkeypatch):
    """tests/dbt/test_build.py has the dbt test that fails because of such a row."""
    file = f"plays/dt={LAST}/part.jsonl"
    with duckdb.connect(str(warehouse.path(copied))) as connection:
        connection.execute(
            "update received_file_counts set staged_count = staged_count - 1 where file = ?", [file]
        )

    def failed(**options):
        raise IntegrityError("1 dbt test(s) failed")

    monkeypatch.setattr(transform, "build", failed)
    night = pipeline.begin(Settings(home=copied, project=ROOT), LAST)
    message = (
        rf"plays: 8 rows of {file} were received, but 6 staged \+ 1 rejected \+ 0 exact repeats"
        r" are 7: run `matinee run --full-refresh`"
    )
    with pytest.raises(IntegrityError, match=message):
        pipeline.build(night)


@pytest.fixture
def ledger_of(tmp_path):
    """A home of a ledger and the tables that account for it, both given by the test."""

    def make(entries, rejected=(), counted=None):
        (tmp_path / "warehouse").mkdir()
        days = {file: date.fromisoformat(file.split("dt=")[1][:10]) for file in entries}
        landing.ledger.write(
            tmp_path,
            landing.Ledger(
                {
                    file: landing.Entry(
                        file, file.split("/")[0], days[file], "0", 1, rows, rows, 0, 1, "received"
                    )
                    for file, rows in entries.items()
                }
            ),
        )
        with duckdb.connect(str(warehouse.path(tmp_path))) as connection:
            for stream in CONTRACT.streams:
                connection.execute(
                    f"create table rejected_{stream} (file text, line bigint, landed_on date,"
                    " rule text, raw_text text)"
                )
            for file, rule, rows in rejected:
                connection.execute(
                    f"insert into rejected_{file.split('/')[0]}"
                    " select ?, range, ?, ?, '{}' from range(?)",
                    [file, days[file], rule, rows],
                )
            rows = pa.Table.from_pylist(
                [
                    dict(zip(COUNTED, (file, *counts), strict=True))
                    for file, counts in (counted or {}).items()
                ]
            )
            if len(rows):
                connection.register("rows", rows)
                connection.execute("create table received_file_counts as select * from rows")
        return tmp_path

    return make


COUNTED = ("file", "received_count", "staged_count", "rejected_count", "exact_repeat_count")


def test_a_file_that_the_ledger_does_not_know_does_not_add_up(ledger_of):
    known, stray = "plays/dt=2026-01-01/a", "plays/dt=2026-01-01/b"
    home = ledger_of({known: 3}, counted={known: (3, 1, 1, 1), stray: (2, 2, 0, 0)})
    with pytest.raises(IntegrityError, match=rf"plays: 0 rows of {stray} were received, but 2"):
        reconcile.reconcile(home)


def test_more_than_one_file_that_does_not_add_up_is_counted(ledger_of):
    files = {f"plays/dt=2026-01-01/{name}": 3 for name in "abc"}
    home = ledger_of(files, counted=dict.fromkeys(files, (3, 2, 0, 0)))
    with pytest.raises(IntegrityError, match=r"/a were .* are 2 \(2 more files do not add up\):"):
        reconcile.reconcile(home)


def held(home, last_day="2026-01-09", days=4):
    reconcile.hold_to_budget(home, ROOT, last_day=date.fromisoformat(last_day), days=days)


OLD, NEW = "plays/dt=2026-01-01/a", "plays/dt=2026-01-09/a"


def test_a_bad_night_stops_despite_a_good_history(ledger_of):
    home = ledger_of({OLD: 100_000, NEW: 1000}, [(NEW, "unknown_title", 30), (NEW, "other", 2)])
    message = (
        r"plays: 32 of 1,000 rows \(3\.2%\) of 2026-01-09 are rejected, the budget is 1\.0%;"
        r" 30 break unknown_title\. See them with `matinee rejected --stream plays`; most of them,"
        rf" 32, are in {NEW}: land it corrected, and take it back with"
        rf" `matinee receive --withdraw {NEW}`; or correct"
    )
    with pytest.raises(RefusedError, match=message):
        held(home)


def test_a_bad_history_stops_the_night_however_old(ledger_of):
    home = ledger_of({OLD: 1000, NEW: 1000}, [(OLD, "unreadable_line", 500)])
    with pytest.raises(RefusedError, match=r"500 of 2,000 rows \(25\.0%\) of all days"):
        held(home)


@pytest.mark.parametrize(
    ("rejected", "last_day"),
    [
        ([(NEW, "unknown_title", 20)], "2026-01-09"),  # too few to stop anybody
        ([(OLD, "unknown_title", 30)], "2026-01-09"),  # within the budget of all days, and old
        ([(NEW, "unknown_title", 900)], "2026-01-08"),  # of a day after the night's
    ],
)
def test_rows_within_the_budget_do_not_stop_the_night(ledger_of, rejected, last_day):
    held(ledger_of({OLD: 100_000, NEW: 1000}, rejected), last_day)
