"""What of an honest set of ratings is not heard, for fear of rings.

    python -m benchmarks.rings ~/movietweetings/latest/ratings.dat 10
    python -m benchmarks.rings ~/ml-latest-small/ratings.csv 5

A member likes what they gave more than half of the most stars there are, the second argument.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from matinee.models import new_account_cap
from matinee.vocabulary import Vocabulary


def main() -> None:
    """Read member, title, value and second of each line, and look at the crowds."""
    path, most = Path(sys.argv[1]), float(sys.argv[2])
    lines = [re.split(r"::|[,\t]", line)[:4] for line in path.read_text().splitlines()]
    members, titles, values, seconds = zip(*(one for one in lines if one[0].isdigit()), strict=True)
    ids = Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    found = new_account_cap.crowds(
        ids[0].rows(members),
        ids[1].rows(titles),
        np.array(values, float) > most / 2,
        np.array(seconds, np.float64).astype("datetime64[s]"),
        shape=(len(ids[0]), len(ids[1])),
    )
    sys.stdout.write(
        f"{path.name}: {found.newcomers.sum() / found.viewers.sum():.1%} of likes are of newcomers;"
        f" {(found.newcomers - found.heard).sum() / found.viewers.sum():.2%} are not heard, on"
        f" {(found.newcomers > found.heard).sum():,} of {len(ids[1]):,} titles;"
        f" {len(found.told):,} are told\n"
    )


if __name__ == "__main__":
    main()
