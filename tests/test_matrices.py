"""Tables become matrices whose rows, names and weights are as promised, in any row order."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee import matrices
from matinee.errors import ConfigError, DataError
from matinee.vocabulary import Vocabulary

FILMS = Vocabulary.from_ids(["heat", "ronin", "up"])
GENRES = [["crime", "drama"], ["crime"], ["family", "crime", ""]]


def films(families=None, *, identity=True, weights=None, support=1, **more):
    families = {"genre": GENRES} if families is None else families
    return matrices.features(
        FILMS,
        families,
        identity=identity,
        family_weights=weights or dict.fromkeys(families, 0.3),
        minimum_support=support,
        **more,
    )


def test_identity_comes_first_then_families_by_name():
    features = films()
    assert features.names == (
        *("identity=heat", "identity=ronin", "identity=up"),
        *("genre=crime", "genre=drama", "genre=family"),
    )
    assert features.families == ("identity",) * 3 + ("genre",) * 3
    assert features.columns_of("genre").tolist() == [False] * 3 + [True] * 3
    np.testing.assert_allclose(
        features.matrix.toarray(),
        [
            [1, 0, 0, 0.15, 0.15, 0.00],
            [0, 1, 0, 0.30, 0.00, 0.00],
            [0, 0, 1, 0.15, 0.00, 0.15],
        ],
        rtol=1e-6,
    )
    assert features.matrix.dtype == np.float32


def test_values_of_too_few_rows_get_no_column():
    features = films(support=2)
    assert features.names[3:] == ("genre=crime",)
    np.testing.assert_allclose(features.matrix.toarray()[:, 3], 0.3)


def test_a_long_list_keeps_the_most_frequent_values():
    features = films(longest_list=1)
    assert features.names[3:] == ("genre=crime",)


def test_repeats_in_a_row_count_once():
    features = films({"genre": [["crime", "crime"], ["crime"], []]}, identity=False, support=2)
    np.testing.assert_allclose(features.matrix.toarray(), [[0.3], [0.3], [0]])


@pytest.mark.parametrize(
    "labels",
    [
        ["en", "fr", None],
        [["en"], ["fr"], None],
        pa.array(["en", "fr", None]),
        pa.array([["en"], ["fr"], []]),
        pa.chunked_array([["en"], ["fr", None]]),
    ],
)
def test_one_value_per_row_may_be_a_string_or_a_list(labels):
    features = films({"language": labels}, identity=False)
    assert features.names == ("language=en", "language=fr")
    np.testing.assert_allclose(features.matrix.toarray(), [[0.3, 0], [0, 0.3], [0, 0]])


def test_a_family_without_weight_is_an_error():
    with pytest.raises(ConfigError, match=r"family genre has weight 0.0: give it one above 0"):
        films(weights={"theme": 1.0})


def test_a_family_of_the_wrong_length_is_an_error():
    with pytest.raises(DataError, match="family genre has 1 rows for 3 ids"):
        films({"genre": [["crime"]]})


def test_rows_without_any_feature_are_an_error():
    with pytest.raises(DataError, match="no feature has 9 rows or more: lower"):
        films(identity=False, support=9)


@given(st.lists(st.lists(st.sampled_from("abcdef")), min_size=3, max_size=3))
def test_every_row_with_a_value_has_the_same_weight(values):
    features = films({"letter": values, "kind": ["film"] * 3}, identity=False)
    letters = features.matrix[:, features.columns_of("letter")].sum(axis=1)
    np.testing.assert_allclose(letters, [0.3 if row else 0 for row in values], rtol=1e-5)


def weigh(members, titles, signal, age, shape=(3, 4), half_life=30.0):
    return matrices.interactions(
        np.array(members),
        np.array(titles),
        np.array(signal, dtype=float),
        np.array(age, dtype=float),
        half_life_days=half_life,
        shape=shape,
    )


def test_days_of_one_pair_are_summed_and_dislikes_subtracted():
    liked = weigh([0, 0, 1, 1, 2], [1, 1, 2, 2, 3], [1, 1, 1, -2, 1], [0, 0, 0, 0, 0])
    assert liked.row.tolist() == [0, 2]
    assert liked.col.tolist() == [1, 3]
    assert liked.data[0] > liked.data[1]


def test_a_new_signal_weighs_more_than_an_old_one_and_the_old_one_keeps_a_floor():
    liked = weigh([0, 1, 2], [0, 0, 0], [1, 1, 1], [0, 30, 100_000])
    fresh, older, oldest = liked.data
    assert fresh > older > oldest > 0
    expected = np.log1p(np.array([1, 0.625, 0.25]) / 0.625)
    np.testing.assert_allclose(liked.data, expected / expected.mean(), rtol=1e-5)


def test_weights_have_mean_one_and_a_limit():
    liked = weigh(np.arange(300) % 3, np.arange(300) % 100, [1] * 299 + [1e9], [0] * 300, (3, 100))
    assert liked.data.mean() == pytest.approx(1)
    assert liked.data.max() < 1.1 * matrices.LARGEST_WEIGHT


@given(st.data())
def test_interactions_do_not_depend_on_the_order_or_unit_of_rows(data):
    size = data.draw(st.integers(1, 40))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    acts = random.integers(0, 3, size), random.integers(0, 4, size)
    signal, age = random.random(size), random.random(size) * 100
    order = random.permutation(size)
    straight = weigh(*acts, signal, age)
    shuffled = weigh(acts[0][order], acts[1][order], signal[order], age[order])
    assert straight.row.tolist() == shuffled.row.tolist()
    assert straight.col.tolist() == shuffled.col.tolist()
    assert straight.data.tobytes() == shuffled.data.tobytes()
    np.testing.assert_allclose(weigh(*acts, signal * 1000, age).data, straight.data, rtol=1e-4)


def test_seen_is_a_set():
    seen = matrices.seen(np.array([1, 0, 1, 1]), np.array([2, 3, 0, 2]), shape=(3, 4))
    assert seen.toarray().astype(int).tolist() == [[0, 0, 0, 1], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert seen.has_sorted_indices
    assert seen.dtype == np.bool_


def test_a_signal_from_the_future_is_an_error():
    with pytest.raises(DataError, match=r"1 of 2 signals are younger .* row 1, -0.5 days old"):
        weigh([0, 0], [0, 1], [1, 1], [0, -0.5])


def test_a_half_life_of_zero_is_an_error():
    with pytest.raises(ConfigError, match="a half-life must be above 0 days, got 0"):
        weigh([0], [0], [1], [0], half_life=0)


def test_signals_that_are_not_finite_are_an_error():
    with pytest.raises(DataError, match="1 of 1 signals are not finite"):
        weigh([0], [0], [np.nan], [0])


def test_dislikes_alone_are_an_error():
    with pytest.raises(DataError, match="none of 1 member-title pairs has a positive signal"):
        weigh([0], [0], [-1], [0])


@pytest.mark.parametrize(("member", "title", "name"), [(-1, 0, "member"), (0, 4, "title")])
def test_a_row_outside_the_vocabulary_is_an_error(member, title, name):
    with pytest.raises(DataError, match=f"1 of 1 interactions have a {name} outside .* row 0"):
        weigh([member], [title], [1], [0])


def test_members_and_titles_with_interactions_are_found_in_both_formats():
    dense = np.array([[0, 2, 0], [0, 0, 0], [0, 1, 1]], np.float32)
    for matrix in (sp.csr_array(dense), sp.coo_array(dense), sp.csr_array(dense > 0)):
        assert matrices.has_interactions(matrix).tolist() == [True, False, True]
        assert matrices.has_interactions(matrix, of="titles").tolist() == [False, True, True]
