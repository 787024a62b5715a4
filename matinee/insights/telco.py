"""The churn regression on any flat table, such as the public telco churn table: text, blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.evaluation.metrics import binary
from matinee.insights import logistic
from matinee.insights.churn import LATER_SHARE, Evaluation, Score

TENURE = "tenure"
"""The column of the baseline, if there is one."""


@dataclass(frozen=True)
class Table:
    """A design matrix and the label."""

    names: tuple[str, ...]
    columns: NDArray[np.float64]
    """float, shape (n, k): numbers, and a column for each value of a text. A blank is NaN."""
    label: NDArray[np.bool_]
    left_out: tuple[str, ...]
    """Columns whose texts are all different, such as ids."""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]], *, label: str, positive: str) -> Table:
        """Rows of a CSV file.

        Raises
        ------
        DataError
            If there are no rows, or no such label.
        """
        if not rows:
            raise DataError("the table has no rows")
        if label not in rows[0]:
            raise DataError(f"no column {label}; there are {', '.join(rows[0])}")
        names: list[str] = []
        columns: list[NDArray[np.float64]] = []
        left_out = []
        for name in rows[0]:
            if name == label:
                continue
            texts = np.array([row[name].strip() for row in rows])
            if (numbers := _numbers(texts)) is not None:
                names.append(name)
                columns.append(numbers)
                continue
            values = np.unique(texts[texts != ""])
            if len(values) == len(rows):
                left_out.append(name)
                continue
            # One value of two says the same as the other.
            for value in values[1:] if len(values) == 2 else values:
                names.append(f"{name}={value}")
                columns.append(np.where(texts == "", np.nan, texts == value))
        is_positive = np.array([row[label].strip() == positive for row in rows], np.bool_)
        return cls(tuple(names), np.column_stack(columns), is_positive, tuple(left_out))


def _numbers(texts: NDArray[np.str_]) -> NDArray[np.float64] | None:
    """The numbers of a column with blanks as NaN, or None if a text is no number."""
    try:
        return np.where(texts == "", "nan", texts).astype(np.float64)
    except ValueError:
        return None


def evaluate(table: Table, *, seed: int) -> Evaluation:
    """The regression, tenure alone and the mean rate on a random part of the rows.

    A flat table has no dates, so the held-out part is random instead of the latest.
    """
    held = np.random.default_rng(seed).random(len(table.label)) < LATER_SHARE
    subsets = {"all columns": list(range(len(table.names)))}
    if TENURE in table.names:
        subsets["tenure only"] = [table.names.index(TENURE)]
    subsets["mean rate"] = []
    scores: list[Score] = []
    bins: list[binary.Bin] = []
    for model, own in subsets.items():
        names = [table.names[place] for place in own]
        fitted = logistic.fit(table.columns[~held][:, own], table.label[~held], names)
        chance = fitted.probability(table.columns[held][:, own])
        label = table.label[held]
        scores.append(Score(model, binary.roc_auc(chance, label), binary.brier(chance, label)))
        bins = bins or binary.reliability(chance, label)
    return Evaluation(tuple(scores), tuple(bins), int(held.sum()), int(table.label[held].sum()))
