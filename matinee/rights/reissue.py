"""Reissues releases: without erased members, or with pages that omit members who refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import landing, matrices, releases, report
from matinee.columns import MEMBER_ID
from matinee.privacy import Traces
from matinee.provenance import plain, readable_json
from matinee.releases import reissue, serving_files
from matinee.rights import consent
from matinee.settings import Settings

MEMBER_FEATURES = "vocabulary/member_features.parquet"

MEMBERS = "vocabulary/members.parquet"

EMBEDDINGS = "model/member_embeddings.npy"

BY_MEMBER = ("model/anchors.npy", "model/cohorts.npy")
"""Arrays with a row for each member."""

INTERACTIONS = "model/interactions.parquet"

EASE_FACTORS = ("model/ease_left_data.npy", "model/ease_right.npy")
"""Where EASE inverted the members' side, both its factors have members on one axis."""

MEMBER_MATRIX = "model/member_matrix"

ERASURE, WITHDRAWAL = "erasure", "withdrawal"
"""Reasons in the manifest of a reissued release."""

Row = dict[str, Any]


class ReissueWithNewPages:
    """A `Fill` of `releases.reissue`: copies a release and draws its pages again.

    The pages show the slates of a few members: only of members who `may_be_shown`.
    """

    def __init__(self, may_be_shown: Callable[[str], bool]) -> None:
        self.may_be_shown = may_be_shown

    def __call__(
        self, release: releases.Release, draft: releases.Draft, at: datetime
    ) -> Mapping[str, Any]:
        """Write every file, then the pages, which print the new id."""
        fields = self._fields(release, at)
        names = reissue.file_names(release)
        for name in names:
            if name not in (report.PAGE, report.CARD):
                (draft.path / name).parent.mkdir(parents=True, exist_ok=True)
                self._write(release, name, draft.path / name)
        fields["samples"] = self._samples(fields.get("samples", []), draft.path)
        pages = report.draw(draft.path, {**fields, "release_id": draft.release_id(at)})
        for name in pages.keys() & set(names):
            (draft.path / name).write_text(pages[name], encoding="utf-8")
        return fields

    def _fields(self, release: releases.Release, at: datetime) -> dict[str, Any]:
        return reissue.manifest_fields(release)

    def _write(self, release: releases.Release, name: str, target: Path) -> None:
        shutil.copyfile(release.path / name, target)

    def _samples(self, samples: list[str], folder: Path) -> list[str]:
        """The samples that may still be shown, or the first member who may be."""
        if allowed := [one for one in samples if self.may_be_shown(one)]:
            return allowed
        members: list[str] = pq.read_table(folder / MEMBERS)[MEMBER_ID].to_pylist()
        return [one for one in members if self.may_be_shown(one)][:1]


