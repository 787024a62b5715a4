"""What a person reads of a release.

`page` makes report.html, `card` makes card.md, and `plots` the charts that the card shows.
"""

from matinee.report.card import card
from matinee.report.page import page
from matinee.report.plots import FOLDER as PLOTS
from matinee.report.plots import plots

__all__ = ["PLOTS", "card", "page", "plots"]
