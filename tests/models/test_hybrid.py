"""The model learns plain patterns, the same bit for bit, and reports divergence."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from subprocess import run

import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError

from matinee import matrices
from matinee.errors import DataError, GateError, IntegrityError, StorageError
from matinee.models import cold_start, hybrid
from matinee.night.model_files import load_model, save_model
from matinee.slates import ranking
from matinee.vocabulary import Vocabulary

SIZE = 20
MEMBERS = Vocabulary.from_ids([f"m{n:02}" for n in range(SIZE)])
TITLES = Vocabulary.from_ids([f"t{n:02}" for n in range(SIZE)])
COLOURS = ["dark" if n % 2 else "light" for n in range(SIZE)]
SMALL = hybrid.Hyperparameters(
    components=8, epochs=30, learning_rate=0.05, member_shrinkage=0.0, seed=1
)


def features(ids, *, identity=True, content=True):
    return matrices.features(
        ids,
        {"colour": COLOURS} if content else {},
        identity=identity,
        family_weights={"colour": 0.3},
        minimum_support=1,
    )


def checkerboard(cold_titles=0):
    """Every member likes the titles of the member's own parity; the diagonal is left out."""
    member, title = np.nonzero(np.add.outer(np.arange(SIZE), np.arange(SIZE)) % 2 == 0)
    keep = (member != title) & (title < SIZE - cold_titles)
    member, title = member[keep], title[keep]
    return matrices.interactions(
        member, title, np.ones(len(member)), np.zeros(len(member)), half_life_days=1,
        shape=(SIZE, SIZE),
    )  # fmt: skip


def slates(model, members, titles, k):
    liked = checkerboard()
    seen = matrices.seen(liked.row, liked.col, shape=liked.shape)
    vectors = model.member_vectors(members), model.title_vectors(titles)
    return ranking.best_titles(*vectors, k, excluded=seen)


def test_the_left_out_title_of_each_member_comes_first():
    members, titles = features(MEMBERS, content=False), features(TITLES, content=False)
    model = hybrid.fit(checkerboard(), members, titles, SMALL)
    rows, _ = slates(model, members, titles, 1)
    assert rows[:, 0].tolist() == list(range(SIZE))


def test_content_alone_ranks_cold_titles():
    members = features(MEMBERS, content=False)
    titles = features(TITLES, identity=False)
    model = hybrid.fit(checkerboard(cold_titles=4), members, titles, SMALL)
    scores = model.member_vectors(members) @ model.title_vectors(titles).T
    cold = scores[:, SIZE - 4 :]
    likes = np.add.outer(np.arange(SIZE), np.arange(SIZE - 4, SIZE)) % 2 == 0
    assert cold[likes].min() > cold[~likes].max()


def test_scores_equal_those_of_lightfm_up_to_the_members_own_bias():
    from lightfm import LightFM

    members, titles = features(MEMBERS), features(TITLES)
    liked = checkerboard()
    model = hybrid.fit(liked, members, titles, SMALL)
    reference = LightFM(
        no_components=8, loss="warp", learning_rate=0.05, item_alpha=SMALL.title_alpha,
        user_alpha=SMALL.member_alpha, max_sampled=SMALL.max_sampled, random_state=1,
    )  # fmt: skip
    by_member, by_title = (sp.csr_matrix(side.matrix.toarray()) for side in (members, titles))
    order = np.lexsort((liked.col, liked.row))
    rows = liked.row[order].astype(np.int32), liked.col[order].astype(np.int32)
    reference.fit(
        sp.coo_matrix((np.ones(liked.nnz, np.float32), rows), shape=liked.shape),
        user_features=by_member, item_features=by_title, epochs=30,
    )  # fmt: skip
    pairs = np.divmod(np.arange(SIZE * SIZE, dtype=np.int32), SIZE)
    expected = reference.predict(
        *pairs, user_features=by_member, item_features=by_title,
    ).reshape(SIZE, SIZE)  # fmt: skip
    own_bias = members.matrix @ reference.user_biases
    ours = model.member_vectors(members) @ model.title_vectors(titles).T
    np.testing.assert_allclose(ours, expected - own_bias[:, None], atol=1e-4)


