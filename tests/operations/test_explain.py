"""Any score of a release can be explained from the release alone."""

import shutil
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import pipeline, releases
from matinee.errors import ConfigError, DataError
from matinee.models import feature_families
from matinee.night import contributions
from matinee.night.model_files import save_model
from matinee.operations.explain import NO_OWN_REASON
from matinee.releases import lookup
from matinee.settings import Settings
from tests import worlds


@pytest.fixture(scope="module")
def scorer():
    return worlds.scorer()


@pytest.fixture(scope="module")
def settings(scorer, tmp_path_factory):
    """A home with one release, live."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    store = releases.Store.of(settings.home)
    fields = {"created_at": datetime(2026, 2, 1, 3, tzinfo=UTC), "as_of": worlds.AS_OF}
    with store.draft() as draft:
        releases.write_slates(draft.path, [scorer.block(0).table])
        contributions.write(draft.path, scorer)
        (draft.path / "model").mkdir()
        save_model(scorer.model, draft.path / "model")
        (draft.path / "model/hyperparameters.json").unlink()
        contributions.write_arrays(draft.path / "model", scorer)
        (draft.path / "vocabulary").mkdir()
        described = scorer.features.titles
        tables = {
            "members": pa.table({"member_id": scorer.frame.members.ids}),
            "titles": scorer.catalogue.titles,
            "title_features": pa.table(
                {"name": list(described.names), "family": list(described.families)}
            ),
        }
        for name, table in tables.items():
            pq.write_table(table, draft.path / f"vocabulary/{name}.parquet")
        release = store.publish(draft, fields | {"gate": {"rules": [], "overrides": []}})
    store.nominate(release.id, at=fields["created_at"], by="test", why="to look at")
    return settings


def explain(settings, member, title):
    return pipeline.explain(settings, member, title, release="candidate")


@pytest.mark.parametrize("member", ["m-000", "m-031", "m-059"])
@pytest.mark.parametrize("title", ["t-000", "t-005", "t-047"])
def test_contributions_sum_to_the_score_for_any_pair(settings, scorer, member, title):
    explanation = explain(settings, member, title)
    row, column = int(member[2:]), int(title[2:])
    score = scorer.member_vectors[row] @ scorer.title_vectors[column]
    assert explanation.score == pytest.approx(score, abs=1e-5)
    for parts in (explanation.groups, explanation.features):
        assert sum(part["contribution"] for part in parts) == pytest.approx(score, abs=1e-5)


def test_slates_reasons_and_explanations_agree(settings):
    release = releases.Store.of(settings.home).open("candidate")
    parts = release.table("reasons/part-0000.parquet").to_pylist()
    slate = release.slate("m-004").to_pylist()
    for row in slate[:10]:
        explanation = explain(settings, "m-004", row["title_id"])
        assert explanation.words == row["reason"]
        mine = {
            part["feature"]: part["contribution"]
            for part in parts
            if (part["member_id"], part["title_id"]) == ("m-004", row["title_id"])
        }
        assert mine == {part["feature"]: part["contribution"] for part in explanation.features}
        assert sum(mine.values()) == pytest.approx(row["score"], abs=1e-5)
        assert (explanation.rank, explanation.slate_source) == (row["rank"], "hybrid")


def test_a_cold_member_has_no_personal_reason(settings):
    first = releases.Store.of(settings.home).open("candidate").slate("m-059").to_pylist()
    assert {row["source"] for row in first} == {"cold_member"}
    shown = explain(settings, "m-059", first[0]["title_id"])
    assert shown.words == first[0]["reason"] == "A first pick for new members"
    left = {f"t-{i:03}" for i in range(48)} - {row["title_id"] for row in first}
    assert explain(settings, "m-059", min(left)).words == NO_OWN_REASON


def test_there_is_no_personal_reason_if_the_personal_contributions_are_negative(settings, scorer):
    release = releases.Store.of(settings.home).open("candidate")
    mean_member = np.load(release.path / "model/everybody.npy", allow_pickle=False)
    own = scorer.member_vectors[:59] - mean_member
    against = np.argwhere(own @ scorer.title_vectors.T < 0)
    member, title = against[0]
    explanation = explain(settings, f"m-{member:03}", f"t-{title:03}")
    mean = [row for row in explanation.groups if row["group"] == "what everybody likes"]
    assert explanation.score < mean[0]["contribution"]
    assert any(
        row["contribution"] > 0 for row in explanation.features if row["feature"] != "everybody"
    )
    general = {NO_OWN_REASON, "Popular with everybody", "Popular in DE", "Popular in SE"}
    assert explanation.words in general


def test_contributions_are_grouped_by_feature_family(settings, scorer):
    explanation = explain(settings, "m-000", "Film 0")
    groups = {row["group"]: row["names"] for row in explanation.groups}
    assert groups["genre"] == ["Crime"]
    assert groups["theme"] == ["heist"]
    assert "what everybody likes" in groups
    liked = set(scorer.catalogue.labels)
    assert set(groups["people who watch alike"]) <= liked


def test_an_unknown_member_or_title_is_refused_by_name(settings):
    with pytest.raises(ConfigError, match="no scores for member 'nobody': unknown, or without"):
        explain(settings, "nobody", "t-000")
    with pytest.raises(ConfigError, match="no title 'Fil': did you mean 'Film 0'"):
        explain(settings, "m-000", "Fil")


def test_watched_titles_named_in_a_reason_were_watched(scorer):
    slates = scorer.block(0).table.to_pylist()
    liked = scorer.liked.toarray() > 0
    labels = np.array(scorer.catalogue.labels)
    rows = [row for row in slates if row["reason"].startswith("Because you watched ")]
    assert rows
    for row in rows:
        mine = set(labels[liked[int(row["member_id"][2:])]])
        assert set(row["reason"].removeprefix("Because you watched ").split(" and ")) <= mine


def test_reasons_of_a_slate_are_varied(scorer):
    texts = {}
    for row in scorer.block(0).table.to_pylist():
        if row["source"] == "hybrid" and row["rank"] <= 10:
            texts.setdefault(row["member_id"], []).append(row["reason"])
    most = [Counter(reasons).most_common(1)[0][1] for reasons in texts.values()]
    assert np.mean(most) < 6  # few things differ here: three genres and six directors
    assert np.mean([len(set(reasons)) for reasons in texts.values()]) > 3


def test_nothing_sensitive_is_a_feature_or_a_reason(scorer):
    families = {*scorer.features.members.families, *scorer.features.titles.families}
    columns = {
        *feature_families.MEMBER_FAMILIES.values(),
        *feature_families.TITLE_FAMILIES.values(),
    }
    for name in ("age", "birth", "gender", "maximum_age", "is_kids"):
        assert not [one for one in families | columns if name in one.split("_") or name == one]
    text = " ".join(filter(None, scorer.block(0).table["reason"].to_pylist())).lower()
    assert not {"age", "gender", "male", "female", "premium", "basic"} & set(text.split())


@pytest.fixture
def release(settings, tmp_path):
    """The same release in its own home, to change."""
    home = shutil.copytree(settings.home, tmp_path / "home")
    return releases.Store.of(home).open("candidate")


def test_inconsistent_arrays_are_refused(release):
    path = release.path / "model/everybody.npy"
    np.save(path, np.load(path, allow_pickle=False) + 1e9)
    message = r"sum to .*, the score is .*: the arrays of release \S+ are inconsistent"
    with pytest.raises(DataError, match=f"contributions for m-000 and t-000 {message}"):
        explain(Settings(home=release.path.parents[1]), "m-000", "t-000")


def test_a_name_of_two_titles_needs_an_id(release):
    path = release.path / "vocabulary/titles.parquet"
    titles = pq.read_table(path).to_pylist()
    titles[3]["name"] = titles[7]["name"] = "Twins"
    pq.write_table(pa.Table.from_pylist(titles), path)
    message = "2 titles have the name 'Twins': use an id: t-003 is Twins.*, t-007 is Twins"
    with pytest.raises(ConfigError, match=message):
        lookup.find_title(release, "Twins")
    with pytest.raises(ConfigError, match="has no title 'twinz': did you mean 'Twins'\\?"):
        lookup.find_title(release, "twinz")
    known = "has no title 'Jaws': its titles are in .*vocabulary/titles.parquet"
    with pytest.raises(ConfigError, match=known):
        lookup.find_title(release, "Jaws")
