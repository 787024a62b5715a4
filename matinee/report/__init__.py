"""What a person reads of a release: the page, the model card and the card's charts.

Everything is drawn from the files and the manifest of one release by the templates in
`templates/`, so that drawing an untouched release again gives the same bytes.
"""

from matinee.report.contents import validation_results
from matinee.report.figures import FOLDER as PLOTS
from matinee.report.figures import plots
from matinee.report.history import LENGTH as HISTORY
from matinee.report.history import numbers, states
from matinee.report.pages import CARD, PAGE, card, draw, parameters, stopped

__all__ = [
    "CARD",
    "HISTORY",
    "PAGE",
    "PLOTS",
    "card",
    "draw",
    "numbers",
    "parameters",
    "plots",
    "states",
    "stopped",
    "validation_results",
]
