"""`parameters.html`: what decides the order of titles, for everybody who is shown them."""

from collections.abc import Mapping
from typing import Any

from matinee.report.markup import element
from matinee.report.page import document
from matinee.report.sections import section, told
from matinee.report.tables import code, named, number, table
from matinee.report.words import show

COLUMNS = [named("parameter"), code("column"), number("weight")]


def parameters(main: Mapping[str, Any]) -> str:
    """The page as text: no scripts, nothing from outside, nobody named.

    Parameters
    ----------
    main
        What `pipeline.parameters` tells of a release.
    """
    learned = main["learned_from"]
    without = show(main["without_personalisation"])
    found = [
        section(
            "acts",
            "What members watch and rate",
            f"The order is learned from {show(learned['acts'])} acts of "
            f"{show(learned['members'])} members who allow it. "
            f"{_fading(learned['half_life_days'])} What is popular "
            "these days adds to it by the trend weight; by the calibration weight, 0 to 1, a list "
            "keeps to the member's own mix of genres.",
            told(main["in_the_order"]),
        ),
        section(
            "members",
            "What is known of a member",
            "Each is weighed beside the member's own acts, which weigh 1.",
            table(main["about_members"], COLUMNS),
        ),
        section(
            "titles",
            "What is known of a title",
            "Each is weighed beside the title itself, which weighs 1.",
            table(main["about_titles"], COLUMNS),
        ),
        section(
            "never",
            "What is never used",
            "Neither to learn from nor to order by.",
            element("ul", [element("li", one) for one in main["never_used"]]),
        ),
        section(
            "choice",
            "To say no",
            f"{without} members have refused personalisation and are shown one list for all of "
            f"their country and age limit. Who never answered is taken to have "
            f"{main['who_never_answered']}. A refusal holds from the next look on.",
        ),
        section(
            "source",
            "Where this is from",
            "From the signed manifest of the release, and equal to the registry of features.",
            told({"release": main["release"], "as_of": main["as_of"], **main["features"]}),
        ),
    ]
    body = [
        element(
            "header",
            element(
                "div", element("span", element("b", "matinee"), " main parameters"), class_="brand"
            ),
            element("h1", "What decides the order of titles"),
        ),
        element("main", [one for _, _, one in found]),
        element("footer", "Nothing on this page was loaded or run."),
    ]
    return document("What decides the order of titles", body)


def _fading(half_life_days: float | None) -> str:
    if half_life_days is None:
        return "All acts count the same, however old."
    return f"An act of {half_life_days:g} days ago counts half of one of today."
