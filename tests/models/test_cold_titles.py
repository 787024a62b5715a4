"""Cold titles are ordered by content too; all other scores stay."""

import numpy as np
import pyarrow as pa

from matinee import matrices
from matinee.models.cold_titles import with_cold_titles
from matinee.models.history import History
from matinee.vocabulary import Vocabulary

GENRES = ["Crime", "Drama"] * 6
"""Of titles 0 to 11; the last four are cold."""

N_MEMBERS, WARM = 5, 8


def part(seed=1):
    """Even members watched all warm Crime, odd ones all warm Drama, the last one nothing."""
    pairs = [(m, t) for m in range(N_MEMBERS - 1) for t in range(WARM) if t % 2 == m % 2]
    members, titles = np.array(pairs).T
    times = np.arange(len(pairs)).astype("datetime64[s]")
    history = History.of_signals(members, titles, None, times, shape=(N_MEMBERS, len(GENRES)))
    random = np.random.default_rng(seed)
    vectors = [random.normal(size=(n, 3)).astype(np.float32) for n in (N_MEMBERS, len(GENRES))]
    described = matrices.features(
        Vocabulary.from_ids([f"t{n:02}" for n in range(len(GENRES))]),
        {"genre": pa.array([[genre] for genre in GENRES]), "actor": pa.array(GENRES)},
        identity=True,
        family_weights={"genre": 0.3, "actor": 0.1},
        minimum_support=1,
    )
    return with_cold_titles((vectors[0], vectors[1]), described, history)


def test_cold_titles_of_the_members_own_genre_gain():
    found, everyone = part(), np.arange(N_MEMBERS - 1)
    before, after = found.warm.scores(everyone), found.scores(everyone)
    own_genre = np.arange(WARM, len(GENRES)) % 2 == everyone[:, None] % 2
    gain = after[:, WARM:] - before[:, WARM:]
    for row in everyone:
        assert gain[row][own_genre[row]].mean() > gain[row][~own_genre[row]].mean()


def test_warm_titles_and_members_without_history_keep_their_scores():
    found, everyone = part(), np.arange(N_MEMBERS)
    before, after = found.warm.scores(everyone), found.scores(everyone)
    assert (after[:, :WARM] == before[:, :WARM]).all()
    assert (after[-1] == before[-1]).all()


def test_cold_titles_keep_their_mean_and_spread():
    found, everyone = part(), np.arange(N_MEMBERS)
    before, after = (scores(everyone)[:, WARM:] for scores in (found.warm.scores, found.scores))
    np.testing.assert_allclose(after.mean(axis=1), before.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(after.std(axis=1), before.std(axis=1), atol=1e-6)


def test_a_members_scores_do_not_depend_on_who_is_scored_beside_them():
    found = part()
    alone = np.concatenate([found.scores(np.array([row])) for row in range(N_MEMBERS)])
    assert (alone == found.scores(np.arange(N_MEMBERS))).all()