class ReissueWithoutMembers(ReissueWithNewPages):
    """A `Fill` that also removes members from rows, arrays and the manifest."""

    def __init__(
        self, traces: Traces, may_be_shown: Callable[[str], bool] = lambda member: True
    ) -> None:
        super().__init__(may_be_shown)
        self.traces = traces

    def _fields(self, release: releases.Release, at: datetime) -> dict[str, Any]:
        fields = reissue.manifest_fields(release)
        as_of = fields.pop("as_of")
        fields = {**self.traces.without(fields), "as_of": as_of}
        privacy = dict(fields.get("privacy") or {})
        # Only the number of members: their names are in the tombstones, under the privacy key.
        privacy["erased_members"] = privacy.get("erased_members", 0) + len(self.traces.ids)
        privacy["erased_through"] = plain(at, "erased_through")
        exposure = dict(fields.get("exposure") or {})
        if "members" in exposure:
            exposure["members"] -= sum(release.slate(one).num_rows > 0 for one in self.traces.ids)
        return {**fields, "privacy": privacy, "exposure": exposure}

    def _write(self, release: releases.Release, name: str, target: Path) -> None:
        source = release.path / name
        if name == MEMBER_FEATURES:
            features = pq.read_table(source)
            pq.write_table(features.filter(pa.array(~self._features_of_members(features))), target)
        elif name.startswith(f"{serving_files.FOLDER}/") and not name.endswith(".json"):
            serving_files.write_without(source, target, self._rows_in_serving(release))
        elif name.endswith(".parquet"):
            landing.filter_parquet(source, target, self.traces)
        elif name == EMBEDDINGS:
            theirs = self._features_of_members(release.table(MEMBER_FEATURES))
            np.save(target, np.load(source, allow_pickle=False)[~theirs], allow_pickle=False)
        elif name in BY_MEMBER:
            theirs = self._rows_of_members(release)
            np.save(target, np.load(source, allow_pickle=False)[~theirs], allow_pickle=False)
        elif name.startswith(MEMBER_MATRIX):
            part = name.removeprefix(f"{MEMBER_MATRIX}_").removesuffix(".npy")
            np.save(target, getattr(self._member_matrix(release), part), allow_pickle=False)
        elif name.startswith("model/ease_") and self._ease_is_by_members(release):
            self._write_ease(release, name, target)
        elif name.endswith(".json"):
            target.write_bytes(readable_json(self.traces.without(release.json(name))))
        else:
            shutil.copyfile(source, target)

    def _member_matrix(self, release: releases.Release) -> sp.csr_array[np.float32]:
        """The member-feature matrix without the rows and identity columns of the members."""
        features, rows = (
            self._features_of_members(release.table(MEMBER_FEATURES)),
            self._rows_of_members(release),
        )
        parts = [
            np.load(release.path / f"{MEMBER_MATRIX}_{part}.npy", allow_pickle=False)
            for part in ("data", "indices", "indptr")
        ]
        matrix = sp.csr_array(tuple(parts), shape=(len(rows), len(features)))
        remaining: sp.csr_array[np.float32] = matrix[~rows][:, ~features]
        return remaining

    def _ease_is_by_members(self, release: releases.Release) -> bool:
        return all((release.path / name).exists() for name in EASE_FACTORS)

    def _write_ease(self, release: releases.Release, name: str, target: Path) -> None:
        """A factor of EASE without the members' rows or columns.

        It has one for each member with several interactions, in the order of members.
        """
        table = release.table(INTERACTIONS)
        positive = table.filter(table["is_interaction"])[MEMBER_ID].combine_chunks()
        counts = positive.value_counts()
        several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        members = np.sort(np.array(several.to_pylist()))
        theirs = np.isin(members, sorted(self.traces.ids))
        if name.endswith("right.npy"):
            np.save(target, np.load(release.path / name, allow_pickle=False)[~theirs])
        elif name.endswith("diagonal.npy"):
            shutil.copyfile(release.path / name, target)
        else:
            parts = [
                np.load(release.path / f"model/ease_left_{part}.npy", allow_pickle=False)
                for part in ("data", "indices", "indptr")
            ]
            shape = len(parts[2]) - 1, len(members)
            left = sp.csr_array(tuple(parts), shape=shape)[:, ~theirs]
            part = name.removeprefix("model/ease_left_").removesuffix(".npy")
            np.save(target, getattr(left, part), allow_pickle=False)

    def _rows_of_members(self, release: releases.Release) -> NDArray[np.bool_]:
        """Boolean mask of the members' rows in the member vocabulary."""
        members = release.table(MEMBERS)[MEMBER_ID]
        ids = pa.array(sorted(self.traces.ids))
        rows: NDArray[np.bool_] = pc.is_in(members, value_set=ids).to_numpy()
        return rows

    def _rows_in_serving(self, release: releases.Release) -> NDArray[np.bool_]:
        """Boolean mask of the members among those with a slate."""
        members = release.table(f"{serving_files.FOLDER}/{serving_files.MEMBERS}.parquet")
        gone: NDArray[np.bool_] = pc.is_in(
            members[MEMBER_ID], value_set=pa.array(sorted(self.traces.ids))
        ).to_numpy()
        return gone

    def _features_of_members(self, features: pa.Table) -> NDArray[np.bool_]:
        """Boolean mask of the members' identity features: one feature per member."""
        names = pa.array([f"{matrices.IDENTITY}={one}" for one in sorted(self.traces.ids)])
        theirs: NDArray[np.bool_] = pc.is_in(features["name"], value_set=names).to_numpy()
        return theirs


def reissue_pages(settings: Settings, *, by: str) -> list[reissue.ReissueResult]:
    """Reissue each release whose pages show a member who refused personalisation since.

    The caller holds the lease. A machine without a signing key pulls its releases from a mirror,
    and pulls the reissued ones too.
    """
    store = releases.Store.of(settings.home)
    refused = consent.read(settings)

    def may_be_shown(member_id: str) -> bool:
        return not refused.includes(member_id, consent.PERSONALISATION)

    named = {
        one.id
        for one in store.list()
        if not all(map(may_be_shown, one.manifest.get("samples", [])))
    }
    if not named or not store.can_sign():
        return []
    fill = ReissueWithNewPages(may_be_shown)
    return reissue.reissue_all(store, named, fill, at=datetime.now(UTC), by=by, why=WITHDRAWAL)
