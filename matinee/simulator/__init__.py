"""A seeded, believable streaming service: raw logs with planted truths and real films' names.

What it is for: to show and to test the whole line without anybody's data. What it is not: evidence
of quality. Its members choose by a formula that is close to what a hybrid recommender assumes, so a
model that does well here has shown that the code works, and nothing about people. Real logs judge
models.

    for day in Simulation(members=600, titles=1500, days=60, seed=1).landing_days():
        day.tables["plays"]  # an Arrow table in the raw-log contract's columns

No I/O: `matinee.operations.simulate` writes what this yields.

Who does what: `seeds` keeps days apart, `world` holds what is fixed, `catalogue` and `people` draw
who and what there is, `taste` says what a title is worth to a member, `homepage` shows titles with
exact propensities, `behaviour` lives a day, `accounts` joins, pays and leaves, `queries` types,
`tables` and `snapshots` write it down, `delivery` makes it late, doubled and broken, `truth` tells.
"""

from matinee.simulator.simulation import LandingDay, Simulation
from matinee.simulator.tables import SCHEMAS
from matinee.simulator.truth import describe

__all__ = ["SCHEMAS", "LandingDay", "Simulation", "describe"]
