"""Evaluates what would be published beside baselines, and applies the rules of the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from matinee import releases, transform, warehouse
from matinee.columns import PLACES
from matinee.evaluation import comparison, gate
from matinee.models import fits
from matinee.night import combine, fit
from matinee.night.evaluate.baselines import baseline
from matinee.night.evaluate.result import Evaluation
from matinee.night.evaluate.split import Options, evaluate_split, without
from matinee.night.evaluate.versions import Split, ranker_of, versions
from matinee.night.frame import EVALUATED, PUBLISHED
from matinee.night.night import Night
from matinee.night.policy import exposure_policy, operator_policy
from matinee.slates import ai_labels, exposure, member_groups

__all__ = [
    "ARTWORK",
    "PLACES",
    "Evaluation",
    "Options",
    "Split",
    "baseline",
    "carried",
    "compare",
    "evaluate",
    "evaluate_split",
    "ranker_of",
    "versions",
    "without",
]

ARTWORK = """
    select asset_id, title_id, digital_source_type, disclosure_label
    from assets
    where
        asset_kind = 'artwork'
        and not is_retired
    order by asset_id
"""


def evaluate(night: Night) -> Evaluation:
    """Rank all unseen titles for each evaluated member with every model, and compare.

    Where a baseline is better than the combination, the night publishes the baseline.
    """
    settings = night.settings
    fitted = fit.load_all(night)
    members = warehouse.query(
        "select member_id, country, plan, gender, birth_year from members order by member_id",
        home=night.home,
    )
    ids = fitted[PUBLISHED].frame.members.ids
    options = Options(
        slate_size=settings.slate_size,
        coverage_share=float(transform.project_vars(settings.project)["coverage_share"]),
        seed=settings.seed,
        policy=exposure_policy.policy(settings.project),
        rules=operator_policy.read(
            settings.project, warehouse.query("select * from titles", home=night.home)
        ),
        day=night.as_of.date(),
        audited=member_groups.member_groups(members, ids, year=night.as_of.year),
    )
    result, published = compare(fitted, combine.Chosen.read(night.work("")), options)
    published.write(night.work(""))
    return replace(result, verdicts=(*result.verdicts, _labels(night)))


def carried(
    night: Night, release: releases.Release, verdicts: Sequence[gate.Verdict]
) -> Evaluation:
    """The evaluation that a release carries from the last full one, with tonight's verdicts."""
    table = release.evaluation()
    names = ["member_count" if name == "n" else name for name in table.column_names]
    return Evaluation(
        table.rename_columns(names).cast(comparison.EVALUATION),
        (*verdicts, _labels(night)),
        tuple(release.manifest["exposure"]["gaps"]),
    )


def _labels(night: Night) -> gate.Verdict:
    titles = warehouse.query(
        "select * from titles where not is_retired order by 1", home=night.home
    )
    return ai_labels.labelled(warehouse.query(ARTWORK, home=night.home), titles)


def compare(
    fitted: Mapping[str, fits.Fit], chosen: combine.Chosen, options: Options
) -> tuple[Evaluation, combine.Chosen]:
    """Evaluate both contexts on what the validation splits hold out, as they would be published.

    Parameters
    ----------
    fitted : mapping of frame name to fit
        As `fit.load_all` returns them.

    Returns
    -------
    evaluation : Evaluation
    chosen : Chosen
        With the model that each context publishes.
    """
    tables: list[pa.Table] = []
    verdicts: list[gate.Verdict] = []
    groups: list[exposure.Row] = []
    for split in _splits(fitted, chosen):
        result = evaluate_split(split, chosen, options)
        tables.append(result.evaluation)
        verdicts += result.verdicts
        groups += result.groups
        chosen = chosen.publishing(split.context, result.model)
    if not tables:
        n_members = len(fitted[PUBLISHED].frame.members)
        empty = comparison.EVALUATION.empty_table()
        return Evaluation(empty, (gate.no_evaluated_members(n_members),)), chosen
    return Evaluation(pa.concat_tables(tables), tuple(verdicts), tuple(groups)), chosen


def _splits(fitted: Mapping[str, fits.Fit], chosen: combine.Chosen) -> list[Split]:
    """The validation splits that could be made, and the weights that have not seen them."""
    found = []
    if visit := fitted.get(EVALUATED):
        weights = chosen.evaluation_weights
        found.append(Split("next_visit", visit, (weights, weights)))
    if last := combine.session_fit(fitted):
        found.append(Split("session", last, chosen.halves))
    return found
