import re

from matinee import report
from matinee.report.words import THIN
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


def card(fields=None, **more):
    return report.card(
        samples.fields() if fields is None else fields, release_id=samples.RELEASE_ID, **more
    )


def test_the_card_has_the_nine_sections_of_mitchell_et_al():
    assert re.findall(r"^## (.*)$", card(), re.MULTILINE) == SECTIONS
    assert re.findall(r"^## (.*)$", card({}), re.MULTILINE) == SECTIONS


def test_every_number_of_the_manifest_is_on_the_card():
    text = card()
    for row in samples.metrics():
        told = [f"{row[part]:.3f}" for part in ("mean", "low", "high")]
        among = f"{row['n']:,}".replace(",", THIN)
        assert f"{told[0]} ({told[1]} to {told[2]}), n = {among}" in text
    for rule in samples.fields()["gate"]["rules"]:
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


def test_a_refusal_and_an_override_are_told_first():
    override = {"rule": "coverage", "by": "ada", "why": "a holiday"}
    text = card(samples.fields(passed=False), overrides=[override])
    top = text[: text.index("## Model details")]
    assert "**Refused by 1 of 4 rules:** coverage." in top
    assert "**Override:** coverage, by ada: a holiday" in top


def test_a_section_without_facts_says_so():
    assert card({}).count("Nothing was recorded.") == 6
    assert "No gate has judged this release." in card({})


def test_no_value_becomes_markup_or_breaks_a_table():
    fields = samples.fields()
    evil = "<script>x</script> | a\n## b `c` *d* [e](javascript:f)"
    fields["model"] = {"loss": evil}
    fields["gate"]["rules"][0] |= {"rule": evil, "text": evil}
    text = card(fields)
    assert "<script>" not in text
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    table = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert widths == {6}
    assert not re.search(r"(?<!\\)[`\[*](?!\*|All|Refused)", text.split("## Model details")[1])
