import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from matinee import releases, report
from matinee.report.charts import standalone
from matinee.report.formatting import THIN, label, show
from tests.report import samples

SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


def card(fields=None):
    head = {"release_id": samples.RELEASE_ID, "as_of": samples.AT}
    return report.card(head | (samples.manifest() if fields is None else fields))


def test_the_card_has_the_nine_sections_of_mitchell_et_al():
    assert re.findall(r"^## (.*)$", card(), re.MULTILINE) == SECTIONS
    assert re.findall(r"^## (.*)$", card({}), re.MULTILINE) == SECTIONS


def test_every_number_of_the_manifest_is_on_the_card():
    text = card()
    for row in samples.metrics():
        mean, low, high = (f"{row[part]:.3f}" for part in ("mean", "low", "high"))
        count = f"{row['n']:,}".replace(",", THIN)
        assert f"{mean} ({low} to {high}), n = {count}" in text
    for rule in samples.manifest()["gate"]["rules"]:
        line = next(line for line in text.splitlines() if line.startswith(f"| {rule['rule']} |"))
        assert f"{rule['observed']:.3f}" in line
    assert f"5{THIN}000" in text
    assert f"82{THIN}438 rows" in text
    assert "2 landing files" in text


def test_each_number_stands_under_its_model_and_beside_its_cohort():
    lines = card().splitlines()
    header = next(line for line in lines if line.startswith("| cohort |"))
    models = [cell.strip() for cell in header.split("|")[2:-1]]
    row = next(line for line in lines if line.startswith("| cold title |"))
    cells = dict(zip(models, (cell.strip() for cell in row.split("|")[2:-1]), strict=True))
    assert cells["hybrid"].startswith("0.087")
    assert cells["popularity"].startswith("0.051")


def test_a_failed_rule_and_an_override_come_first():
    fields = samples.manifest(passed=False)
    fields["gate"]["overrides"] = [{"rule": "coverage", "by": "ada", "why": "a holiday"}]
    text = card(fields)
    top = text[: text.index("## Model details")]
    assert "**Failed 1 of 4 gate rules:** coverage." in top
    assert "**Override:** coverage, by ada: a holiday" in top


def test_a_section_without_facts_says_so():
    assert card({}).count("Not recorded.") == 5
    assert "No gate has evaluated this release." in card({})


def test_no_value_becomes_markup_or_breaks_a_table():
    fields = samples.manifest()
    evil = "<script>x</script> | a\n## b `c` *d* [e](javascript:f)"
    fields["model"] = {"loss": evil}
    fields["gate"]["rules"][0] |= {"rule": evil, "text": evil}
    text = card(fields)
    assert "<script>" not in text
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    table = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert widths == {6, 7, 9}  # gate and models, lift and shares, gaps
    text = re.sub(r"^!\[.*\]\(card/[a-z0-9-]+\.svg\)$", "", text, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[`\[*](?!\*|Passed|Failed)", text.split("## Model details")[1])


def test_every_number_of_the_exposure_report_is_on_the_card():
    text = card()
    found = samples.exposure()
    for name in ("effective_titles", "coverage", "gini"):
        assert f"- {label(name)}: {show(found[name], name)}" in text
    for name in ("lift", "providers", "gaps"):
        for row in found[name]:
            cells = " | ".join(show(value, column) for column, value in row.items())
            assert f"| {cells} |" in text


def test_the_card_shows_every_plot_and_each_plot_is_a_document_that_loads_nothing():
    drawn = report.plots(samples.manifest())
    shown = re.findall(r"^!\[(.*)\]\((card/.*\.svg)\)$", card(), re.MULTILINE)
    assert [name for _, name in shown] == list(drawn)
    assert len(drawn) == 6
    for title, svg in drawn.values():
        root = ElementTree.fromstring(svg)  # noqa: S314  (made here)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert title in "".join(root.itertext())
        assert not re.search(r"url\(|@import|href|<script|http(?!://www.w3.org/2000/svg)", svg)
    assert "0.209" in drawn["card/ndcg-10.svg"][1]


def test_the_card_of_a_night_holds_the_numbers_of_its_manifest(night_home):
    release = releases.Store.of(night_home).open("live")
    text = (release.path / "card.md").read_text(encoding="utf-8")
    manifest = release.manifest
    for row in manifest["evaluation"]["metrics"]:
        heading = f"### {label(row['metric'])}"
        part = text[text.index(heading) :].partition("\n###")[0].partition("\n## ")[0]
        line = next(
            one for one in part.splitlines() if one.startswith(f"| {label(row['cohort'])} |")
        )
        models = [cell.strip() for cell in part.splitlines()[2].split("|")[2:-1]]
        cell = dict(zip(models, (one.strip() for one in line.split("|")[2:-1]), strict=True))
        assert cell[label(row["model"])].startswith(show(row["mean"]))
    for rule in manifest["gate"]["rules"]:
        assert show(rule["observed"]) in text
    for name in ("lift", "providers", "gaps"):
        for row in manifest["exposure"][name]:
            assert " | ".join(show(value, column) for column, value in row.items()) in text
    assert set(report.plots(manifest)) == {
        file["file"] for file in manifest["files"] if file["file"].startswith("card/")
    }


def test_a_chart_without_a_size_is_refused():
    with pytest.raises(ValueError, match="the chart 'Heat' has no size"):
        standalone("Heat", Markup("<svg></svg>"))


def test_the_forward_test_is_one_line():
    (line,) = [line for line in card().splitlines() if line.startswith("Forward test of")]
    assert line.startswith(
        "Forward test of 20260101T031500Z-3f9ac0ffee11 on 84 members, 2026-01-01"
    )
    assert line.endswith("; forward NDCG@10 0.111, best baseline (item knn) 0.087.")
