"""Tiny releases to publish, promote and break."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matinee import releases

AT = datetime(2026, 1, 2, 3, 15, tzinfo=UTC)
GREEN = {"rules": [{"rule": "finite", "passed": True, "observed": 1, "threshold": 1, "text": "ok"}]}
RED = {
    "rules": [
        *GREEN["rules"],
        {"rule": "coverage", "passed": False, "observed": 0.1, "threshold": 0.2, "text": "low"},
    ]
}


def slate_block(members, shift=0, length=12):
    rows = [
        {
            "member_id": member,
            "rank": rank + 1,
            "title_id": f"t{(rank + shift) % 40:02}",
            "score": 1.0 / (rank + 1),
            "row_kind": "for_you",
            "reason": "Because",
            "source": "hybrid",
        }
        for member in members
        for rank in range(length)
    ]
    return pa.Table.from_pylist(rows, schema=releases.SLATE_SCHEMA)


def fill(folder, shift=0):
    """The files of a tiny release."""
    releases.write_slates(folder, [slate_block(["m1", "m2", "m3"], shift)])
    for name in ("model", "vocabulary", "evaluation", "similar"):
        (folder / name).mkdir()
    np.save(folder / "model/titles.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    titles = {"title_id": ["t00", "t01"], "name": ["Metropolis", "Nosferatu"]}
    pq.write_table(pa.table(titles), folder / "vocabulary/titles.parquet")
    metric = {"model": "hybrid", "cohort": "all", "metric": "ndcg_at_10"}
    number = {"mean": 0.2 + shift, "low": 0.19 + shift, "high": 0.21 + shift, "n": 300}
    pq.write_table(pa.Table.from_pylist([metric | number]), folder / "evaluation/metrics.parquet")
    near = {"title_id": ["t00", "t01"], "rank": [1, 1], "similar_title_id": ["t01", "t00"]}
    pq.write_table(pa.table(near), folder / "similar/part-0000.parquet")
    (folder / "hyperparameters.json").write_text('{"loss": "warp"}')
    (folder / "card.md").write_text("# Card\n")


def fields(minutes=0, gate=GREEN, **more):
    created_at = AT + timedelta(minutes=minutes)
    features = {"service": "hybrid_ranker_v1"}
    sections = {"created_at": created_at, "as_of": AT, "gate": gate, "features": features}
    return sections | more


def publish(store, shift=0, minutes=0, gate=GREEN, force=False):
    with store.draft() as draft:
        fill(draft.path, shift)
        day = AT + timedelta(days=shift)
        return store.publish(draft, fields(minutes, gate, as_of=day), force=force)


def promote(store, release, **more):
    live = store.live()
    arguments = {"expected": live.id if live else None, "at": AT, "by": "test", "why": "it is good"}
    return store.promote(release.id, **arguments | more)
