"""What a person reads of a release: `page` makes report.html, `card` makes card.md."""

from matinee.report.card import card
from matinee.report.page import page

__all__ = ["card", "page"]