def test_parallel_fits_are_equal_bit_for_bit_in_any_row_order():
    members, titles, liked = features(MEMBERS), features(TITLES), checkerboard()
    order = np.random.default_rng(1).permutation(liked.nnz)
    shuffled = sp.coo_array(
        (liked.data[order], (liked.row[order], liked.col[order])), shape=liked.shape
    )
    with ThreadPoolExecutor(2) as pool:
        fits = [
            pool.submit(hybrid.fit, given, members, titles, SMALL) for given in (liked, shuffled)
        ]
        one, two = (fitted.result() for fitted in fits)
    assert one.member_embeddings.tobytes() == two.member_embeddings.tobytes()
    assert one.title_embeddings.tobytes() == two.title_embeddings.tobytes()
    other = hybrid.fit(liked, members, titles, replace(SMALL, seed=2))
    assert one.title_embeddings.tobytes() != other.title_embeddings.tobytes()


def test_a_cold_title_is_near_titles_with_its_content():
    members, titles = features(MEMBERS), features(TITLES)
    model = hybrid.fit(checkerboard(cold_titles=2), members, titles, SMALL)
    vectors = model.title_vectors(titles)
    dark, light = vectors[1:-2:2].mean(axis=0), vectors[:-2:2].mean(axis=0)
    new = vectors[-1]  # an odd title: dark
    assert np.linalg.norm(new - dark) < 0.5 * np.linalg.norm(new - light)


def test_a_feature_of_one_title_with_interactions_is_kept():
    titles = features(TITLES)
    counts = np.zeros(SIZE, int)
    counts[3] = 9  # an odd title: dark
    kept = cold_start.without_untrained(np.ones((SIZE + 2, 1), np.float32), titles, counts)
    supported = [titles.names[column] for column in np.flatnonzero(kept)]
    assert supported == ["identity=t03", "colour=dark"]


def test_members_with_few_interactions_are_shrunk_most_toward_the_mean():
    members = features(MEMBERS)
    counts = np.array([9, 1] + [0] * (SIZE - 2))
    learned = np.zeros((SIZE + 2, 1), np.float32)
    learned[:2], learned[SIZE:] = [[5], [1]], 7
    shrunk = hybrid.shrunk(learned, members, counts, 1.0)[:, 0]
    # The mean of members with interactions is 3; nine in ten and one in two of the distance stay.
    np.testing.assert_allclose(shrunk[:2], [3 + 0.9 * 2, 3 - 0.5 * 2], rtol=1e-6)
    assert shrunk[2:].tolist() == [3] * (SIZE - 2) + [7, 7]
    unmoved = hybrid.shrunk(learned, members, counts, 0.0)[:, 0]
    assert unmoved[:3].tolist() == [5, 1, 3]


def test_without_identities_nothing_is_shrunk():
    members = features(MEMBERS, identity=False)
    learned = np.ones((2, 1), np.float32)
    assert hybrid.shrunk(learned, members, np.ones(SIZE, int), 3.0) is learned


def test_a_cold_member_gets_popular_titles():
    members, titles = features(MEMBERS, content=False), features(TITLES, content=False)
    member, title = np.nonzero(np.tri(SIZE - 1, SIZE))  # title 0 has most likes, title 19 none
    known = np.ones(len(member))
    liked = matrices.interactions(
        member, title, known, 0 * known, half_life_days=1, shape=(SIZE, SIZE)
    )
    model = hybrid.fit(liked, members, titles, SMALL)
    cold_member = model.member_vectors(members)[SIZE - 1 :]
    rows, _ = ranking.best_titles(cold_member, model.title_vectors(titles), 3)
    assert set(rows[0].tolist()) <= {0, 1, 2, 3, 4}


def test_progress_is_reported_after_each_epoch():
    reported = []
    members, titles = features(MEMBERS), features(TITLES)
    few = replace(SMALL, epochs=3)
    hybrid.fit(checkerboard(), members, titles, few, progress=lambda *args: reported.append(args))
    assert reported == [(1, 3), (2, 3), (3, 3)]


@pytest.fixture(scope="module")
def model():
    return hybrid.fit(checkerboard(), features(MEMBERS), features(TITLES), SMALL)


def test_a_saved_model_opens_as_it_was(model, tmp_path):
    save_model(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hyperparameters.json",
        "member_embeddings.npy",
        "title_embeddings.npy",
    ]
    opened = load_model(tmp_path)
    assert opened.hyperparameters == model.hyperparameters
    titles = features(TITLES)
    assert opened.title_vectors(titles).tobytes() == model.title_vectors(titles).tobytes()
    members = features(MEMBERS)
    assert opened.member_vectors(members).tobytes() == model.member_vectors(members).tobytes()


