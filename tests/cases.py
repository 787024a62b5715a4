"""Many small cases as one test: pytest's cost for each test is more than that of such a case."""

from collections.abc import Callable, Iterable


def failing(check: Callable[..., None], cases: Iterable[tuple]) -> list[str]:
    """The cases for which a check fails, each with what it found wrong."""
    wrong, count = [], 0
    for case in cases:
        count += 1
        try:
            check(*case)
        except AssertionError as error:
            wrong.append(f"{case}: {error}")
    assert count, "no cases"
    return wrong
