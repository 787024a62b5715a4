"""Impressions of assets as numbers: what the artwork policy is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.insights.take_rates import ALL_SEGMENTS, Log, Rates
from matinee.night.insights import segments
from matinee.night.insights.inputs import Inputs
from matinee.slates import ai_labels
from matinee.vocabulary import Vocabulary

WINDOW = timedelta(days=90)
"""How old an impression may be: tastes and pictures change."""

ASSETS = """
    select assets.asset_id, assets.title_id, assets.asset_kind, assets.digital_source_type,
        assets.disclosure_label, assets.is_retired or titles.is_retired as is_retired
    from assets
    inner join titles using (title_id)
    order by asset_id
"""

IMPRESSIONS = """
    select
        impressions.member_id,
        impressions.asset_id,
        impressions.was_clicked,
        impressions.asset_propensity

    from stg_playback__impressions as impressions
    inner join members using (member_id)
    inner join assets
        on impressions.asset_id = assets.asset_id and impressions.title_id = assets.title_id
    where
        members.may_personalise
        and members.may_use_for_insights
        and impressions.asset_propensity > 0
        and impressions.received_at < $as_of
        and impressions.event_at >= $since
    order by impressions.event_id
"""
"""Without a propensity nothing can be learned from an impression."""


@dataclass(frozen=True)
class Shown:
    """Assets, and the impressions of them, as numbers."""

    inputs: Inputs
    assets: pa.Table
    impressions: pa.Table

    @cached_property
    def asset_rows(self) -> Vocabulary:
        return Vocabulary.from_ids(self.assets["asset_id"])

    @cached_property
    def sets(self) -> NDArray[np.intp]:
        """The set that each asset is chosen from: those of one title and kind."""
        keys = pc.binary_join_element_wise(
            self.assets[TITLE_ID], pc.fill_null(self.assets["asset_kind"], ""), "\0"
        )
        return np.asarray(keys.combine_chunks().dictionary_encode().indices.to_numpy(), np.intp)

    @cached_property
    def servable(self) -> NDArray[np.bool_]:
        """Neither retired nor made with AI without a label."""
        approved = ai_labels.approved(self.assets)["asset_id"].combine_chunks()
        kept = pc.is_in(self.assets["asset_id"], value_set=approved)
        return np.asarray(pc.and_not(kept, self.assets["is_retired"]).to_numpy(), np.bool_)

    @cached_property
    def members(self) -> Vocabulary:
        return Vocabulary.from_ids(self.impressions[MEMBER_ID])

    @cached_property
    def member(self) -> NDArray[np.intp]:
        return self.members.rows(self.impressions[MEMBER_ID])

    @cached_property
    def log(self) -> Log:
        asset = self.asset_rows.rows(self.impressions["asset_id"])
        return Log(
            title=self.sets[asset],
            segment=self.segments[1][self.member],
            asset=asset,
            clicked=self.impressions["was_clicked"].to_numpy(),
            propensity=self.impressions["asset_propensity"].to_numpy(),
        )

    @cached_property
    def segments(self) -> tuple[list[int], NDArray[np.intp]]:
        """The numbers of segments, and the place of each member's among them."""
        table = self.inputs.found[segments.MEMBERS]
        numbers = sorted(table["segment"].unique().to_pylist())
        rows = self.members.rows(table[MEMBER_ID])
        places = np.full(len(self.members), ALL_SEGMENTS, np.intp)
        places[rows[rows >= 0]] = np.searchsorted(numbers, table["segment"].to_numpy()[rows >= 0])
        return numbers, places

    def part(self, kept: NDArray[np.bool_]) -> Log:
        """Some of the impressions."""
        return Log(*(column[kept] for column in vars(self.log).values()))

    @classmethod
    def of(cls, inputs: Inputs) -> Shown:
        """Those of a night."""
        as_of = inputs.night.as_of.replace(tzinfo=None)
        impressions = inputs.query(IMPRESSIONS, as_of=as_of, since=as_of - WINDOW)
        return cls(inputs, inputs.query(ASSETS), impressions)

    def keys(self, rates: Rates) -> list[tuple[int | None, str]]:
        """(segment, asset_id) of each row of rates."""
        names = [*self.segments[0], None]  # ALL_SEGMENTS is -1: the last
        ids = self.asset_rows.take(rates.asset).to_pylist()
        return [(names[one], asset) for one, asset in zip(rates.segment.tolist(), ids, strict=True)]

    def cells(self, rates: Rates, of_clicks: bool) -> sp.csr_array[np.float64]:
        """Impressions or clicks of each member in each row of rates: (n_members, n_rows)."""
        log, count = self.log, len(self.asset_rows)
        numbers = (rates.segment + 1) * count + rates.asset
        order = np.argsort(numbers)
        own = log.segment != ALL_SEGMENTS
        wanted = np.concatenate([log.asset, ((log.segment + 1) * count + log.asset)[own]])
        row = order[np.searchsorted(numbers[order], wanted)]
        member = np.concatenate([self.member, self.member[own]])
        weight = log.clicked if of_clicks else np.ones(len(log.asset))
        values = np.concatenate([weight, weight[own]]).astype(np.float64)
        return sp.csr_array((values, (member, row)), shape=(len(self.members), len(numbers)))
