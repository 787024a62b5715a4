"""Evaluates all models alike: one Arrow table, one row per model, cohort and metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation import metrics
from matinee.evaluation.names import EVERYONE
from matinee.matrices import has_interactions

Row: TypeAlias = dict[str, Any]
"""One row of an evaluation."""


EVALUATION = pa.schema(
    [
        ("model", pa.string()),
        ("cohort", pa.string()),
        ("metric", pa.string()),
        ("member_count", pa.int64()),
        ("mean", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        # The candidate's lead over this model, on the same members; null in the candidate's rows.
        ("lead", pa.float64()),
        ("lead_low", pa.float64()),
        ("lead_high", pa.float64()),
    ]
)


def cohorts(
    member_counts: NDArray[np.integer], *, heavy_from: int = 20
) -> dict[str, NDArray[np.bool_]]:
    """Members by length of their history: masks, bool, shape (n_members,).

    `cold` members have no interaction in the training data, `light` ones fewer than `heavy_from`,
    `heavy` ones the rest; `everyone` is all of them.
    """
    return {
        EVERYONE: np.ones(len(member_counts), np.bool_),
        "heavy": member_counts >= heavy_from,
        "light": (member_counts > 0) & (member_counts < heavy_from),
        "cold": member_counts == 0,
    }


def only_titles(truth: sp.csr_array[np.bool_], titles: NDArray[np.bool_]) -> sp.csr_array[np.bool_]:
    """The held-out set restricted to `titles`, for example to cold ones."""
    kept = truth.copy()
    kept.data = kept.data & titles[kept.indices]
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


def evaluate(
    slates: Mapping[str, NDArray[np.intp]],
    truth: sp.csr_array[np.bool_],
    members: Mapping[str, NDArray[np.bool_]],
    *,
    candidate: str,
    seed: int,
    metric_names: tuple[str, ...] = ("ndcg", "recall"),
    extra_metrics: Mapping[str, metrics.Metric] | None = None,
    prefix: str = "",
) -> pa.Table:
    """Evaluate the slates of several models on the same members and the same held-out set.

    Parameters
    ----------
    slates : mapping of model name to intp, shape (n_members, k)
        All of one length k, which becomes part of the metrics' names: `ndcg@10`.
    truth : bool CSR, shape (n_members, n_titles)
        The held-out set. Members with an empty row are not evaluated.
    members : mapping of cohort name to bool, shape (n_members,)
        As `cohorts` returns them. A cohort without evaluated members has no rows.
    candidate : str
        The model to be published. Its lead over each other model is measured member by member.
    metric_names : names in `metrics.PER_MEMBER`
    extra_metrics : mapping of name to metric, optional
        Further metrics. Members for whom one is NaN are left out of it.
    prefix : str
        Before the names of metrics, for lists of another context: `session_ndcg@10`.

    Returns
    -------
    Table with schema `EVALUATION`
        With one row `coverage@k` per model for everyone: the share of the catalogue in the slates
        of all members given, evaluated or not. It has no interval.
    """
    lengths = {name: rows.shape[1] for name, rows in slates.items()}
    if candidate not in slates:
        raise ConfigError(f"no slates of {candidate}, only of {', '.join(slates)}")
    if len(set(lengths.values())) > 1:
        raise ConfigError(f"slates must have one length to be compared, got {lengths}")
    k = lengths[candidate]
    evaluated = has_interactions(truth)
    table: list[Row] = []
    per_member = {name: metrics.PER_MEMBER[name] for name in metric_names}
    for name, metric in (per_member | dict(extra_metrics or {})).items():
        values = {
            model: np.where(evaluated, metric(rows, truth), np.nan)
            for model, rows in slates.items()
        }
        table += compared(
            values, members, metric=f"{prefix}{name}@{k}", candidate=candidate, seed=seed
        )
    for model, rows in slates.items():
        share = metrics.coverage(rows, title_count=truth.shape[1])
        row: Row = {"model": model, "cohort": EVERYONE, "metric": f"{prefix}coverage@{k}"}
        table.append(row | {"member_count": len(rows), "mean": share})
    return pa.Table.from_pylist(table, schema=EVALUATION)


def compared(
    values: Mapping[str, NDArray[np.float64]],
    members: Mapping[str, NDArray[np.bool_]],
    *,
    metric: str,
    candidate: str,
    seed: int,
) -> list[Row]:
    """The values of several models for one metric, by cohort: rows of `EVALUATION`.

    Parameters
    ----------
    values : mapping of model name to float, shape (n_members,)
        A member with NaN for one model is left out for all.
    members : mapping of cohort name to bool, shape (n_members,)
        A cohort without members has no rows.
    """
    table: list[Row] = []
    evaluated = np.logical_and.reduce([np.isfinite(of_model) for of_model in values.values()])
    for cohort, inside in members.items():
        mask = inside & evaluated
        if not mask.any():
            continue
        own = {model: all_values[mask] for model, all_values in values.items()}
        others = [model for model in values if model != candidate]
        leads = [own[candidate] - own[model] for model in others] if others else []
        columns = np.column_stack([*own.values(), *leads])
        intervals = metrics.bootstrap_columns(columns, seed)
        of_leads = dict(zip(others, intervals[len(own) :], strict=True))
        for model, (mean, low, high) in zip(own, intervals, strict=False):
            row: Row = {"model": model, "cohort": cohort, "metric": metric}
            row |= {"member_count": int(mask.sum()), "mean": mean, "low": low, "high": high}
            lead = of_leads.get(model, (None, None, None))
            row |= dict(zip(("lead", "lead_low", "lead_high"), lead, strict=True))
            table.append(row)
    return table
