"""The share of honest ratings that the new-account cap excludes.

    python -m benchmarks.rings ~/movietweetings/latest/ratings.dat 10
    python -m benchmarks.rings ~/ml-latest-small/ratings.csv 5

A rating above half of the highest rating, the second argument, is a like.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from matinee.models import new_account_cap
from matinee.vocabulary import Vocabulary


def main() -> None:
    """Read member, title, value and time of each line, and apply the cap."""
    path, most = Path(sys.argv[1]), float(sys.argv[2])
    lines = [re.split(r"::|[,\t]", line)[:4] for line in path.read_text().splitlines()]
    members, titles, values, seconds = zip(*(one for one in lines if one[0].isdigit()), strict=True)
    ids = Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    capped = new_account_cap.capped_likes(
        ids[0].rows(members),
        ids[1].rows(titles),
        np.array(values, float) > most / 2,
        np.array(seconds, np.float64).astype("datetime64[s]"),
        shape=(len(ids[0]), len(ids[1])),
    )
    sys.stdout.write(
        f"{path.name}: {capped.new_accounts.sum() / capped.members.sum():.1%} of likes are from new"
        f" accounts; {(capped.new_accounts - capped.counted).sum() / capped.members.sum():.2%} are"
        f" excluded, on {(capped.new_accounts > capped.counted).sum():,} of {len(ids[1]):,} titles;"
        f" {len(capped.reported):,} titles are reported\n"
    )


if __name__ == "__main__":
    main()
