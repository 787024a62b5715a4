"""What the API says of a title."""

from __future__ import annotations

from typing import Any

import orjson

from matinee.slates import ai_labels


def said(row: dict[str, Any]) -> dict[str, Any]:
    """What the API says of a title beside its reason."""
    has_ai = (row["ai_use"] or "none") != "none"
    about_title = ai_labels.disclosure(row["ai_use"], row["ai_disclosure"]) if has_ai else None
    labels = [one for one in (row["asset_disclosure"], about_title) if one]
    return {
        "title_id": row["id"],
        "name": row["name"],
        "kind": row["kind"],
        "genres": row["genres"],
        "asset_id": row["asset_id"],
        "disclosure": "; ".join(labels) or None,
    }


def head_of(row: dict[str, Any]) -> bytes:
    """The JSON of a title but for its reason and the closing brace."""
    return orjson.dumps(said(row))[:-1] + b',"reason":'
