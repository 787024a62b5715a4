"""A night's facts, small enough to read and full enough to fill every part of the page."""

from datetime import UTC, date, datetime, timedelta

AT = datetime(2026, 1, 2, 3, 15, tzinfo=UTC)
RELEASE_ID = "20260102T031500Z-3f9ac0ffee12"

MEANS = {
    "ndcg_at_10": {"heavy": 0.209, "light": 0.142, "cold_member": 0.118, "cold_title": 0.087},
    "recall_at_10": {"heavy": 0.131, "light": 0.205, "cold_member": 0.171, "cold_title": 0.112},
    "coverage": {"all": 0.412},
}
FACTORS = {"hybrid": 1.0, "cf_only": 0.88, "content_only": 0.71, "popularity": 0.59}


def metrics():
    return [
        {
            "model": model,
            "cohort": cohort,
            "metric": metric,
            "mean": mean * factor,
            "low": mean * factor * 0.94,
            "high": mean * factor * 1.07,
            "n": 1284 if cohort == "heavy" else 412,
        }
        for metric, cohorts in MEANS.items()
        for cohort, mean in cohorts.items()
        for model, factor in FACTORS.items()
    ]


def rule(name, passed, observed, threshold, text):
    return {
        "rule": name,
        "passed": passed,
        "observed": observed,
        "threshold": threshold,
        "text": text,
    }


def fields(passed=True):
    return {
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
        "code": {"commit": "c0ffee5e1ec7ed", "dirty": False, "lock_sha256": "ab" * 32},
        "environment": {"python": "3.11.7", "cpu": "x86_64", "lightfm": "1.17.3"},
        "determinism": {"seed": 20260101, "threads": 1},
        "features": {"service": "hybrid_ranker_v1", "registry_sha256": "cd" * 32},
        "model": {"loss": "warp", "dimensions": 64, "epochs": 40, "learning_rate": 0.02},
        "exposure": exposure(),
        "privacy": {"member_count": 5000, "excluded_by_purpose": {"personalisation": 312}},
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


FILMS = [
    ("Metropolis", 1927, "Because you watched Nosferatu"),
    ("M", 1931, "Directed by Fritz Lang"),
    ("The Cabinet of Dr. Caligari", 1920, "Horror you have been watching in the evenings"),
    ("Sunrise: A Song of Two Humans", 1927, "Directed by F. W. Murnau"),
    ("The Passion of Joan of Arc", 1928, "Popular with members who like silent drama"),
    ("Pandora's Box", 1929, "Because you watched Diary of a Lost Girl"),
]


def film_rows():
    return [
        {"rank": rank, "name": name, "released_on": date(year, 1, 1), "reason": reason}
        for rank, (name, year, reason) in enumerate(FILMS, start=1)
    ]


def trends():
    days = [date(2025, 12, 5) + timedelta(days=i) for i in range(28)]
    return [
        {"name": genre, "day": day, "value": 40 + (i * step) % 37 + i * drift}
        for genre, step, drift in [
            ("Drama", 7, 1),
            ("Comedy", 11, 0),
            ("Horror", 5, 2),
            ("Science fiction", 13, -1),
            ("Documentary", 3, 1),
        ]
        for i, day in enumerate(days)
    ]


def everything(passed=True):
    """Every argument of `page`."""
    streams = [("plays", 81234, 80902, 210, 122), ("ratings", 1204, 1204, 0, 0)]
    names = ("stream", "received", "kept", "repeats", "rejected")
    suites = [("stg_playback__plays", "watched_seconds"), ("stg_engagement__ratings", "value")]
    return {
        "fields": fields(passed),
        "release_id": RELEASE_ID,
        "status": "live" if passed else "candidate",
        "facts": {"member_count": 5000, "title_count": 1512, "slate_count": 5000},
        "counts": [dict(zip(names, row, strict=True)) for row in streams],
        "validation": [
            {
                "table": table,
                "expectation": "expect_column_values_to_be_between",
                "column": column,
                "severity": "critical",
                "success": passed or column == "value",
                "observed": 0 if passed else 14,
                "notes": "Players are killed after a day; longer is a broken clock.",
            }
            for table, column in suites
        ],
        "slates": [
            {"member_id": "m0017", "note": "heavy, evenings, Drama", "source": "hybrid"},
            {"member_id": "m1203", "note": "joined yesterday", "source": "cold_member"},
            {"member_id": "m4411", "note": "no consent", "source": "non_profiled"},
        ],
        "similar": [{"name": "Nosferatu"}, {"name": "Casablanca"}, {"name": "Alien"}],
        "trends": trends(),
        "retention": [
            {"cohort": "2025-10", "member_count": 812, "returned_ratio": 0.71, "week": 4},
            {"cohort": "2025-11", "member_count": 640, "returned_ratio": 0.68, "week": 4},
        ],
        "history": [
            {
                "as_of": AT + timedelta(days=i),
                "metric": metric,
                "mean": 0.19 + i * 0.003,
                "low": 0.18 + i * 0.003,
                "high": 0.2 + i * 0.003,
            }
            for metric in ("ndcg_at_10", "recall_at_10")
            for i in range(7)
        ],
    }


def full_page(report, passed=True):
    told = everything(passed)
    told["slates"] = [member | {"rows": film_rows()} for member in told["slates"]]
    told["similar"] = [title | {"rows": film_rows()[:4]} for title in told["similar"]]
    return report.page(told.pop("fields"), **told)
