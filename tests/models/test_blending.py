"""The scores of two models in one dot product."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee import matrices
from matinee.errors import ConfigError
from matinee.models import blending
from matinee.models.linear import LinearVectors
from matinee.vocabulary import Vocabulary

MEMBERS, TITLES = Vocabulary.from_ids(["a", "b", "c"]), Vocabulary.from_ids(["x", "y"])


def described(ids):
    """Identities, and one feature that all share."""
    return matrices.features(
        ids, {"kind": ["film"] * len(ids)}, identity=True, family_weights={"kind": 1.0},
        minimum_support=1,
    )  # fmt: skip


def blend(share):
    random = np.random.default_rng(1)
    members = random.standard_normal((4, 2)).astype(np.float32)
    titles = random.standard_normal((3, 3)).astype(np.float32)
    linear = LinearVectors(*random.standard_normal((2, 2, 5)).astype(np.float32))
    query_weights = sp.csr_array(np.array([[1, 0], [1, 0.5], [0, 0]], np.float32))
    both = blending.blended(
        members, titles, described(MEMBERS), described(TITLES),
        linear=linear, query_weights=query_weights, share=share,
    )  # fmt: skip
    return members, titles, linear, query_weights, both


def test_biases_stay_last_and_shared_features_have_no_linear_part():
    members, titles, _, _, (wide_members, wide_titles) = blend(0.4)
    assert wide_members.shape == (4, 7)
    assert wide_titles.shape == (3, 8)
    assert wide_titles[:, -1].tolist() == titles[:, -1].tolist()
    assert wide_members[:, :2].tolist() == members.tolist()
    assert not wide_members[3, 2:].any()
    assert not wide_titles[2, 2:-1].any()


def test_the_linear_part_is_zero_for_cold_members_and_proportional_for_others():
    _, _, linear, query_weights, (wide_members, wide_titles) = blend(0.4)
    scores = wide_members[:3, 2:] @ wide_titles[:2, 2:-1].T
    expected = query_weights @ linear.query_factors @ linear.title_factors.T
    ratio = scores[:2] / expected[:2]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    assert not scores[2].any()


def test_without_a_share_the_scores_are_lightfms():
    _, _, _, _, (wide_members, _) = blend(0.0)
    assert not wide_members[:, 2:].any()


def test_a_share_of_one_is_an_error():
    with pytest.raises(ConfigError, match="share must lie from 0 to below 1, got 1"):
        blend(1.0)


def test_a_trend_raises_the_first_title_far_above_the_next():
    lift = blending.risen(np.array([0.0, 1.0, 4.0]), spread=2.0)
    assert lift[2] == pytest.approx(8 * lift[1])
    assert lift.std() == pytest.approx(2.0)
    assert not blending.risen(np.ones(3), spread=2.0).any()
