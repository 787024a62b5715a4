"""Which picture a member sees: an approved one with its label, the same one every time."""

import pytest

from matinee.insights.draws import key_of
from matinee.releases import Store
from matinee.serving.artwork import NO_SEGMENT, Pictures
from matinee.serving.release_view import ReleaseView


@pytest.fixture(scope="module")
def view(night_home):
    return ReleaseView.open(Store.of(night_home).open("live"))


@pytest.fixture(scope="module")
def choices(view):
    return view.artwork.choices(NO_SEGMENT)


@pytest.fixture(scope="module")
def several(choices):
    """Titles with several pictures."""
    return [title for title, names in enumerate(choices.asset_ids) if names]


def test_every_picture_of_a_release_is_approved_and_its_chances_sum_to_one(view, choices, several):
    approved = set(view.release.table("artwork/assets.parquet")["asset_id"].to_pylist())
    assert len(several) > 10
    assert {name for title in several for name in choices.asset_ids[title]} <= approved
    assert choices.probability.sum(axis=1) == pytest.approx(1.0)


def test_members_see_different_pictures_and_each_the_same_one_again(choices, several):
    seen = [Pictures(choices, key_of(f"m-{one}")).places(several) for one in range(50)]
    assert seen == [Pictures(choices, key_of(f"m-{one}")).places(several) for one in range(50)]
    assert len({tuple(one) for one in seen}) == 50


def test_somebody_whose_data_is_not_used_sees_the_likeliest_picture(view, several):
    pictures = view.artwork.of("m-000000", 0, is_personal=False)
    chances = pictures.choices.probability[several]
    assert pictures.places(several) == chances.argmax(axis=1).tolist()


def test_an_ai_label_follows_the_picture(view, choices, several):
    table = view.release.table("artwork/assets.parquet").to_pylist()
    labels = {row["asset_id"]: row["disclosure_label"] for row in table}
    heads = {
        name: head
        for title in several
        for name, head in zip(choices.asset_ids[title], choices.heads[title], strict=True)
    }
    labelled = [name for name in heads if labels[name]]
    assert labelled
    assert all(labels[name].encode() in heads[name] for name in labelled)


def test_members_have_the_pictures_of_the_segment_that_the_release_gave_them(view):
    table = view.release.table("insights/segment_members.parquet")
    member, segment = (table[name][0].as_py() for name in ("member_id", "segment"))
    pictures = view.artwork.of(member, view.files.row_of(member), is_personal=True)
    assert pictures.choices is view.artwork.choices(segment)


def test_a_title_with_one_picture_shows_it(view, choices):
    single = [title for title, names in enumerate(choices.asset_ids) if not names]
    heads = Pictures(choices, key_of("m")).heads(single)
    assert heads == [view.heads[one] for one in single]
