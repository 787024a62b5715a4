"""Which members a release shows as examples."""

import pytest

from matinee.night import manifest

ACTIVE = [f"m{place}" for place in range(100)]


@pytest.mark.parametrize(
    ("active", "inactive", "examples"),
    [
        (ACTIVE, ["x", "y"], ["m50", "m25", "y"]),
        (ACTIVE, [], ["m50", "m25", "m75"]),
        (ACTIVE[:2], [], ["m1", "m0"]),
        (ACTIVE[:1], [], ["m0"]),
        ([], ["x"], ["x"]),
        ([], [], []),
    ],
)
def test_examples_are_typical_members(active, inactive, examples):
    assert manifest.typical(active, inactive) == examples
