"""Is this night's data sane? Great Expectations lives here, nowhere else.

`load_suites` reads `expectations/`, `check_all` holds tables and files to their suites inside
DuckDB, `compare` sets a night's histograms beside the live release's, and
`Validation.raise_if_stopped` is the gate.
"""

from matinee.validation.checks import check, check_all
from matinee.validation.distributions import DAYS, DISTRIBUTIONS, Distribution, compare
from matinee.validation.results import NOT_COMPARED, Checked, Validation
from matinee.validation.suites import load_suites
from matinee.validation.volume import VOLUME

__all__ = [
    "DAYS",
    "DISTRIBUTIONS",
    "NOT_COMPARED",
    "VOLUME",
    "Checked",
    "Distribution",
    "Validation",
    "check",
    "check_all",
    "compare",
    "load_suites",
]
