"""MovieLens 100K in the split of a public benchmark, beside its published figures.

    python -m benchmarks.public_tables ml-100k [--seeds 5]

The folder has MovieLens 100K as `u.data` and `u.item`, or as tab separated `ml-100k.inter` and
`ml-100k.item` with a header. The split is that of the recommenders-team benchmark ("06 benchmarks"
of its notebooks): a quarter of each title's ratings is held out at random, every held-out rating is
relevant, all other titles that the member has not rated are ranked, NDCG@10 over the members with
held-out ratings. The weights of the combination are chosen on the same split of the training part.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.combination import Catalogue, Ratings, fitted, line, ndcg, truth_of
from matinee.evaluation import metrics
from matinee.models import learned_weights
from matinee.models.combination import COHORTS
from matinee.models.default_weights import default_weights

PUBLISHED = {"BiVAE": 0.475, "BPR": 0.442, "LightGCN": 0.420}
"""NDCG@10 as the benchmark publishes it."""

PENALTIES = {"shared_penalty": 2.5, "cohort_penalty": 10.0}
"""A random split is neither a next visit nor a session: its evidence may move the weights far."""


def read(folder: Path) -> tuple[Ratings, Catalogue]:
    """Ratings in the order of the file, and what is known of the titles."""
    ratings, films = (
        [one for name in names if (one := folder / name).exists()]
        for names in (("u.data", "ml-100k.inter"), ("u.item", "ml-100k.item"))
    )
    if not ratings or not films:
        raise SystemExit(f"{folder} has neither u.data and u.item nor ml-100k.inter and .item")
    rows = [text.split("\t") for text in ratings[0].read_text().splitlines()]
    cells = np.array([row for row in rows if row[0].isdigit()]).astype(np.float64).astype(np.int64)
    users, member = np.unique(cells[:, 0], return_inverse=True)
    items, title = np.unique(cells[:, 1], return_inverse=True)
    names, genres, years = ({} for _ in range(3))
    for text in films[0].read_text(encoding="latin-1").splitlines():
        row = text.split("|" if films[0].name == "u.item" else "\t")
        if not row[0].isdigit():
            continue
        item, names[int(row[0])] = int(row[0]), row[1].rsplit("(", 1)[0].strip().lower()
        if films[0].name == "u.item":
            genres[item] = [str(n) for n, flag in enumerate(row[5:]) if flag == "1"]
            years[item] = float(row[2][-4:] or "nan")
        else:
            genres[item] = row[3].split()
            years[item] = float(row[2]) if row[2].isdigit() else np.nan
    known = items.tolist()
    catalogue = Catalogue(
        [names[item] for item in known],
        [genres[item] for item in known],
        np.array([years[item] for item in known]),
    )
    return Ratings(member, title, cells[:, 3], (len(users), len(items))), catalogue


def quarter(ratings: Ratings, seed: int) -> np.ndarray:
    """A quarter of each title's ratings, at random."""
    order = np.lexsort((np.random.default_rng(seed).random(len(ratings.titles)), ratings.titles))
    counts = np.bincount(ratings.titles, minlength=ratings.shape[1])
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    mask = np.zeros(len(order), bool)
    mask[order] = place >= np.round(0.75 * np.repeat(counts, counts))
    return mask


def alone(names: tuple[str, ...], part: str) -> np.ndarray:
    """Weights of one part and of no other."""
    weights = np.zeros((len(COHORTS), 2 * len(names)))
    weights[:, [names.index(part), len(names) + names.index(part)]] = 1.0
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    whole, catalogue = read(given.folder)
    found: dict[str, list[np.ndarray]] = {}
    began = time.process_time()
    for seed in range(given.seeds):
        mask = quarter(whole, seed)
        train = whole.where(~mask)
        inner = quarter(train, seed + 1_000)
        validation = fitted(train.where(~inner), catalogue)
        evidence = learned_weights.evidence(validation, truth_of(train, inner))
        names = validation.names
        chosen = learned_weights.choose_weights(
            [evidence], default_weights("session", names), **PENALTIES
        )
        fit, truth = fitted(train, catalogue), truth_of(whole, mask)
        weights = {"combination": chosen}
        weights |= {part: alone(names, part) for part in ("ease", "rp3beta", "hybrid")}
        for model, rows in weights.items():
            found.setdefault(model, []).append(ndcg(fit, truth, rows, "session"))
        line(f"seed {seed}: {found['combination'][-1].mean():.4f}")
    line("\n| model | NDCG@10, mean of the seeds | 95 % over members, first seed | seeds |")
    line("|---|---|---|---|")
    for model, values in found.items():
        means = [one.mean() for one in values]
        own = metrics.bootstrap_columns(values[0][:, None], seed=3)[0]
        line(
            f"| {model} | {np.mean(means):.4f} | {own.low:.4f} to {own.high:.4f} |"
            f" {min(means):.4f} to {max(means):.4f} |"
        )
    for model, value in PUBLISHED.items():
        line(f"| {model}, published | {value:.3f} | | |")
    line(f"\n{time.process_time() - began:.0f} CPU seconds, {given.seeds} seeds")


if __name__ == "__main__":
    main()
