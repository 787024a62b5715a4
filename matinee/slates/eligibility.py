"""Which titles may be shown: in the catalogue, in an open window, within the maturity limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee.columns import TITLE_ID
from matinee.slates.operator_policy import Rule
from matinee.vocabulary import Vocabulary


class Eligibility:
    """The eligible titles of one catalogue on one day.

    Parameters
    ----------
    titles : columns title_id, minimum_age, added_on, is_retired
        In the vocabulary's order.
    windows : columns title_id, country, starts_on, ends_on
        A title without a window is available everywhere. A title with windows is available only in
        their countries and days, both ends included. A null country means everywhere, a null day
        no limit.
    day : date
        The day that the slates are for.
    rules : sequence of Rule
        An operator's; titles under embargo are eligible nowhere that the rule names.
    """

    def __init__(
        self, titles: pa.Table, windows: pa.Table, *, day: date, rules: Sequence[Rule] = ()
    ) -> None:
        self._day = day
        self._embargoes = [rule for rule in rules if rule.wish == "embargo"]
        self._rows = Vocabulary.from_ids(titles[TITLE_ID])
        retired = pc.fill_null(titles["is_retired"], False)
        future = pc.fill_null(pc.greater(titles["added_on"], pa.scalar(day)), False)
        self._in_catalogue = ~_mask(pc.or_(retired, future))
        self._minimum_age = titles["minimum_age"].to_numpy()  # NaN where unknown
        started = pc.fill_null(pc.less_equal(windows["starts_on"], pa.scalar(day)), True)
        lasts = pc.fill_null(pc.greater_equal(windows["ends_on"], pa.scalar(day)), True)
        self._open = windows.filter(pc.and_(started, lasts))
        self._windowed = np.zeros(len(self._rows), np.bool_)
        self._windowed[_known(self._rows.rows(windows[TITLE_ID]))] = True

    def allowed(self, country: str | None, maximum_age: int | None) -> NDArray[np.bool_]:
        """Titles for members of this country and maturity limit: bool, shape (n_titles,).

        With a limit, a title of unknown age is excluded: to show it would be the greater harm.
        """
        allowed = self._in_catalogue & ~self._windowed
        everywhere = pc.is_null(self._open["country"])
        in_country = pc.fill_null(
            pc.equal(self._open["country"], pa.scalar(country, pa.string())), False
        )
        windows = self._open.filter(pc.or_(everywhere, in_country))
        rows = _known(self._rows.rows(windows[TITLE_ID]))
        allowed[rows] = self._in_catalogue[rows]
        for rule in self._embargoes:
            if rule.holds(country, self._day):
                allowed[_known(self._rows.rows(list(rule.titles)))] = False
        if maximum_age is not None:
            allowed &= self._minimum_age <= maximum_age
        return allowed


def _mask(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = values.to_numpy().astype(np.bool_)
    return mask


def _known(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[rows >= 0]
