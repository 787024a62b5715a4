"""Draws a release's page and card, the page of a stopped night, and the main parameters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.provenance import plain
from matinee.report import figures, rendering, sections
from matinee.report.formatting import Row, unique

PAGE, CARD = "report.html", "card.md"


def draw(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The page and the model card of a release: file name -> text.

    Reads nothing but the folder and the manifest, so the same release gives the same bytes. The
    release's id, and so its time of creation, is the only text that a reissue alone changes.

    Parameters
    ----------
    folder
        The release, or the draft of one with all of its content.
    manifest
        Its manifest, or the fields of one and `release_id`. `history` holds the numbers of
        `releases` before it and how the `validation` of nights before it ended.
    """
    manifest = plain(manifest, "manifest")
    return {PAGE: _page(folder, manifest), CARD: card(manifest)}


def card(manifest: Mapping[str, Any]) -> str:
    """The model card, from the manifest alone: `release_id`, `as_of`, and what else it has.

    References
    ----------
    Mitchell, M. et al. Model Cards for Model Reporting. FAT* 2019.
    """
    evaluation = manifest.get("evaluation") or {}
    metrics = evaluation.get("metrics") or []
    inputs = manifest.get("inputs") or []
    return rendering.markdown(
        "card.md",
        manifest=manifest,
        verdict=sections.gate(manifest),
        protocol={
            name: value for name, value in evaluation.items() if name not in ("metrics", "full")
        },
        forward=sections.forward_test(manifest),
        cohorts=unique(row["cohort"] for row in metrics),
        tables=sections.by_model(metrics),
        exposure=sections.exposure(manifest),
        boost=(manifest.get("exposure") or {}).get("price_of_raising"),
        operator=(manifest.get("exposure") or {}).get("lead_over_operator_policy"),
        input_files=len(inputs),
        input_rows=sum(int(one.get("rows") or 0) for one in inputs),
        plots={name: title for name, (title, _) in figures.plots(manifest).items()},
    )


def stopped(
    results: Sequence[Row], *, day: str, as_of: datetime, nights: Sequence[Row], drift: str
) -> str:
    """The page of a night without a release, because its data did not pass validation.

    Parameters
    ----------
    results
        As in `validation/results.json`; the severity of what stopped the night is `stopped`.
    day
        The last day of the night's data.
    as_of, nights, drift
        As in `sections.validation`.
    """
    data = sections.validation(results, as_of=as_of, nights=nights, drift=drift)
    found = {"validation": data} if data else {}
    return rendering.html("stopped.html", day=day, titles=sections.TITLES, sections=found)


def parameters(main: Mapping[str, Any]) -> str:
    """What decides the order of titles, for everyone who is shown them; no member is named.

    Parameters
    ----------
    main
        What `pipeline.parameters` returns for a release.
    """
    return rendering.html("parameters.html", main=main)


def _page(folder: Path, manifest: Mapping[str, Any]) -> str:
    found = sections.of_release(folder, manifest)
    return rendering.html(
        "report.html",
        release_id=manifest["release_id"],
        titles=sections.TITLES,
        sections=found,
        facts=sections.facts(manifest, found),
        verdict=sections.gate(manifest),
    )
