"""A seeded simulation of a streaming service: raw logs with planted truths and names of real films.

It demonstrates and tests the whole pipeline without personal data. It is no evidence of quality:
members choose by a formula that is close to the assumptions of a hybrid recommender. Models are
evaluated on real logs.

    for day in Simulation(members=600, titles=1500, days=60, seed=1).landing_days():
        day.tables["plays"]  # an Arrow table with the columns of the raw-log contract

No I/O: `matinee.operations.simulate` writes what this yields.

Modules: `seeds` has a random stream per purpose and day, `world` has constants, `catalogue` and
`people` draw titles and members, `taste` gives a member's utility of a title, `homepage` shows
titles with exact propensities, `behaviour` simulates a day, `accounts` simulates subscriptions,
`queries` writes search texts, `tables` and `snapshots` build log tables, `delivery` adds delays,
duplicates and broken lines, `truth` describes what was planted.
"""

from matinee.simulator.simulation import LandingDay, Simulation
from matinee.simulator.tables import SCHEMAS
from matinee.simulator.truth import describe

__all__ = ["SCHEMAS", "LandingDay", "Simulation", "describe"]
