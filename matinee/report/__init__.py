"""What a person reads of a release.

`page` makes report.html, `card` makes card.md, and `plots` the charts that the card shows;
`parameters` makes the page for those who are shown the lists.
"""

from matinee.report.card import card
from matinee.report.page import page
from matinee.report.parameters import parameters
from matinee.report.plots import FOLDER as PLOTS
from matinee.report.plots import plots

__all__ = ["PLOTS", "card", "page", "parameters", "plots"]
