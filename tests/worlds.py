"""A small service with planted tastes, scored in a second: no warehouse, no Feast."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matinee import releases
from matinee.models import fits, hybrid
from matinee.models.default_weights import default_combination
from matinee.models.frame import Frame
from matinee.night import combine, score, shelves
from matinee.night.catalogue import Catalogue
from matinee.night.model_files import save_model
from matinee.night.scorer import ready
from matinee.releases.release import SESSION
from matinee.slates.eligibility import Eligibility

AS_OF = datetime(2026, 2, 1, tzinfo=UTC)
GENRES = ("Crime", "Drama", "Family")
COUNTRIES = ("DE", "SE", None)


def frame(members=60, titles=48, seed=1):
    """Each member likes one genre and watches its titles eight times as often."""
    random = np.random.default_rng(seed)
    member_ids = [f"m-{i:03}" for i in range(members)]
    title_ids = [f"t-{i:03}" for i in range(titles)]
    genre = np.arange(titles) % len(GENRES)
    taste = np.arange(members) % len(GENRES)
    weight = np.where(taste[:, None] == genre, 8.0, 1.0)
    drawn = [random.choice(titles, 8, replace=False, p=row / row.sum()) for row in weight]
    drawn[-1] = np.empty(0, np.int64)  # the last member is cold
    row = np.repeat(np.arange(members), [len(of_member) for of_member in drawn])
    at = np.full(len(row), np.datetime64("2026-01-20T20:00:00", "us"))
    signals = pa.table(
        {
            "member_id": pa.array(member_ids).take(pa.array(row)),
            "title_id": pa.array(title_ids).take(pa.array(np.concatenate(drawn))),
            "observed_at": pa.array(at),
            "interacted_at": pa.array(at),
            "signal_milli": pa.array(np.full(len(row), 1000)),
            "is_seen": pa.array(np.ones(len(row), bool)),
        }
    )
    of_members = pa.table(
        {
            "member_id": member_ids,
            "country": [COUNTRIES[i % 3] for i in range(members)],
            "plan": ["basic", "premium"] * (members // 2),
            "language": ["en"] * members,
            "main_device": ["tv", "phone"] * (members // 2),
            "main_daypart": ["evening"] * members,
            "searched_genres": pa.array([[]] * members, pa.list_(pa.string())),
        }
    )
    of_titles = pa.table(
        {
            "title_id": title_ids,
            "name": [f"Film {i}" for i in range(titles)],
            "release_year": [1990] * titles,
            "title_kind": ["movie"] * titles,
            "genres": [[GENRES[g]] for g in genre],
            "themes": [["heist"] if i % 7 == 0 else [] for i in range(titles)],
            "directors": [[f"Director {i % 6}"] for i in range(titles)],
            "actors": [[f"Actor {i % 9}", f"Actor {i % 5}"] for i in range(titles)],
            "language": ["en", "sv"] * (titles // 2),
            "countries": [["US"], ["SE"]] * (titles // 2),
            "release_decade": ["1990s"] * titles,
        }
    )
    return Frame(AS_OF, 30.0, of_members, of_titles, signals, signals.slice(0, 0))


def catalogue(frame):
    titles = frame.title_features
    table = titles.select(["title_id", "genres", "language", "countries", "title_kind"])
    for name, values in {
        "name": titles["name"].to_pylist(),
        "released_on": [date(1990, 1, 1)] * len(titles),
        "added_on": [date(2026, 1, 20) if i < 6 else date(2020, 1, 1) for i in range(len(titles))],
        "minimum_age": [0.0] * len(titles),
        "is_retired": [False] * len(titles),
        "ai_use": ["none"] * len(titles),
        "ai_disclosure": pa.nulls(len(titles), pa.string()),
        "is_original": pa.nulls(len(titles), pa.bool_()),
    }.items():
        table = table.append_column(name, [values])
    members = frame.member_features.select(["member_id", "country", "plan"])
    members = members.append_column("maximum_age", pa.nulls(len(members), pa.int64()))
    windows = {"title_id": pa.string(), "country": pa.string()}
    windows |= {"starts_on": pa.date32(), "ends_on": pa.date32()}
    nowhere = pa.schema(windows).empty_table()
    return Catalogue(
        members=members.append_column("may_personalise", [[True] * len(members)]),
        titles=table,
        windows=nowhere,
        seen=frame.signals.select(["member_id", "title_id"]),
        eligibility=Eligibility(table, nowhere, day=AS_OF.date()),
    )


def fit(**size):
    return fits.fit_all(frame(**size), hybrid.Hyperparameters(components=8, epochs=12))


def scorer(slate_size=12, **size):
    fitted = fit(**size)
    return ready(
        fitted,
        default_combination(fitted.parts.names),
        catalogue(fitted.frame),
        slate_size=slate_size,
        calibration_weight=0.0,
    )


def block(scorer, context="next_visit"):
    """The slates of every member."""
    return scorer.slates(scorer.catalogue.members, (context,))[context]


def publish(home, scorer, *, slates=None, **fields):
    """A release of a scorer with the default weights, as a night leaves it; `slates` in place of
    its own. It has no evaluation and no pages."""
    store = releases.Store.of(home)
    created_at = fields.pop("created_at", datetime(2026, 2, 1, 3, tzinfo=UTC))
    usual = {"gate": {"rules": [], "overrides": []}, "as_of": AS_OF, "created_at": created_at}
    with store.draft() as draft:
        for folder in ("model", "reasons", "vocabulary"):
            (draft.path / folder).mkdir()
        visit = block(scorer)
        releases.write_slates(draft.path, [visit.table if slates is None else slates])
        with releases.SlateWriter(draft.path, SESSION) as session:
            session.add(block(scorer, "session").table if slates is None else slates)
        parts = pa.concat_tables(score.contribution_tables(scorer, visit))
        pq.write_table(parts, draft.path / "reasons/part-0000.parquet")
        shelves.write_non_profiled(draft.path, scorer)
        save_model(scorer.ranker.fit.model, draft.path / "model")
        shutil.move(draft.path / "model/hyperparameters.json", draft.path)
        score.write_arrays(draft.path, scorer)
        names = scorer.ranker.combination.parts
        replace(combine.choose({}, names), calibration_weight=0.0).write(draft.path)
        features = scorer.ranker.fit.features
        tables = {
            "members": pa.table({"member_id": scorer.frame.members.ids}),
            "titles": scorer.catalogue.titles,
        } | {
            f"{side}_features": pa.table({"name": list(one.names), "family": list(one.families)})
            for side, one in (("member", features.members), ("title", features.titles))
        }
        for name, table in tables.items():
            pq.write_table(table, draft.path / f"vocabulary/{name}.parquet")
        return store.publish(draft, usual | fields)