def test_the_error_of_a_missing_model_names_its_folder(tmp_path):
    with pytest.raises(StorageError, match=r"no model in .*: .*; fit and save one first"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hyperparameters.json", b"{}]"),
        ("hyperparameters.json", b'{"components": -1}'),
        ("hyperparameters.json", b'{"no_such_number": 1}'),
        ("title_embeddings.npy", b"torn"),
        ("title_embeddings.npy", b""),
    ],
)
def test_a_damaged_model_is_an_error(model, tmp_path, name, content):
    save_model(model, tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntegrityError, match=r"the model in .* is damaged: "):
        load_model(tmp_path)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_saved_model_with_a_number_that_is_not_finite_is_an_error(model, tmp_path, value):
    spoiled = model.title_embeddings.copy()
    spoiled[1, 2] = value
    save_model(replace(model, title_embeddings=spoiled), tmp_path)
    with pytest.raises(IntegrityError, match=r"1 numbers of title_embeddings.npy are NaN or inf"):
        load_model(tmp_path)


def test_a_pickle_in_an_array_file_is_an_error(model, tmp_path):
    save_model(model, tmp_path)
    np.save(tmp_path / "title_embeddings.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(IntegrityError, match=r"the model in .* is damaged: "):
        load_model(tmp_path)


def test_arrays_of_another_model_are_an_error(model, tmp_path):
    replaced = replace(model, member_embeddings=model.member_embeddings[:, :5])
    save_model(replaced, tmp_path)
    with pytest.raises(IntegrityError, match=r"\(5, 9\) dimensions, .* say \(8, 9\)"):
        load_model(tmp_path)


def test_features_of_another_vocabulary_are_an_error(model):
    with pytest.raises(DataError, match="the model knows 22 title features, got 20: build"):
        model.title_vectors(features(TITLES, content=False))
    with pytest.raises(DataError, match="the model knows 22 member features, got 20: build"):
        model.member_vectors(features(MEMBERS, content=False))


def test_rows_of_another_vocabulary_are_an_error():
    few = features(Vocabulary.from_ids(["t0"]), content=False)
    with pytest.raises(
        DataError, match="1 rows of title features for 20 titles of the interactions: build both"
    ):
        hybrid.fit(checkerboard(), features(MEMBERS), few, SMALL)


def test_the_error_of_an_unbounded_feature_names_it():
    titles = features(TITLES)
    titles.matrix.data[titles.matrix.indices == SIZE] = 1e6
    with pytest.raises(DataError, match=r"title feature colour=dark reaches 1e\+06, the limit is"):
        hybrid.fit(checkerboard(), features(MEMBERS), titles, SMALL)


def test_a_fit_without_interactions_is_an_error():
    nothing = sp.coo_array((SIZE, SIZE), dtype=np.float32)
    with pytest.raises(DataError, match="no interactions to learn from: no member has a"):
        hybrid.fit(nothing, features(MEMBERS), features(TITLES), SMALL)


def test_negative_interaction_weights_are_an_error():
    liked = checkerboard()
    liked.data[0] = -1
    with pytest.raises(DataError, match=r"1 of \d+ interaction weights are not positive numbers"):
        hybrid.fit(liked, features(MEMBERS), features(TITLES), SMALL)


@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_divergence_is_an_error_that_says_what_to_do(learning_rate):
    wild = replace(SMALL, learning_rate=learning_rate)
    with pytest.raises(GateError, match=r"training diverged in epoch 1: .*learning.rate"):
        hybrid.fit(checkerboard(), features(MEMBERS), features(TITLES), wild)


def test_impossible_hyperparameters_are_an_error():
    with pytest.raises(ValidationError, match="components"):
        hybrid.Hyperparameters(components=0)


def test_the_keys_of_hyperparameters_in_a_release_do_not_change(model, tmp_path):
    numbers = replace(model.hyperparameters, cold_start_penalty=0.7)
    save_model(replace(model, hyperparameters=numbers), tmp_path)
    stored = json.loads((tmp_path / "hyperparameters.json").read_text())
    assert stored["newcomer_penalty"] == 0.7
    assert not [key for key in stored if key.startswith("cold_start")]
    assert load_model(tmp_path).hyperparameters == numbers


def test_scoring_needs_no_lightfm(model, tmp_path):
    save_model(model, tmp_path)
    script = (
        "import sys; sys.modules['lightfm'] = None\n"
        "from pathlib import Path\n"
        "from matinee.night.model_files import load_model\n"
        "print(load_model(Path(sys.argv[1])).title_embeddings.shape)"
    )
    done = run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "(22, 9)\n"
