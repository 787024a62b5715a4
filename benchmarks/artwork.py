"""Does the artwork policy find the best asset? Planted rates, and two public sets.

`python -m benchmarks.artwork` simulates impressions with a planted best asset for each title and
segment. With MATINEE_REAL_DATA it also reads `obp-men` (the log of each of two policies estimates
the other) and `upworthy-early` (randomised tests of headlines with pictures: one half of the
impressions chooses, the other half tells what the choice gave). Exits 1 if the planted best asset
is found for less than 90 % of the pairs with a verdict, or the policy is worse than chance.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.evaluation import off_policy
from matinee.insights import artwork_policy, take_rates
from matinee.insights.take_rates import ALL_SEGMENTS, Log

SEEDS = 20
LEAST_FOUND = 0.9

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Planted take rates, and a log of them by a policy that mostly shows the first asset."""

    rates: Doubles
    """float, shape (n_titles, n_segments, n_assets)."""
    log: Log
    assets: NDArray[np.intp]


def world(
    seed: int,
    *,
    titles: int = 40,
    segments: int = 4,
    assets: int = 3,
    impressions: int = 500_000,
    base: float = 0.06,
    lift: float = 1.6,
) -> World:
    """A world in which one asset of each title and segment has `lift` times the others' rate."""
    random = np.random.default_rng(seed)
    shape = titles, segments
    level = base * np.exp(random.normal(0, 0.4, titles)[:, None] + random.normal(0, 0.3, shape))
    rates = np.repeat(np.minimum(level, 0.4)[:, :, None], assets, axis=2)
    best = random.integers(assets, size=shape)
    np.put_along_axis(rates, best[:, :, None], lift * np.minimum(level, 0.4)[:, :, None], axis=2)
    propensity = np.full(assets, 0.3 / assets)
    propensity[0] += 0.7
    title = random.choice(titles, impressions, p=random.dirichlet(np.ones(titles)))
    segment = random.integers(segments, size=impressions)
    variant = random.choice(assets, impressions, p=propensity)
    clicked = random.random(impressions) < rates[title, segment, variant]
    log = Log(title, segment, title * assets + variant, clicked, propensity[variant])
    return World(rates, log, np.repeat(np.arange(titles), assets))


@dataclass(frozen=True)
class Found:
    """What the policy made of one world."""

    pairs: int
    with_verdict: int
    correct: int
    """Pairs whose verdict names the planted best asset."""
    value: float
    """The mean take rate of the policy over all pairs."""
    of_random: float
    of_best: float
    of_raw_winner: float


def planted(seed: int, **parameters: float) -> Found:
    """The policy that the log of a world gives, beside chance and the highest raw rate."""
    made = world(seed, **parameters)  # type: ignore[arg-type]
    rates = take_rates.take_rates(made.log, made.assets)
    policy = artwork_policy.policy(rates, seed=seed)
    inside = rates.segment != ALL_SEGMENTS
    count = made.rates.shape[2]
    truth = made.rates[rates.title, rates.segment, rates.asset % count][inside].reshape(-1, count)
    shown = policy.probability[inside].reshape(-1, count)
    named = (policy.verdict[inside] == artwork_policy.BEST).reshape(-1, count)
    raw = np.nan_to_num(rates.replayed[inside].reshape(-1, count)).argmax(axis=1)
    clear = named.any(axis=1)
    return Found(
        pairs=len(truth),
        with_verdict=int(clear.sum()),
        correct=int((named.argmax(axis=1) == truth.argmax(axis=1))[clear].sum()),
        value=float((shown * truth).sum(axis=1).mean()),
        of_random=float(truth.mean()),
        of_best=float(truth.max(axis=1).mean()),
        of_raw_winner=float(np.take_along_axis(truth, raw[:, None], axis=1).mean()),
    )


