"""Weights of the combination on public rating sets, chosen with and without each set.

    python -m benchmarks.combination SET... [--defaults]

SET is a folder of MovieLens (`ratings.csv`, `movies.csv`) or MovieTweetings (`*.dat`). For each set
and protocol the table has NDCG@10 with weights learned on the other sets only ("without this
set"), and with those as the default that the set's own validation splits move ("published").
`--defaults` prints the constants of `matinee/models/default_weights.py`, learned on all sets.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from matinee import matrices
from matinee.models import hybrid, learned_weights, parts
from matinee.models.cold_titles import with_cold_titles
from matinee.models.combination import COHORTS, Combination
from matinee.models.history import History
from matinee.models.learned_weights import Evidence
from matinee.models.new_titles import expected_demand
from matinee.vocabulary import Vocabulary

CONTEXTS = {"time": "next_visit", "last": "session"}
PER_SPLIT = 300
"""Members of a split that the default weights learn from, so that no set outweighs the others."""


@dataclass(frozen=True)
class Ratings:
    members: np.ndarray
    titles: np.ndarray
    times: np.ndarray
    shape: tuple[int, int]

    def where(self, mask):
        return Ratings(self.members[mask], self.titles[mask], self.times[mask], self.shape)

    def held_out(self, protocol):
        """The last tenth of all ratings, or each member's last ten, at most half."""
        if protocol == "time":
            return self.times >= np.sort(self.times)[round(0.9 * len(self.times))]
        ticket = np.random.default_rng(7).random(len(self.times))
        order = np.lexsort((ticket, self.times, self.members))
        counts = np.bincount(self.members, minlength=self.shape[0])
        sorted_counts = np.repeat(counts, counts)
        from_end = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(order))
        mask = np.zeros(len(order), bool)
        mask[order] = from_end < np.minimum(10, sorted_counts // 2)
        return mask


@dataclass(frozen=True)
class Catalogue:
    names: list[str]
    genres: list[list[str]]
    years: np.ndarray


def load(folder: Path) -> tuple[Ratings, Catalogue]:
    if (folder / "movies.csv").exists():
        with (folder / "movies.csv").open(encoding="utf-8", newline="") as file:
            films = list(csv.reader(file))[1:]
        lines = (folder / "ratings.csv").read_text().splitlines()[1:]
        cells = [line.split(",") for line in lines]
    else:
        text = (folder / "movies.dat").read_text(encoding="latin-1")
        films = [line.split("::") for line in text.split("\n") if line]
        cells = [line.split("::") for line in (folder / "ratings.dat").read_text().splitlines()]
    user, item, _, stamp = (np.array(column) for column in zip(*cells, strict=True))
    pairs, first = np.unique(
        np.column_stack([user.astype(int), item.astype(int)]), axis=0, return_index=True
    )
    pairs = np.column_stack([user.astype(int), item.astype(int)])[np.sort(first)]
    known = {int(film[0]): film for film in films}
    users, items = np.unique(pairs[:, 0]), np.unique([*known, *pairs[:, 1]])
    rows = np.searchsorted(users, pairs[:, 0]), np.searchsorted(items, pairs[:, 1])
    films = [known.get(item, [str(item), "", ""]) for item in items]
    found = [re.search(r"\((\d{4})", film[1][-8:]) for film in films]
    catalogue = Catalogue(
        [film[1].rsplit("(", 1)[0].lower() for film in films],
        [[g for g in film[2].split("|") if g and g[0] != "("] for film in films],
        np.array([float(year.group(1)) if year else np.nan for year in found]),
    )
    shape = (len(users), len(items))
    return Ratings(*rows, stamp[np.sort(first)].astype(np.int64), shape), catalogue


def fitted(ratings: Ratings, catalogue: Catalogue) -> parts.Parts:
    history = History.of_signals(
        ratings.members,
        ratings.titles,
        None,
        ratings.times.astype("datetime64[s]"),
        shape=ratings.shape,
    )
    member_ids, title_ids = (
        Vocabulary.from_ids([f"{row:09d}" for row in range(size)]) for size in ratings.shape
    )
    of_members = matrices.features(
        member_ids, {}, identity=True, family_weights={}, minimum_support=1
    )
    families = {
        "genre": catalogue.genres,
        "decade": ["" if np.isnan(y) else str(int(y) // 10) for y in catalogue.years],
    }
    of_titles = matrices.features(
        title_ids,
        families,
        identity=True,
        family_weights={"genre": 1.0, "decade": 0.5},
        minimum_support=3,
    )
    model = hybrid.fit(
        sp.coo_array(history.matrix()),
        of_members,
        of_titles,
        hybrid.Hyperparameters(),
    )
    vectors = model.member_vectors(of_members), model.title_vectors(of_titles)
    words = matrices.features(
        title_ids,
        {"word": [sorted(set(re.findall(r"[^\W\d_]{3,}", n))) for n in catalogue.names]},
        identity=False,
        family_weights={"word": 1.0},
        minimum_support=2,
    ).matrix
    rare = np.bincount(words.indices, minlength=words.shape[1]) <= 30
    kinds = of_titles.matrix[:, of_titles.columns_of("genre")]
    demand = expected_demand(
        history, kinds=kinds, kin=words[:, rare], release_years=catalogue.years
    )
    # Nothing is known of these members but their history, so that lists of others have no hybrid.
    own = replace(with_cold_titles(vectors, of_titles, history), needs_history=True)
    return parts.fit_parts(history, others={"hybrid": own}, new_titles=demand)


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def truth_of(ratings: Ratings, mask: np.ndarray) -> sp.csr_array:
    entries = np.ones(int(mask.sum()), bool), (ratings.members[mask], ratings.titles[mask])
    return sp.csr_array(entries, shape=ratings.shape)


def ndcg(fit: parts.Parts, truth: sp.csr_array, weights: np.ndarray, context: str) -> np.ndarray:
    """NDCG@10 of each evaluated member."""
    members = np.flatnonzero(np.diff(truth.indptr))
    watched = fit.history.matrix().astype(bool)
    chosen = Combination(fit.names, {context: weights})
    discount = 1 / np.log2(np.arange(2, 12))
    values = []
    for start in range(0, len(members), 512):
        rows = members[start : start + 512]
        scored = chosen.score(fit, rows, context=context, excluded=watched[rows])
        titles, _ = scored.best(10)
        hit = np.take_along_axis(truth[rows].toarray(), np.maximum(titles, 0), 1) & (titles >= 0)
        ideal = np.cumsum(discount)[np.minimum(np.diff(truth[rows].indptr), 10) - 1]
        values.append((hit * discount).sum(axis=1) / ideal)
    return np.concatenate(values)


def sample(split: Evidence, size: int) -> Evidence:
    n_members = len(split.cohort)
    if n_members <= size:
        return split
    kept = np.zeros(n_members, bool)
    kept[np.random.default_rng(0).permutation(n_members)[:size]] = True
    lengths = np.diff(split.indptr)
    of = np.repeat(kept, lengths)
    indptr = np.concatenate([[0], np.cumsum(lengths[kept])])
    return Evidence(split.features[of], indptr, split.cohort[kept], split.target[of])


def without_new_titles(split: Evidence) -> Evidence:
    """Public catalogues list only titles that were rated some day: no default stands on them."""
    features = split.features.copy()
    features[:, [features.shape[1] // 2 - 1, -1]] = 0
    return Evidence(features, split.indptr, split.cohort, split.target)


def learned(evidence: dict, sets: list[str], protocol: str, n_features: int) -> np.ndarray:
    """Default weights of a context; members without history ask for their next visit always."""
    pool = [sample(s, PER_SPLIT) for name in sets for s in evidence[name, protocol]]
    weights = learned_weights.choose_weights(
        [without_new_titles(split) for split in pool],
        np.zeros((len(COHORTS), n_features)),
        shared_penalty=2.5,
        cohort_penalty=10.0,
    )
    if protocol == "last":
        weights[0] = learned(evidence, sets, "time", n_features)[0]
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--defaults", action="store_true")
    given = parser.parse_args()
    own, everything, outer, names = {}, {}, {}, ()
    for folder in given.sets:
        whole, catalogue = load(folder)
        for protocol in CONTEXTS:
            began, splits, rest = time.process_time(), [], whole
            for step in range(4 if protocol == "time" else 2):
                mask = rest.held_out(protocol)
                train = rest.where(~mask)
                fit = fitted(train, catalogue)
                truth = truth_of(rest, mask)
                if step == 0:
                    outer[folder.name, protocol] = fit, truth
                splits.append(learned_weights.evidence(fit, truth))
                names, rest = fit.names, train
            own[folder.name, protocol] = splits[1:]
            everything[folder.name, protocol] = splits
            line(f"{folder.name} {protocol}: {time.process_time() - began:.0f} CPU s")
    line("\n| set | protocol | members | without this set | published |\n|---|---|---|---|---|")
    sets = [folder.name for folder in given.sets]
    for name in sets:
        for protocol, context in CONTEXTS.items():
            others = [other for other in sets if other != name]
            default = learned(everything, others, protocol, 2 * len(names))
            chosen = learned_weights.choose_weights(own[name, protocol], default)
            cells = [ndcg(*outer[name, protocol], w, context) for w in (default, chosen)]
            means = " | ".join(f"{cell.mean():.4f}" for cell in cells)
            line(f"| {name} | {protocol} | {len(cells[0])} | {means} |")
    if given.defaults:
        for protocol, context in CONTEXTS.items():
            weights = learned(everything, sets, protocol, 2 * len(names))
            line(f'    "{context}": {{')
            for column, part in enumerate(names):
                spread, rank = weights[:, column], weights[:, len(names) + column]
                line(f'        "{part}": (')
                for values in (spread, rank):
                    line(f"            ({', '.join(f'{v:.2f}' for v in values)}),")
                line("        ),")
            line("    },")


if __name__ == "__main__":
    main()
