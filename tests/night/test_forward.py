"""The release before is evaluated on what its members watched after it, and decides the night."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from matinee import landing, releases, transform
from matinee.evaluation import metrics
from matinee.evaluation.names import CHOSEN_WEIGHTS
from matinee.night.forward import compare as comparing
from matinee.night.forward import decide as deciding
from matinee.night.forward.compare import compare, later_titles, published
from matinee.night.forward.decide import FullEvaluation, Plan, decide
from matinee.night.forward.released import Released
from matinee.night.frame import PUBLISHED, write_frame
from matinee.night.night import Night
from matinee.settings import Settings
from tests import worlds

TONIGHT = worlds.AS_OF + timedelta(days=1)
FIRST = datetime(2026, 2, 1, 9, tzinfo=UTC)
BUILT = transform.Built("sha", 1, 1, 0, {})
GREEN = {"gate": {"rules": [{"rule": "one", "passed": True}]}}


@pytest.fixture(scope="module")
def scorer():
    return worlds.scorer()


@pytest.fixture(scope="module")
def release(scorer, tmp_path_factory):
    return worlds.publish(tmp_path_factory.mktemp("home"), scorer)


@pytest.fixture(scope="module")
def opened(release):
    return Released.of(release)


def later(scorer, rows):
    """What is known tonight: the frame of the release, and rows of member, title, time, signal."""
    known = scorer.frame
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    names = ("member_id", "title_id", "interacted_at", "signal_milli")
    new = dict(zip(names, columns, strict=True))
    new |= {"observed_at": new["interacted_at"], "is_seen": pa.array([True] * len(rows))}
    table = pa.table({name: new[name] for name in known.signals.column_names})
    signals = pa.concat_tables([known.signals, table.cast(known.signals.schema)])
    return replace(known, as_of=TONIGHT, signals=signals)


def watched(opened, *, place, members=40):
    """Each of some members watches the title at that place of their list, an hour apart."""
    rows = np.flatnonzero(opened.parts.history.lengths())[:members]
    return rows, [
        (opened.members.ids[row].as_py(), title, (FIRST + timedelta(minutes=nth)), 1000)
        for nth, (row, title) in enumerate(zip(rows, place, strict=True))
    ]


@pytest.fixture(scope="module")
def known(scorer, release, opened):
    """Tonight, after a day on which 40 members watched the second title of their list."""
    rows = np.flatnonzero(opened.parts.history.lengths())[:40]
    second = published(release, opened, rows, "next_visit")[:, 1]
    return later(scorer, watched(opened, place=opened.titles.take(second).to_pylist())[1])


def test_later_titles_are_new_positive_and_known_to_the_release(scorer, opened):
    history = opened.parts.history
    old = opened.titles.ids[int(history.titles[history.members == 0][0])].as_py()
    new = [name for name in opened.titles.ids.to_pylist() if name != old]
    new = [name for name in new if not opened.seen[[0]].toarray()[0, opened.titles.rows([name])[0]]]
    hour, rows = timedelta(hours=1), opened.titles.rows(new)
    before = worlds.AS_OF - hour
    truth, first = later_titles(
        opened,
        later(
            scorer,
            [
                ("m-000", new[0], FIRST + hour, 1000),
                ("m-000", new[1], FIRST, 1000),
                ("m-000", new[1], FIRST + 2 * hour, 1000),  # again
                ("m-000", old, FIRST, 1000),  # seen before
                ("m-000", new[2], FIRST, -1000),  # disliked
                ("m-000", new[3], FIRST, 1000),  # first watched before, arrived late
                ("m-000", new[3], before, 1000),
                ("m-000", "t-new", FIRST, 1000),
                ("m-new", new[0], FIRST, 1000),
            ],
        ),
        worlds.AS_OF,
    )
    assert np.argwhere(truth.toarray()).tolist() == sorted([0, int(row)] for row in rows[:2])
    assert np.argwhere(first.toarray()).tolist() == [[0, int(rows[1])]]


def test_the_lists_of_a_release_are_evaluated_beside_the_parts_of_its_night(release, opened, known):
    test = compare(release, known, seed=1)
    rows = {(row["metric"], row["model"]): row for row in test.table.to_pylist()}
    assert test.members == 40
    assert rows["forward_ndcg@10", "hybrid"]["mean"] == pytest.approx(1 / np.log2(3))
    # Lists without calibration and policy are those of the weights alone.
    for context in ("", "session_"):
        assert rows[f"{context}forward_ndcg@10", CHOSEN_WEIGHTS]["lead"] == 0
        assert rows[f"{context}forward_ndcg@10", "default_weights"]["lead"] == 0
    members = np.flatnonzero(opened.parts.history.lengths())[:40]
    scores = opened.parts.by_name["ease"].scores(members)
    scores = np.where(opened.seen[members].toarray(), -np.inf, scores)
    by_hand = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    truth = later_titles(opened, known, worlds.AS_OF)[0][members]
    own = metrics.ndcg(by_hand, truth).mean()
    assert rows["forward_ndcg@10", "ease"]["mean"] == pytest.approx(own)
    models = {model for _, model in rows}
    assert {"item_knn", "rp3beta", "lightfm", "popularity-1000", "successors"} <= models
    regret = {(one["metric"], one["model"]): one["mean"] for one in test.regret}
    assert regret["forward_ndcg@10", "default_weights"] == 0
    best = test.best["forward_ndcg@10"]
    lead = rows["forward_ndcg@10", best]["lead"]
    assert regret["forward_ndcg@10", best] == pytest.approx(-lead)
    assert not test.is_behind


def upside_down(scorer):
    """Every slate from its end."""
    table = worlds.block(scorer).table
    counts = table["member_id"].value_counts()
    lengths = dict(zip(*(counts.field(name).to_pylist() for name in range(2)), strict=True))
    ranks = [lengths[row["member_id"]] + 1 - row["rank"] for row in table.to_pylist()]
    table = table.set_column(1, "rank", pa.array(ranks, pa.int32()))
    return table.sort_by([("member_id", "ascending"), ("rank", "ascending")])


def test_few_members_are_a_warning_and_no_comparison(scorer, release, opened):
    rows = np.flatnonzero(opened.parts.history.lengths())[:19]
    top = published(release, opened, rows, "next_visit")[:, 0]
    few = later(scorer, watched(opened, place=opened.titles.take(top).to_pylist(), members=19)[1])
    test = compare(release, few, seed=1)
    (verdict,) = test.verdicts
    assert (str(verdict.status), verdict.observed, verdict.threshold) == ("WARN", 19, 20)
    assert test.table.num_rows == 0
    assert not test.is_behind


def test_of_many_members_some_are_evaluated_evenly(release, known, monkeypatch):
    monkeypatch.setattr(comparing, "MOST_MEMBERS", 25)
    assert compare(release, known, seed=1).members == 20


# ---------- the decision


@pytest.fixture
def night(home, known):
    """Tonight, with its published frame."""
    begun = Night(Settings(), TONIGHT, TONIGHT)
    write_frame(known, begun.work(PUBLISHED))
    return begun


def full_of(night, **changed):
    """The full evaluation of the night before, on the data of tonight."""
    tonight = decide(night, BUILT).tonight
    return replace(tonight, **({"as_of": worlds.AS_OF} | changed))


def before(night, scorer, full, **fields):
    """A release of the night before that remembers a full evaluation."""
    fields = {"evaluation": {"full": full.facts()}} | GREEN | fields
    return worlds.publish(night.home, scorer, **fields)


def test_a_night_like_the_last_full_one_is_a_forward_night(night, scorer):
    first = decide(night, BUILT)
    assert first.note == "full evaluation: no release of earlier data passed the gate"
    release = before(night, scorer, full_of(night))
    before(night, scorer, full_of(night), as_of=TONIGHT, created_at=FIRST)  # this night, run before
    plan = decide(night, BUILT)
    assert plan.carried.id == release.id
    assert plan.note == (
        f"forward test: {release.id} on the days since, with the weights of 2026-02-01"
    )
    assert plan.test.members == 40
    on_request = decide(night, BUILT, full_evaluation=True)
    assert on_request.note == "full evaluation: an operator wants it"
    assert on_request.is_full
    assert on_request.test.members == 40
    assert decide(night, replace(BUILT, manifest_sha256="other"), pinned=release).carried


@pytest.mark.parametrize(
    ("settings", "changed", "because"),
    [
        ({}, {}, None),
        ({}, {"as_of": TONIGHT - timedelta(days=6)}, None),
        ({}, {"as_of": TONIGHT - timedelta(days=7)}, "the last one was 7 days ago, full_eval"),
        ({}, {"as_of": TONIGHT + timedelta(days=1)}, "the last one was -1 days ago"),
        ({"full_evaluation_days": 0}, {}, "full_evaluation_days is 0"),
        ({"full_evaluation_days": 1}, {}, "the last one was 1 days ago"),
        ({"warm_start": True}, {}, "with warm_start what is published is fitted as"),
        ({}, {"recipe": "other"}, "code, libraries or settings have changed since 2026-02-01"),
        ({}, {"members": 50}, None),
        ({}, {"members": 49}, "members went from 49 to 60 since"),
        ({}, {"titles": 61}, "titles went from 61 to 48 since"),
        ({}, {"interactions": 900}, "interactions went from 900 to"),
    ],
)
def test_what_has_changed_makes_a_full_night(release, settings, changed, because):
    night = Night(Settings(home=release.path.parents[1], **settings), TONIGHT, TONIGHT)
    tonight = FullEvaluation(TONIGHT, "recipe", members=60, titles=48, interactions=500)
    full = replace(tonight, as_of=worlds.AS_OF, **changed) if "as_of" not in changed else None
    full = full or replace(tonight, **changed)
    found = next(deciding._changed(night, release, full, tonight), None)
    assert found is None if because is None else found.startswith(because)


def test_an_erasure_since_makes_a_full_night_without_a_test(night, scorer):
    before(night, scorer, full_of(night))
    landing.tombstones.add(night.home, frozenset({"m-000"}), FIRST)
    plan = decide(night, BUILT)
    assert plan.because.startswith("a member was erased since")
    assert (plan.is_full, plan.test) == (True, None)


def test_a_release_without_an_erased_member_is_not_gone_on_from(night, scorer):
    before(night, scorer, full_of(night), privacy={"erased_members": 1, "erased_through": None})
    assert decide(night, BUILT).because.startswith("a member was erased since")


def test_a_newer_release_that_the_gate_refused_makes_a_full_night(night, scorer):
    full = full_of(night)
    passed = before(night, scorer, full)
    red = {"rules": [{"rule": "one", "passed": False}]}
    refused = before(
        night, scorer, full, gate=red, as_of=worlds.AS_OF + timedelta(hours=1), created_at=FIRST
    )
    plan = decide(night, BUILT)
    assert plan.because == f"the gate refused {refused.id}, which is newer than {passed.id}"
    assert plan.is_full
    assert plan.test.release_id == passed.id


def test_a_damaged_release_makes_a_full_night(night, scorer):
    release = before(night, scorer, full_of(night))
    path = release.path / "combination.json"
    path.write_bytes(path.read_bytes() + b"\n")
    plan = decide(night, BUILT)
    assert plan.because.startswith("the release before cannot be used: ")
    assert (plan.is_full, plan.test) == (True, None)


def test_lists_that_fell_behind_make_a_full_night(night, scorer):
    release = before(night, scorer, full_of(night), slates=upside_down(scorer))
    plan = decide(night, BUILT)
    assert plan.is_full
    assert plan.because.startswith(f"the lists of {release.id} fell behind: forward_ndcg@10 vs")
    assert plan.test.is_behind


def test_a_forward_night_keeps_the_coverage_floors_of_the_full_one(night, scorer):
    rules = [
        {"rule": "coverage_floor", "passed": True, "threshold": 0.02},
        {"rule": "session_coverage_floor", "passed": True, "threshold": 0.03},
    ]
    before(night, scorer, full_of(night), gate={"rules": rules})
    assert decide(night, BUILT).coverage_floors == {"next_visit": 0.02, "session": 0.03}
    assert Plan("", full_of(night)).coverage_floors == {}


# ---------- whole nights


def test_a_second_night_fits_what_it_publishes_and_is_gated_by_the_day_that_followed(second_home):
    store = releases.Store.of(second_home)
    live, first = store.open("live"), store.open("previous")
    manifest, evaluation = live.manifest, live.manifest["evaluation"]
    assert [path.name for path in (second_home / "work").glob("fit-*")] == ["fit-published"]
    assert (evaluation["is_full"], evaluation["of_release"]) == (False, first.id)
    for name in ("metrics", "protocol", "verdict", "cut", "test_members", "full"):
        assert evaluation[name] == first.manifest["evaluation"][name], name
    assert live.evaluation() == first.evaluation()
    assert live.json("combination.json") == first.json("combination.json")

    rules = {rule["rule"]: rule for rule in manifest["gate"]["rules"]}
    before = {rule["rule"]: rule for rule in first.manifest["gate"]["rules"]}
    assert rules.keys() >= {
        "forward_not_worse_than_best_baseline",
        "finite_scores",
        "ai_is_labelled",
    }
    assert rules["coverage_floor"]["threshold"] == before["coverage_floor"]["threshold"]
    assert rules["coverage_floor"]["observed"] == manifest["exposure"]["coverage"]
    assert "not_worse_than_best_baseline" not in rules
    test = manifest["forward_test"]
    assert (test["release_id"], test["since"]) == (first.id, first.manifest["as_of"])
    assert rules["forward_not_worse_than_best_baseline"]["members"] == test["members"] > 20

    card, page = ((live.path / name).read_text() for name in ("card.md", "report.html"))
    assert f"Forward test of {first.id} on {test['members']} members" in card
    assert f"The lists of <b>{first.id}" in page or f"The lists of {first.id}" in page
