"""Describes the planted truth, for tests and to check a model against it.

The pipeline never reads it.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from matinee.simulator import accounts, behaviour, delivery, homepage, people, world
from matinee.simulator.simulation import Simulation
from matinee.simulator.tables import member_id

MAX_MEMBERS = 10_000  # described individually; the others follow the same rules
NOTE = (
    "Planted by a simulator. A model that finds it again shows that the code works, not that the "
    "model is good for real members."
)


def describe(simulation: Simulation) -> dict[str, Any]:
    """The planted truth as JSON values. Complete after the last landing day."""
    members = simulation.people
    count = min(len(members), MAX_MEMBERS)
    return {
        "note": NOTE,
        "rules": {
            "taste_strength": people.STRENGTH,
            "archetypes": world.ARCHETYPES,
            "artwork_tags": world.ARTWORK_TAGS,
            "position_bias": {"row": behaviour.ROW_BIAS, "column": behaviour.COLUMN_BIAS},
            "churn_log_odds": accounts.CANCEL_LOG_ODDS,
            "policy": {
                "id": homepage.POLICY_ID,
                "exploration": homepage.EXPLORATION,
                "artwork_exploration": homepage.ARTWORK_EXPLORATION,
            },
            "experiment": {"id": homepage.EXPERIMENT_ID, "effect": "position bias and no other"},
            "rising_theme": asdict(simulation.rising) if simulation.rising else None,
            "late_ratio": delivery.LATE_RATE,
            "very_late_ratio": delivery.VERY_LATE_RATE,
            "bots": 0,
        },
        "members": {member_id(row): _member(simulation, row) for row in range(count)},
        "titles": {
            film.id: {
                "is_invented": film.is_invented,
                "popularity": round(float(simulation.catalogue.popularity[row]), 6),
                "quality": round(float(simulation.catalogue.quality[row]), 4),
                "added_on": simulation.tables.on(int(simulation.catalogue.added[row])).isoformat(),
                "hidden": simulation.catalogue.hidden[row].round(4).tolist(),
            }
            for row, film in enumerate(simulation.catalogue.films)
        },
        "cancellations": [
            {
                "member_id": member_id(int(row["member"])),
                "on": simulation.tables.on(int(row["day"])).isoformat(),
                "satisfaction": row["satisfaction"],
                "chance": row["chance"],
            }
            for row in simulation.cancellations
        ],
    }


def _member(simulation: Simulation, row: int) -> dict[str, Any]:
    members = simulation.people
    names = simulation.catalogue.names
    return {
        "archetypes": _named(list(world.ARCHETYPES), members.mixture[row]),
        "genres": _named(list(world.GENRES), members.genres[row]),
        "themes": _named(list(world.THEMES), members.themes[row]),
        "artwork": _named(list(world.ARTWORK_TAGS), members.artwork[row]),
        "favourites": [names[k] for k in members.favourites[row] if k >= 0],
        "hidden": members.hidden[row].round(4).tolist(),
        "activity": round(float(members.activity[row]), 4),
        "arm": homepage.ARMS[int(members.is_treated[row])],
    }


def _named(names: list[str], weights: np.ndarray[Any, Any]) -> dict[str, float]:
    """The six largest weights by absolute value, largest first."""
    order = np.argsort(-np.abs(weights), kind="stable")[:6]
    return {names[k]: round(float(weights[k]), 4) for k in order}
