"""Which landing files may name a member: keyed pseudonyms by file, kept when files are received.

A search for a few members then opens those files only. Nothing is proved by it: what a file has
outside its member columns is not listed, so a full search confirms later what an index says.
"""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import UNPARTITIONED, exact
from matinee.landing import ledger
from matinee.landing.contract import Contract
from matinee.landing.ledger import Ledger
from matinee.landing.tombstones import ids_in
from matinee.privacy import LEAST_KEY_BYTES, pseudonym

if TYPE_CHECKING:
    import duckdb

FOLDER = "privacy/member_index"
KEY = "keys/member_index.key"
"""A key of its own: when it is lost, files count as not listed, and nothing else is."""
USE = "member index"
FILE, PSEUDONYM = "file", "pseudonym"


@dataclass(frozen=True)
class MemberIndex:
    """The pseudonyms of each listed landing file."""

    key: bytes
    files: tuple[str, ...]
    """Names below `landing/`; a file is listed even when it names nobody."""
    places: NDArray[np.int32]
    """For each pair of a file and a pseudonym, the place of the file."""
    pseudonyms: NDArray[np.uint64]

    def holding(self, ids: Iterable[str]) -> frozenset[str]:
        """The listed files that may hold one of the members."""
        wanted = np.array([_pseudonym(self.key, one) for one in ids], np.uint64)
        places = np.unique(self.places[np.isin(self.pseudonyms, wanted)])
        return frozenset(self.files[place] for place in places.tolist())


def record(
    home: Path,
    contract: Contract,
    database: "duckdb.DuckDBPyConnection",
    batch: int,
    files: Collection[str],
    known: Ledger,
) -> None:
    """List the files of a batch, before the ledger says that they are received."""
    if not files:
        return
    pairs: set[tuple[str, str]] = set()
    for name, stream in contract.streams.items():
        if MEMBER_ID not in stream.names:
            continue
        if paths := _parts(home, name, batch):
            found = f"read_parquet($paths, {UNPARTITIONED})"
            sql = f"select distinct file, {MEMBER_ID} from {found}"
            pairs.update(database.execute(sql, {"paths": list(map(exact, paths))}).fetchall())
        for path in _parts(home, f"rejected_{name}", batch):
            rows = pq.read_table(path, columns=["file", "raw_text"]).to_pydict()
            for file, text in zip(rows["file"], rows["raw_text"], strict=True):
                pairs.update((file, one) for one in ids_in((text or "").encode()))
    _write(home, batch, sorted(files), pairs)
    current = {number for entry in known.received for number in entry.batches}
    for old in sorted((home / FOLDER).glob("batch-*.parquet")):
        if int(old.stem.removeprefix("batch-")) not in {*current, batch}:  # expired or withdrawn
            durable.remove(old)


def read(home: Path) -> MemberIndex:
    """The index of a home; of what was listed under another key nothing."""
    key = _key(home)
    tables = [
        table
        for path in sorted((home / FOLDER).glob("batch-*.parquet"))
        if (table := pq.read_table(path)).schema.metadata.get(b"key") == _fingerprint(key)
    ]
    if not tables:
        return MemberIndex(key, (), np.zeros(0, np.int32), np.zeros(0, np.uint64))
    whole = pa.concat_tables(tables, promote_options="none").combine_chunks()
    names = whole[FILE].combine_chunks().dictionary_encode()
    is_pair = whole[PSEUDONYM].is_valid().to_numpy()
    return MemberIndex(
        key,
        tuple(names.dictionary.to_pylist()),
        names.indices.to_numpy()[is_pair],
        whole[PSEUDONYM].drop_null().to_numpy(),
    )


def needed(
    home: Path, ids: Collection[str], *, unsettled: Collection[str] = ()
) -> Callable[[str], bool]:
    """Whether a file of a home may hold one of the members, by its path below the home.

    Any file may that is not listed, or not received as it is: `unsettled` names those.
    """
    index = read(home)
    listed = set(index.files).difference(unsettled)
    holding = index.holding(ids)
    of_batch: dict[tuple[str, int], set[str]] = {}
    received = set()
    for entry in ledger.read(home).received:
        received.add(entry.file)
        for batch in entry.batches:
            of_batch.setdefault((entry.stream, batch), set()).add(entry.file)
    free = {f"landing/{file}" for file in (listed & received) - holding}
    empty = {
        f"{stream}/{ledger.folder_of(home, stream, batch).name}"
        for (stream, batch), files in of_batch.items()
        if files <= listed and not files & holding
    }

    def is_needed(name: str) -> bool:
        if name.startswith("received/"):
            folder = "/".join(name.split("/")[1:3]).removeprefix("rejected_")
            return folder not in empty
        return name not in free

    return is_needed


def forget(home: Path, ids: Iterable[str]) -> None:
    """Take erased members out of the index."""
    key = _key(home)
    wanted = pa.array([_pseudonym(key, one) for one in sorted(ids)], pa.uint64())
    for path in sorted((home / FOLDER).glob("batch-*.parquet")):
        table = pq.read_table(path)
        is_theirs = np.isin(table[PSEUDONYM].fill_null(0).to_numpy(), wanted.to_numpy())
        if is_theirs.any():
            # The file stays listed.
            left = pa.array(table[PSEUDONYM].to_pylist(), pa.uint64(), mask=is_theirs)
            table = table.set_column(1, table.schema.field(PSEUDONYM), left)
            _put(home, path, table)


def _write(home: Path, batch: int, files: list[str], pairs: set[tuple[str, str]]) -> None:
    key = _key(home)
    known = {one: _pseudonym(key, one) for one in {member for _, member in pairs}}
    rows = [*((file, None) for file in files), *sorted((file, known[one]) for file, one in pairs)]
    schema = pa.schema(
        [(FILE, pa.string()), (PSEUDONYM, pa.uint64())], metadata={"key": _fingerprint(key)}
    )
    columns = [[file for file, _ in rows], [one for _, one in rows]]
    _put(home, home / FOLDER / f"batch-{batch:06d}.parquet", pa.table(columns, schema=schema))


def _put(home: Path, path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.drafts(home) as drafts:
        draft = drafts.new()
        pq.write_table(table, draft, compression="zstd")
        draft.chmod(0o600)
        durable.put(draft, path)


def _parts(home: Path, table: str, batch: int) -> list[str]:
    return sorted(map(str, ledger.folder_of(home, table, batch).glob("*.parquet")))


def _key(home: Path) -> bytes:
    path = home / KEY
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.create_once(path, secrets.token_bytes(LEAST_KEY_BYTES), mode=0o600)
    return path.read_bytes()


def _fingerprint(key: bytes) -> bytes:
    return sha256(key).hexdigest()[:16].encode()


def _pseudonym(key: bytes, member_id: str) -> int:
    text = member_id.encode(errors="replace").decode()  # half a surrogate pair is no member id
    return int(pseudonym(key, text, use=USE)[:16], 16)
