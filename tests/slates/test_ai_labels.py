"""Assets made with AI carry a label, or are not shown."""

import pyarrow as pa
import pytest

from matinee import landing
from matinee.settings import Settings
from matinee.slates import ai_labels


def assets(*rows):
    schema = ["asset_id", "title_id", "digital_source_type", "disclosure_label"]
    schema = pa.schema([(name, pa.string()) for name in schema])
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )


def titles(*rows):
    schema = pa.schema([(name, pa.string()) for name in ("title_id", "ai_use", "ai_disclosure")])
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )


ASSETS = assets(
    ("a1", "t1", "digitalCapture", None),
    ("a2", "t1", "trainedAlgorithmicMedia", "Made with AI."),
    ("a3", "t1", "trainedAlgorithmicMedia", " "),
    ("a4", "t1", None, None),
    ("a5", "t1", None, "Of unknown origin."),
    ("a6", "t1", "compositeWithTrainedAlgorithmicMedia", None),
)


def test_artwork_by_ai_or_of_unknown_origin_needs_a_label():
    assert ai_labels.unlabelled_assets(ASSETS)["asset_id"].to_pylist() == ["a3", "a4", "a6"]
    assert ai_labels.approved(ASSETS)["asset_id"].to_pylist() == ["a1", "a2", "a5"]


def test_the_rule_names_the_first_titles_and_assets_without_a_label():
    verdict = ai_labels.labelled(
        ASSETS, titles(("t1", "none", None), ("t2", "generated", None), ("t3", None, None))
    )
    assert not verdict.passed
    assert verdict.observed == 4
    assert verdict.text == (
        "without_ai_label  4 of 9 titles and assets (title t2, asset a3, asset a4, ...)  limit 0"
    )


def test_the_rule_passes_when_all_are_labelled_and_without_assets():
    labelled = titles(("t1", "assisted", "Made with the help of AI."))
    assert ai_labels.labelled(ASSETS.slice(0, 2), labelled).passed
    assert ai_labels.labelled(assets(), titles()).passed


@pytest.mark.parametrize(
    ("ai_use", "disclosure", "shown"),
    [
        (None, None, "Aelita"),
        ("none", "never mind", "Aelita"),
        ("generated", "Voices by AI.", "Aelita [Voices by AI.]"),
        ("assisted", None, "Aelita [AI: assisted]"),
    ],
)
def test_the_label_travels_with_the_name(ai_use, disclosure, shown):
    assert ai_labels.labelled_name("Aelita", ai_use, disclosure) == shown


def test_the_contract_allows_the_iptc_terms_and_no_others():
    stream = landing.load(Settings().project).streams["assets"]
    (column,) = [one for one in stream.columns if one.name == "digital_source_type"]
    assert column.limits.allowed == ai_labels.TERMS
