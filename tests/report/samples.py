"""A release that is small enough to read and fills every section of the page."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import report

AT = datetime(2026, 1, 2, 3, 15, tzinfo=UTC)
RELEASE_ID = "20260102T031500Z-3f9ac0ffee12"

MEANS = {
    "ndcg@10": {"everyone": 0.209, "light": 0.142, "cold member": 0.118, "cold title": 0.087},
    "recall@10": {"everyone": 0.131, "light": 0.205, "cold member": 0.171, "cold title": 0.112},
    "coverage@10": {"everyone": 0.412},
}
FACTORS = {"hybrid": 1.0, "collaborative": 0.88, "content": 0.71, "popularity": 0.59}


def metrics():
    return [
        {
            "model": model,
            "cohort": cohort,
            "metric": metric,
            "mean": mean * factor,
            "low": mean * factor * 0.94,
            "high": mean * factor * 1.07,
            "n": 1284 if cohort == "everyone" else 412,
        }
        for metric, cohorts in MEANS.items()
        for cohort, mean in cohorts.items()
        for model, factor in FACTORS.items()
    ]


def forward_test():
    """The lists of the night before, on the day of this one."""
    means = {"hybrid": 0.111, "item_knn": 0.087, "ease": 0.081}
    means |= {"chosen_weights": 0.109, "default_weights": 0.104}
    return {
        "release_id": "20260101T031500Z-3f9ac0ffee11",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
        "members": 84,
        "best": {"forward_ndcg@10": "item_knn"},
        "metrics": [
            {
                "model": model,
                "cohort": "everyone",
                "metric": "forward_ndcg@10",
                "mean": mean,
                "low": mean - 0.03,
                "high": mean + 0.03,
                "n": 84,
            }
            for model, mean in means.items()
        ],
    }


def rule(name, passed, observed, threshold, text):
    return {
        "rule": name,
        "passed": passed,
        "observed": observed,
        "threshold": threshold,
        "text": text,
    }


def manifest(passed=True):
    """The fields of a manifest; a section of the page for each."""
    return {
        "release_id": RELEASE_ID,
        "created_at": AT,
        "as_of": AT.replace(hour=0, minute=0),
        "reason": "scheduled",
        "gate": {
            "rules": [
                rule("finite", True, 1.94, 100.0, "No embedding grows beyond a sane size."),
                rule("beats_popularity", True, 0.086, 0.0, "NDCG@10 above popularity's."),
                rule("not_below_cf", True, 0.025, -0.01, "NDCG@10 at most 0.01 below CF-only."),
                rule("coverage", passed, 0.412, 0.2, "A fifth of the catalogue is in some slate."),
            ]
        },
        "evaluation": {
            "protocol": "global time cut",
            "cut_at": "2025-12-19T00:00:00Z",
            "test_member_count": 2108,
            "metrics": metrics(),
        },
        "forward_test": forward_test(),
        "code": {"commit": "c0ffee5e1ec7ed", "dirty": False, "lock_sha256": "ab" * 32},
        "environment": {"python": "3.11.7", "cpu": "x86_64", "lightfm": "1.17.3"},
        "determinism": {"seed": 20260101, "threads": 1},
        "features": {"service": "hybrid_ranker_v1", "registry_sha256": "cd" * 32},
        "model": {"loss": "warp", "dimensions": 64, "epochs": 40, "learning_rate": 0.02},
        "exposure": exposure(),
        "privacy": {"member_count": 5000, "excluded_by_purpose": {"personalisation": 312}},
        "received": [dict(zip(COUNTS, row, strict=True)) for row in STREAMS],
        "set_aside": [{"file": "plays/dt=2026-01-01/b.gz", "reason": "it is cut or not gzip"}],
        "warnings": ["plays: unknown column colour in a.jsonl"],
        "dropped": [
            {"stream": "plays", "kept_from": "2023-01-07", "files": 3, "rows": 812},
        ],
        "validation": {"drift": {"verdict": "no live release to compare with", "results": []}},
        "samples": [member for member, _ in MEMBERS],
        "history": {"releases": earlier(), "validation": nights()},
        "inputs": [
            {"file": "plays/dt=2026-01-01/part-0.jsonl.gz", "sha256": "ef" * 32, "rows": 81234},
            {"file": "ratings/dt=2026-01-01/part-0.csv", "sha256": "12" * 32, "rows": 1204},
        ],
    }


def exposure():
    return {
        "effective_titles": 214.25,
        "titles_shown": 623,
        "coverage": 0.4125,
        "gini": 0.8125,
        "lift": [
            {"group": group, "member_count": 60, "watched": watched, "shown": shown, "lift": lift}
            for group, watched, shown, lift in [
                ("niche", 0.055, 0.105, 0.909),
                ("blockbuster", 0.122, 0.132, 0.082),
            ]
        ],
        "providers": [
            {
                "attribute": "genre",
                "value": value,
                "title_count": 400,
                "catalogue_ratio": 0.273,
                "watched_ratio": 0.231,
                "shown_ratio": shown,
            }
            for value, shown in [("Drama", 0.206), ("Horror", 0.098)]
        ],
        "gaps": [
            {
                "attribute": "country",
                "value": "SE",
                "n": 231,
                "mean": 0.172,
                "rest": 0.197,
                "short": 0.025,
                "short_low": -0.075,
                "short_high": 0.124,
            }
        ],
    }


COUNTS = ("stream", "received", "kept", "repeats", "rejected")
STREAMS = [("plays", 81234, 80902, 210, 122), ("ratings", 1204, 1204, 0, 0)]
MEMBERS = [("m0017", "hybrid"), ("m1203", "cold_member"), ("m4411", "non_profiled")]
FILMS = [
    ("Metropolis", 1927, "Because you watched Nosferatu"),
    ("M", 1931, "Directed by Fritz Lang"),
    ("The Cabinet of Dr. Caligari", 1920, "Horror you have been watching in the evenings"),
    ("Sunrise: A Song of Two Humans", 1927, "Directed by F. W. Murnau"),
    ("The Passion of Joan of Arc", 1928, "Popular with members who like silent drama"),
    ("Pandora's Box", 1929, "Because you watched Diary of a Lost Girl"),
]
GENRES = [("Drama", 7), ("Comedy", 11), ("Horror", 5), ("Documentary", 3)]


FORWARD = {"mean": 0.095, "low": 0.06, "high": 0.13, "best_baseline": 0.09}


def earlier():
    return [
        {
            "as_of": AT - timedelta(days=days),
            "metrics": {
                metric: {"mean": mean - days / 1000, "low": None, "high": None}
                for metric, mean in [("ndcg@10", 0.2), ("popularity lift, niche", -0.05)]
            }
            | {"forward_ndcg@10": FORWARD},
        }
        for days in (2, 1)
    ]


def nights():
    day = AT - timedelta(days=1)
    return [{"as_of": day, "tables": {"stg_playback__plays": {"stopped": 1, "passed": 8}}}]


def results(passed=True):
    """As in `validation/results.json`: two expectations, of which the first may fail."""
    return [
        {
            "table": table,
            "kind": "expect_column_values_to_be_between",
            "rule": {"column": column},
            "severity": "critical",
            "success": passed or column == "value",
            "observed": 0 if passed else 14,
            "notes": "Players are killed after a day; longer is a broken clock.",
        }
        for table, column in [
            ("stg_playback__plays", "watched_seconds"),
            ("stg_engagement__ratings", "value"),
        ]
    ]


def tables(text=lambda value: value):
    """Every table of the release that the page reads; `text` stands for each of their texts."""
    titles = [
        {
            "title_id": f"t{place}",
            "name": text(name),
            "released_on": date(year, 1, 1),
            "ai_use": "generated" if place == 1 else None,
            "ai_disclosure": text("made with AI") if place == 1 else None,
        }
        for place, (name, year, _) in enumerate(FILMS)
    ]
    slates = [
        {
            "member_id": member,
            "rank": rank,
            "title_id": f"t{rank - 1}",
            "reason": text(reason),
            "source": source,
        }
        for member, source in MEMBERS
        for rank, (_, _, reason) in enumerate(FILMS, start=1)
    ]
    similar = [
        {"title_id": f"t{one}", "similar_title_id": f"t{other}", "rank": rank}
        for one in range(3)
        for rank, other in enumerate((4, 5), start=1)
    ]
    trends = [
        {
            "acted_on": date(2025, 12, 5) + timedelta(days=day),
            "genre": text(genre),
            "play_count": 40 + (day * step) % 37,
            "rating_count": None,
        }
        for genre, step in GENRES
        for day in range(28)
    ]
    churn = [{"changed_on": date(2026, 1, 1), "member_count": 812, "cancel_count": 20}]
    return {
        "vocabulary/titles": titles,
        "slates/part-0000": slates,
        "similar/part-0000": similar,
        "insights/genre_trends_daily": trends,
        "retention/churn_daily": churn,
    }


def write(folder: Path, *, passed=True, text=lambda value: value) -> Path:
    """The folder of a release, without its manifest."""
    for name, rows in tables(text).items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows)
        if "rating_count" in table.column_names:
            place = table.column_names.index("rating_count")
            table = table.set_column(place, "rating_count", pa.nulls(len(rows), pa.int64()))
        pq.write_table(table, path)
    (folder / "validation").mkdir(exist_ok=True)
    checks = [
        {name: text(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in results(passed)
    ]
    (folder / "validation/results.json").write_text(json.dumps({"results": checks}))
    return folder


def page(folder: Path, fields=None) -> str:
    """The page of a release in that folder."""
    return report.draw(folder, manifest() if fields is None else fields)["report.html"]
