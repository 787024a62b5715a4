"""How many titles of an honest set of ratings would be taken for pushed by a ring.

    python -m benchmarks.rings ~/movietweetings/latest/ratings.dat 10
    python -m benchmarks.rings ~/ml-latest-small/ratings.csv 5

A member likes what they gave more than half of the most stars there are, the second argument.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from matinee import rings
from matinee.vocabulary import Vocabulary


def main() -> None:
    """Read member, title and value of each line, and look at the crowds."""
    path, most = Path(sys.argv[1]), float(sys.argv[2])
    lines = [re.split(r"::|[,\t]", line)[:3] for line in path.read_text().splitlines()]
    members, titles, values = zip(*(one for one in lines if one[0].isdigit()), strict=True)
    ids = Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    found = rings.crowds(
        ids[0].rows(members),
        ids[1].rows(titles),
        np.array(values, float) > most / 2,
        shape=(len(ids[0]), len(ids[1])),
    )
    sys.stdout.write(
        f"{path.name}: {found.doubted.sum():,} of {len(ids[1]):,} titles are doubted;"
        f" {found.usual:.1%} of likes are of newcomers\n"
    )


if __name__ == "__main__":
    main()
