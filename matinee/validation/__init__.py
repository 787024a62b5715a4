"""Is this night's data sane? Great Expectations lives here, nowhere else.

`load_suites` reads `expectations/`, `check_all` holds every guarded table to its suite inside the
warehouse, and `Validation.raise_if_stopped` is the gate.
"""

from matinee.validation.checks import check, check_all
from matinee.validation.results import Checked, Validation
from matinee.validation.suites import load_suites

__all__ = ["Checked", "Validation", "check", "check_all", "load_suites"]
