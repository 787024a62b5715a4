"""How titles that nobody has watched are ordered for each member, beside a plain ridge on content.

    python -m benchmarks.cold_titles SET...

SET as for `benchmarks.combination`. A fifth of the titles is cold: all its ratings are held out,
and only these titles are ranked. NDCG@10 over members with a history and a held-out rating.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.combination import fitted, line, load, truth_of
from matinee.evaluation import metrics
from matinee.models.cold_titles import WithColdTitles
from matinee.slates import ranking

SHARE = 0.2


def ridge(history, catalogue, cold: np.ndarray, penalty: float = 100.0) -> np.ndarray:
    """Scores by a few lines of NumPy that use no code of matinee, shape (n_members, n_titles)."""
    decades = np.nan_to_num(catalogue.years // 10).astype(int)
    labels = [
        [*genres, f"decade {decade}"]
        for genres, decade in zip(catalogue.genres, decades, strict=True)
    ]
    names = {name: n for n, name in enumerate(sorted({one for own in labels for one in own}))}
    content = np.zeros((len(labels), len(names)))
    for title, own in enumerate(labels):
        content[title, [names[name] for name in own]] = 1.0
    warm = np.where(cold[:, None], 0.0, content)
    inverse = np.linalg.inv(warm.T @ warm + penalty * np.eye(len(names)))
    return history @ warm @ inverse @ content.T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    line("| set | members | hybrid with the ridge | LightFM alone | ridge | lead on the ridge |")
    line("|---|---|---|---|---|---|")
    for folder in parser.parse_args().sets:
        whole, catalogue = load(folder)
        cold = np.random.default_rng(1).random(whole.shape[1]) < SHARE
        mask = cold[whole.titles]
        fit, truth = fitted(whole.where(~mask), catalogue), truth_of(whole, mask)
        known = fit.history.lengths() > 0
        members = np.flatnonzero((np.diff(truth.indptr) > 0) & known)
        part: WithColdTitles = fit.by_name["hybrid"]
        nothing = np.zeros((len(members), whole.shape[1]), bool)
        models = {
            "both": part.scores(members),
            "LightFM": part.warm.scores(members),
            "ridge": ridge(fit.history.matrix()[members].toarray(), catalogue, cold),
        }
        values = {}
        for name, scores in models.items():
            rows, _ = ranking.best_of_scores(
                np.asarray(scores, np.float32),
                np.arange(len(members)),
                10,
                excluded=type(truth)(nothing),
                allowed=cold,
            )
            values[name] = metrics.ndcg(rows, truth[members])
        lead = metrics.paired_bootstrap(values["both"], values["ridge"], seed=3)
        means = " | ".join(f"{one.mean():.4f}" for one in values.values())
        line(
            f"| {folder.name} | {len(members):,} | {means} |"
            f" {lead.mean:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}) |"
        )


if __name__ == "__main__":
    main()
