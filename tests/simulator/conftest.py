"""One small simulation, run once."""

import pytest

from matinee.simulator import Simulation


@pytest.fixture(scope="session")
def simulation():
    return Simulation(members=300, titles=200, days=12, seed=7)


@pytest.fixture(scope="session")
def landed(simulation):
    return list(simulation.landing_days())
