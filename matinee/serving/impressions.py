"""Fills in what a page knows of its impressions, so that clients only say what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.serving.artwork import Pictures
from matinee.serving.pages import Pages, pictures_of
from matinee.serving.problems import ProblemError

POLICY = "matinee"

MOST_PAGES = 1_000
"""Pages of which the slots are kept."""

Row = dict[str, Any]


@dataclass
class Impressions:
    """The slots of pages that events name."""

    pages: Pages
    _slots: dict[str, dict[str, Row]] = field(default_factory=dict)

    def filled(self, row: Any) -> Any:
        """An event with what its `page_id` implies; as it is where that is none of ours.

        An impression gets its place, its release and its propensity, which is 1: the order of a
        page is no draw. A play from a page gets the id of the impression that it followed. Events
        of other streams have no `page_id`: it is left out, and no reason to lose them.
        """
        page_id = row.get("page_id") if isinstance(row, dict) else None
        if not isinstance(page_id, str):
            return row
        stream = row.get("stream")
        if stream != "impressions":
            row = {name: value for name, value in row.items() if name != "page_id"}
        try:
            if self.pages.state(page_id).member_id != row.get(MEMBER_ID):
                return row
            slots = self._of_page(page_id)
        except ProblemError:
            return row
        slot = slots.get(str(row.get(TITLE_ID)))
        if slot is None:
            return row
        if stream == "impressions":
            own = {"was_clicked": False, "impression_id": f"{page_id}-{row[TITLE_ID]}"}
            return {**own, **row, **slot}
        if stream == "plays":
            return {"impression_id": f"{page_id}-{row[TITLE_ID]}", **row}
        return row

    def _of_page(self, page_id: str) -> Mapping[str, Row]:
        if page_id not in self._slots:
            if len(self._slots) >= MOST_PAGES:
                self._slots.clear()
            state = self.pages.state(page_id)
            member, shelves = self.pages.shelves(state)
            titles = member.view.files.titles
            pictures = pictures_of(member, state.member_id)
            self._slots[page_id] = {
                titles[title]["id"]: {
                    "row_kind": shelf.kind,
                    "row_index": number,
                    "column_index": place,
                    "slot_propensity": 1.0,
                    "policy_id": POLICY,
                    "is_exploration": False,
                    "release_id": state.release_id,
                    **_picture(pictures, title, titles[title]["asset_id"]),
                }
                for number, shelf in enumerate(shelves)
                for place, title in enumerate(shelf.titles)
            }
        return self._slots[page_id]


def _picture(pictures: Pictures, title: int, only: str | None) -> Row:
    """What the log says of a picture: which, out of which, and with which chance."""
    candidates = pictures.choices.asset_ids[title]
    if not candidates:
        return {"asset_id": only}
    (place,) = pictures.places([title])
    return {
        "asset_id": candidates[place],
        "candidate_asset_ids": list(candidates),
        "asset_propensity": float(pictures.choices.probability[title, place]),
    }
