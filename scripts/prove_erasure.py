"""Prove that forgetting is complete: forget, train again, and compare with never having known.

Runs three nights on a small simulated service: one with everybody, one after `forget`, and one on
the same logs from which another program (this one) took the member. The last two must have one
content digest. Usage: python scripts/prove_erasure.py FOLDER
"""

import gzip
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import pipeline
from matinee.settings import Settings


@contextmanager
def silent(what):
    sys.stderr.write(f"  {what}\n")
    yield lambda done, total, name: None


def night(home: Path) -> str:
    published = pipeline.run(
        Settings(home=home), last_day=None, full_refresh=False, progress=silent
    )
    return pipeline.store(Settings(home=home)).open(published.release_id).manifest["content_digest"]


def without(landing: Path, member: str) -> None:
    """Take a member's rows out of logs that nobody has received."""
    for path in sorted(landing.glob("*/*/*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            if "member_id" in table.column_names:
                pq.write_table(table.filter(pc.not_equal(table["member_id"], member)), path)
            continue
        is_packed = path.suffix == ".gz"
        data = gzip.decompress(path.read_bytes()) if is_packed else path.read_bytes()
        lines = data.splitlines(keepends=True)
        kept = b"".join(line for line in lines if member.encode() not in line)
        path.write_bytes(gzip.compress(kept) if is_packed else kept)


def main(folder: Path) -> None:
    known, unknown = folder / "known", folder / "unknown"
    pipeline.simulate(known, members=200, titles=300, days=30, seed=1)
    shutil.copytree(known / "landing", unknown / "landing")
    before = night(known)
    member = pipeline.store(Settings(home=known)).list()[0].manifest["samples"][0]
    receipt, _ = pipeline.forget(Settings(home=known), [member], by="proof")
    after = night(known)
    without(unknown / "landing", member)
    never = night(unknown)
    sys.stdout.write(f"rows that named {member}: {sum(receipt.found.values()):,}, now 0\n")
    sys.stdout.write(f"with them    {before}\nforgotten    {after}\nnever known  {never}\n")
    sys.exit(0 if after == never != before else 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