@dataclass(frozen=True)
class Bandit:
    """A log of `obp-men`: which of 34 actions was shown where, with which probability."""

    action: NDArray[np.intp]
    position: NDArray[np.intp]
    click: Doubles
    propensity: Doubles

    @classmethod
    def read(cls, file: Path) -> Bandit:
        table = pacsv.read_csv(file)
        return cls(
            *(table[name].to_numpy().astype(np.intp) for name in ("item_id", "position")),
            *(table[name].to_numpy().astype(np.float64) for name in ("click", "propensity_score")),
        )

    def shares(self) -> Doubles:
        """float, shape (n_positions, n_actions): how often each action was shown in a place."""
        counts = np.zeros((self.position.max() + 1, 34))
        np.add.at(counts, (self.position, self.action), 1)
        shares: Doubles = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares


def bandits(folder: Path) -> list[tuple[str, off_policy.Estimate, float, float]]:
    """(estimate of, estimate, mean reward of its own log, heaviest weight), of each estimator.

    The random policy is known exactly. That of the other log changes with time; it is taken as the
    shares with which it showed each action in each place.
    """
    by_name = {name: Bandit.read(folder / name / "men.csv") for name in ("random", "bts")}
    targets = {"random": np.full((4, 34), 1 / 34), "bts": by_name["bts"].shares()}
    rows = []
    for name, of in (("random", "bts"), ("bts", "random")):
        log, target = by_name[of], targets[name]
        weight = off_policy.weights(target[log.position, log.action], log.propensity)
        clicks = np.bincount(log.action, log.click, 34)
        shown = np.bincount(log.action, minlength=34)
        rate = (clicks + 300 * log.click.mean()) / (shown + 300)
        expected = (target @ rate)[log.position]
        own = float(by_name[name].click.mean())
        for kind, estimate in (
            ("IPS", off_policy.ips(log.click, weight)),
            ("SNIPS", off_policy.snips(log.click, weight)),
            ("DR", off_policy.doubly_robust(log.click, weight, rate[log.action], expected)),
        ):
            rows.append((f"{name} from {of}, {kind}", estimate, own, float(weight.max())))
    return rows


def single_actions(folder: Path) -> tuple[int, int]:
    """How many of the 34 policies "always this action" the `bts` log has no verdict on."""
    log = Bandit.read(folder / "bts" / "men.csv")
    without = 0
    for action in range(34):
        weight = off_policy.weights((log.action == action).astype(float), log.propensity)
        without += not off_policy.snips(log.click, weight).is_supported
    return without, 34


@dataclass(frozen=True)
class HeldOut:
    """Mean click rate on the held-out halves, of each way to choose a variant."""

    tests: int
    chosen: float
    policy: float
    raw_winner: float
    random: float
    best: float
    """Of the variant with the highest held-out rate: what no choice can reach."""
    promised_shrunk: float
    """The rate that the choosing half gives the chosen variant, shrunk."""
    promised_raw: float
    regret_low: float
    regret_high: float
    """The 95 % interval of chosen minus random, over tests."""
    with_verdict: int
    verdict_gain: float
    """The held-out rate of the variant that a verdict names, by that of chance."""


