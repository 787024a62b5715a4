"""Any score of a release can be explained from the release alone."""

import hashlib
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
from matinee.operations.explain import NO_OWN_REASON
from matinee.releases import lookup
from matinee.rights import consent
from matinee.settings import Settings
from tests import worlds


@pytest.fixture(scope="module")
def scorer():
    return worlds.scorer()


@pytest.fixture(scope="module")
def settings(scorer, tmp_path_factory):
    """A home with one release, live."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    release = worlds.publish(settings.home, scorer)
    store, at = releases.Store.of(settings.home), datetime(2026, 2, 1, 3, tzinfo=UTC)
    store.nominate(release.id, at=at, by="test", why="to look at")
    consent.refresh(settings)
    return settings


def explain(settings, member, title):
    return pipeline.explain(settings, member, title, release="candidate")


@pytest.fixture(scope="module")
def shown(scorer):
    """(member, title) -> the score in a slate."""
    rows = worlds.block(scorer).table.to_pylist()
    return {(row["member_id"], row["title_id"]): row["score"] for row in rows}


@pytest.mark.parametrize("member", ["m-000", "m-031", "m-058", "m-059"])
def test_contributions_add_up_to_the_score_of_any_title(settings, shown, member):
    in_slate = [title for of, title in shown if of == member]
    others = [f"t-{number:03}" for number in range(48) if f"t-{number:03}" not in in_slate]
    for title in (*in_slate[:2], in_slate[-1], others[0], others[-1]):
        explanation = explain(settings, member, title)
        for parts in (explanation.groups, explanation.features):
            total = sum(part["contribution"] for part in parts)
            assert total == pytest.approx(explanation.score, abs=1e-5)
        if title in in_slate:
            assert explanation.score == pytest.approx(shown[member, title], abs=1e-5)


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
        all_parts = {part["feature"]: part["contribution"] for part in explanation.features}
        by_name = {name: part for name, part in mine.items() if name != "watched"}
        assert by_name == pytest.approx({name: all_parts[name] for name in by_name}, abs=1e-5)
        assert sum(mine.values()) == pytest.approx(row["score"], abs=1e-5)
        assert (explanation.rank, explanation.slate_source) == (row["rank"], "hybrid")


def test_a_cold_member_has_no_personal_reason(settings):
    first = releases.Store.of(settings.home).open("candidate").slate("m-059").to_pylist()
    assert {row["source"] for row in first} == {"cold_member"}
    shown = explain(settings, "m-059", first[0]["title_id"])
    assert shown.words == first[0]["reason"] == "A first pick for new members"
    left = {f"t-{i:03}" for i in range(48)} - {row["title_id"] for row in first}
    assert explain(settings, "m-059", min(left)).words == NO_OWN_REASON


def test_contributions_are_grouped_into_words(settings, scorer):
    explanation = explain(settings, "m-000", "Film 0")
    groups = {row["group"]: row["names"] for row in explanation.groups}
    assert groups["genre"] == ["Crime"]
    assert groups["theme"] == ["heist"]
    assert "what everybody likes" in groups
    row = scorer.ranker.seen[[0]].indices
    watched = {scorer.catalogue.labels[title] for title in row}
    assert set(groups["titles watched"]) - {""} <= watched


def test_an_unknown_member_or_title_is_refused_by_name(settings):
    with pytest.raises(ConfigError, match="no scores for member 'nobody': unknown, or without"):
        explain(settings, "nobody", "t-000")
    with pytest.raises(ConfigError, match="no title 'Fil': did you mean 'Film 0'"):
        explain(settings, "m-000", "Fil")


def test_watched_titles_named_in_a_reason_were_watched(scorer):
    slates = worlds.block(scorer).table.to_pylist()
    liked = scorer.ranker.liked.toarray() > 0
    labels = np.array(scorer.catalogue.labels)
    rows = [row for row in slates if row["reason"].startswith("Because you watched ")]
    assert rows
    for row in rows:
        mine = set(labels[liked[int(row["member_id"][2:])]])
        assert set(row["reason"].removeprefix("Because you watched ").split(" and ")) <= mine


def test_reasons_of_a_slate_are_varied(scorer):
    texts = {}
    for row in worlds.block(scorer).table.to_pylist():
        if row["source"] == "hybrid" and row["rank"] <= 10:
            texts.setdefault(row["member_id"], []).append(row["reason"])
    most = [Counter(reasons).most_common(1)[0][1] for reasons in texts.values()]
    assert np.mean(most) < 6  # few things differ here: three genres and six directors
    assert np.mean([len(set(reasons)) for reasons in texts.values()]) > 3


def test_nothing_sensitive_is_a_feature_or_a_reason(scorer):
    families = {
        *scorer.ranker.fit.features.members.families,
        *scorer.ranker.fit.features.titles.families,
    }
    columns = {
        *feature_families.MEMBER_FAMILIES.values(),
        *feature_families.TITLE_FAMILIES.values(),
    }
    for name in ("age", "birth", "gender", "maximum_age", "is_kids"):
        assert not [one for one in families | columns if name in one.split("_") or name == one]
    text = " ".join(filter(None, worlds.block(scorer).table["reason"].to_pylist())).lower()
    assert not {"age", "gender", "male", "female", "premium", "basic"} & set(text.split())


@pytest.fixture
def release(settings, tmp_path):
    """The same release in its own home, to change."""
    home = shutil.copytree(settings.home, tmp_path / "home")
    return releases.Store.of(home).open("candidate")


def test_arrays_that_do_not_belong_together_explain_nothing(release):
    path = release.path / "model/same_for_all.npy"
    np.save(path, np.load(path, allow_pickle=False)[:, ::-1])
    title = release.slate("m-000")["title_id"][0].as_py()
    said = r"sum to .*, the score is .*: the arrays of release \S+ are inconsistent"
    with pytest.raises(DataError, match=f"contributions for m-000 and {title} {said}"):
        explain(Settings(home=release.path.parents[1]), "m-000", title)


def test_a_name_of_two_titles_needs_an_id(release):
    path = release.path / "vocabulary/titles.parquet"
    titles = pq.read_table(path).to_pylist()
    titles[3]["name"] = titles[7]["name"] = "Twins"
    pq.write_table(pa.Table.from_pylist(titles), path)
    (record,) = (
        one for one in release.manifest["files"] if one["file"].endswith("/titles.parquet")
    )
    record["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    message = "2 titles have the name 'Twins': use an id: t-003 is Twins.*, t-007 is Twins"
    with pytest.raises(ConfigError, match=message):
        lookup.find_title(release, "Twins")
    with pytest.raises(ConfigError, match="has no title 'twinz': did you mean 'Twins'\\?"):
        lookup.find_title(release, "twinz")
    known = "has no title 'Jaws': its titles are in .*vocabulary/titles.parquet"
    with pytest.raises(ConfigError, match=known):
        lookup.find_title(release, "Jaws")
