"""A warm fit starts from an earlier model's embeddings by name, and from random ones elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from matinee import matrices
from matinee.errors import DataError
from matinee.models import hybrid
from matinee.models.warm_start import matched
from matinee.vocabulary import Vocabulary

PARAMETERS = hybrid.Hyperparameters(
    components=6, epochs=20, learning_rate=0.05, member_shrinkage=0.0, seed=1
)


def ids(*names):
    vocabulary = Vocabulary.from_ids(list(names))
    return matrices.features(vocabulary, {}, identity=True, family_weights={}, minimum_support=1)


def likes(shape):
    member, title = np.nonzero(np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2 == 0)
    ones = np.ones(len(member), np.float32)
    return sp.coo_array((ones, (member.astype(np.int32), title.astype(np.int32))), shape=shape)


def test_rows_are_matched_by_name_and_untrained_ones_are_left_out():
    learned = np.array([[1, 1], [2, 2], [0, 0], [4, 4]], np.float32)
    side = matched(
        learned, ["identity=a", "identity=gone", "identity=b", "identity=c"], ids(*"abcd")
    )
    assert side.columns.tolist() == [0, 2]
    assert side.learned.tolist() == [[1, 1], [4, 4]]


def test_names_of_another_model_are_an_error():
    with pytest.raises(DataError, match="1 names for 2 learned features: take the names"):
        matched(np.ones((2, 2), np.float32), ["identity=a"], ids("a"))


def test_a_warm_fit_stays_near_the_earlier_model_and_trains_new_features():
    members, titles = ids(*"abcdefgh"), ids(*"pqrstuvw")
    before = hybrid.fit(likes((8, 8)), members, titles, PARAMETERS)
    more_members, more_titles = ids(*"abcdefghi"), ids(*"opqrstuvw")
    start = before.start(members.names, titles.names, more_members, more_titles)
    few = replace(PARAMETERS, epochs=3)
    after = hybrid.fit(likes((9, 9)), more_members, more_titles, few, start=start)
    moved = np.linalg.norm(after.member_embeddings[:8] - before.member_embeddings, axis=1)
    anew = hybrid.fit(likes((9, 9)), more_members, more_titles, few).member_embeddings[:8]
    assert moved.mean() < np.linalg.norm(anew - before.member_embeddings, axis=1).mean()
    assert after.member_embeddings[8].any()
    assert after.title_embeddings[0].any()
    again = hybrid.fit(likes((9, 9)), more_members, more_titles, few, start=start)
    assert again.title_embeddings.tobytes() == after.title_embeddings.tobytes()


def test_a_start_has_neither_biases_nor_the_further_dimensions_of_older_releases():
    members, titles = ids(*"abcd"), ids(*"pqrs")
    model = hybrid.fit(likes((4, 4)), members, titles, PARAMETERS)
    older = hybrid.HybridModel(
        np.hstack([model.member_embeddings, np.ones((4, 3), np.float32)]),
        np.hstack([model.title_embeddings, np.ones((4, 3), np.float32)]),
        PARAMETERS,
    )
    start = older.start(members.names, titles.names, members, titles)
    assert start.members.learned.shape[1] == 6
    assert start.titles.learned.shape[1] == 6