def upworthy(file: Path, seed: int) -> HeldOut:
    """Split the impressions of each test in halves, choose by one, evaluate by the other."""
    table = pq.read_table(file)
    ids = table["clickability_test_id"].to_numpy(zero_copy_only=False).astype(str)
    shown, clicks = (table[name].to_numpy().astype(np.int64) for name in ("impressions", "clicks"))
    _, test, count = np.unique(ids, return_inverse=True, return_counts=True)
    kept = count[test] > 1
    _, test = np.unique(test[kept], return_inverse=True)
    shown, clicks = shown[kept], clicks[kept]
    random = np.random.default_rng(seed)
    half = random.binomial(shown, 0.5)
    taken = random.hypergeometric(clicks, shown - clicks, half)

    # The log of the first half, an impression a row; variants were shown with equal probability.
    asset = np.repeat(np.arange(len(test)), half)
    start = np.repeat(np.cumsum(half) - half, half)
    clicked = np.arange(len(asset)) - start < taken[asset]
    variants = np.bincount(test)
    log = Log(
        test[asset],
        np.full(len(asset), ALL_SEGMENTS),
        asset,
        clicked,
        1.0 / variants[test[asset]],
    )
    rates = take_rates.take_rates(log, test)
    policy = artwork_policy.policy(rates, seed=seed)
    order = np.argsort(rates.asset)
    mean, probability = rates.mean[order], policy.probability[order]
    held_out = (clicks - taken) / np.maximum(shown - half, 1)
    raw = taken / np.maximum(half, 1)

    tests = len(variants)
    starts = np.searchsorted(np.sort(test), np.arange(tests))

    def of_best(values: Doubles) -> NDArray[np.intp]:
        """The variant of each test with the highest value, the first of equals."""
        ranked = np.lexsort((np.arange(len(test)), -values, test))
        return np.asarray(ranked[starts], np.intp)

    chance = np.bincount(test, held_out) / variants
    chosen = held_out[of_best(mean)]
    interval = off_policy.snips(chosen - chance, np.ones(tests))
    named = policy.verdict[order] == artwork_policy.BEST
    return HeldOut(
        tests=tests,
        chosen=float(chosen.mean()),
        policy=float(np.bincount(test, probability * held_out).mean()),
        raw_winner=float(held_out[of_best(raw)].mean()),
        random=float(chance.mean()),
        best=float(held_out[of_best(held_out)].mean()),
        promised_shrunk=float(mean[of_best(mean)].mean()),
        promised_raw=float(raw[of_best(raw)].mean()),
        regret_low=interval.low,
        regret_high=interval.high,
        with_verdict=int(named.sum()),
        verdict_gain=float(held_out[named].sum() / chance[test[named]].sum()),
    )


def main() -> int:
    """Print the tables."""
    write = sys.stdout.write
    found = [planted(seed) for seed in range(SEEDS)]
    clear = sum(one.with_verdict for one in found)
    share = sum(one.correct for one in found) / max(clear, 1)
    gains = np.array([one.value / one.of_random - 1 for one in found])
    pairs = sum(one.pairs for one in found)
    write(f"planted, {SEEDS} seeds: {pairs} pairs of title and segment, {clear} with a verdict\n")
    write(f"  the verdict names the planted best asset   {share:.1%}, at least {LEAST_FOUND:.0%}\n")
    write(
        f"  take rate above random    {gains.mean():+.1%}, lowest of all seeds {gains.min():+.1%}\n"
    )
    for name in ("of_random", "of_raw_winner", "value", "of_best"):
        write(f"  {name:15} {np.mean([getattr(one, name) for one in found]):.4f}\n")
    if real := os.environ.get("MATINEE_REAL_DATA"):
        write(
            "\nobp-men              value (95 %)                 of its own log  effective rows\n"
        )
        for label, one, own, heaviest in bandits(Path(real) / "obp-men"):
            write(
                f"  {label:24} {one.value:.4f} ({one.low:.4f} to {one.high:.4f})  {own:.4f}"
                f"  {one.effective_rows:6.0f} of 10,000, heaviest weight {heaviest:.0f}\n"
            )
        without, count = single_actions(Path(real) / "obp-men")
        write(f"  always one action, from bts: no verdict on {without} of {count}\n")
        halves = upworthy(Path(real) / "upworthy-early" / "tests.parquet", seed=1)
        write(f"\nupworthy-early, held-out halves of {halves.tests} tests: click rate\n")
        for name in ("random", "policy", "raw_winner", "chosen", "best"):
            write(f"  {name:15} {getattr(halves, name):.5f}\n")
        write(
            f"  chosen minus random {halves.chosen - halves.random:.5f} "
            f"({halves.regret_low:.5f} to {halves.regret_high:.5f})\n"
            f"  promised by the choosing half: shrunk {halves.promised_shrunk:.5f}, "
            f"raw {halves.promised_raw:.5f}\n"
            f"  {halves.with_verdict} verdicts, whose variants have "
            f"{halves.verdict_gain:.2f} times the rate of chance\n"
        )
    return int(share < LEAST_FOUND or gains.min() < 0)


if __name__ == "__main__":
    sys.exit(main())
