"""How good every model is on every set: the tables of docs/quality.md, and what they are made from.

    python -m benchmarks.quality --data FOLDER
    python -m benchmarks.quality --data FOLDER --only ml-100k-last

FOLDER holds `ml-100k`, `ml-latest-small-2016`, `movietweetings-50k` and `simulated`, a MATINEE_HOME
after `matinee simulate && matinee run`. Each run is one `matinee benchmark`; its rows are left in
`docs/figures/`, a JSON file a table, and the tables are written anew from all that lie there.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee.evaluation.splits import Name
from matinee.research import benchmark
from matinee.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
FIGURES = DOCS / "figures"

ALL = ("popularity", "item-knn", "ease", "als", "collaborative", "content", "hybrid")
TUNED = ("popularity", "item-knn", "ease", "als", "hybrid")
NEWCOMERS = ("popularity", "content", "hybrid")


@dataclass(frozen=True)
class Run:
    """One `matinee benchmark`."""

    data: str
    protocol: Name
    models: tuple[str, ...] = ALL
    tune: int = 0
    seeds: int = 1

    @property
    def command(self) -> str:
        """What a reader types."""
        words = [f"matinee benchmark --data {self.data} --protocol {self.protocol}"]
        words += [f"--models {','.join(self.models)}"] if self.models != ALL else []
        words += [f"--tune {self.tune}"] if self.tune else []
        words += [f"--seeds {self.seeds}"] if self.seeds > 1 else []
        return " ".join(words)


RUNS = {
    "ml-100k-holdout-tuned": Run("ml-100k", "holdout", TUNED, tune=12, seeds=3),
    "ml-100k-last-tuned": Run("ml-100k", "last", TUNED, tune=12, seeds=3),
    "ml-latest-small-last-tuned": Run("ml-latest-small-2016", "last", TUNED, tune=12),
    "ml-100k-holdout": Run("ml-100k", "holdout"),
    "ml-100k-last": Run("ml-100k", "last"),
    "ml-latest-small-holdout": Run("ml-latest-small-2016", "holdout"),
    "ml-latest-small-time": Run("ml-latest-small-2016", "time"),
    "movietweetings-time": Run("movietweetings-50k", "time"),
    "movietweetings-last": Run("movietweetings-50k", "last"),
    "simulated-time": Run("simulated", "time"),
    "ml-100k-cold-titles": Run("ml-100k", "cold-titles", NEWCOMERS, seeds=3),
    "ml-latest-small-cold-titles": Run("ml-latest-small-2016", "cold-titles", NEWCOMERS, seeds=3),
    "movietweetings-cold-titles": Run("movietweetings-50k", "cold-titles", NEWCOMERS, seeds=3),
    "simulated-cold-titles": Run("simulated", "cold-titles", NEWCOMERS, seeds=3),
}


def main() -> None:
    """Run what is asked for, one after the other, and write the tables anew."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS))
    told = parser.parse_args()
    for name in told.only:
        asked = RUNS[name]
        sys.stderr.write(f"{name}: {asked.command}\n")
        rows = benchmark.run(
            told.data / asked.data,
            Settings(),
            protocol=asked.protocol,
            models=asked.models,
            trials=asked.tune,
            seeds=asked.seeds,
        )
        figures = asdict(asked) | {"measured_on": str(datetime.now(UTC).date()), "rows": rows}
        FIGURES.mkdir(exist_ok=True)
        _file(name).write_text(json.dumps(figures, indent=1) + "\n")
    page = DOCS / "quality.md"
    page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    draw(FIGURES / "ndcg.svg")


def written(page: str) -> str:
    """The page with every table, which stands between two marks, as it was measured."""

    def table(mark: re.Match[str]) -> str:
        told = shown(_measured(mark[1]), mark[1]) if _file(mark[1]).exists() else ""
        return f"<!-- figures: {mark[1]} -->\n{told}\n<!-- end -->"

    return re.sub(r"<!-- figures: ([a-z0-9-]+) -->.*?<!-- end -->", table, page, flags=re.DOTALL)


def draw(path: Path) -> None:
    """All models by their defaults, on every set and protocol, in one picture."""
    tables = {
        f"{asked.data}, {asked.protocol}": _measured(name)["rows"]
        for name, asked in RUNS.items()
        if asked.models == ALL and _file(name).exists()
    }
    benchmark.plot(tables, path)


def shown(figures: dict[str, Any], name: str) -> str:
    """A command, and what it printed, as Markdown."""
    rows = figures["rows"]
    several, chosen = figures["seeds"] > 1, any(map(benchmark.settings_text, rows))
    lines = [
        {
            "model": f"**{row['model']}**" if row["model"] == "hybrid" else row["model"],
            "NDCG@10": _number(row["ndcg"]),
            **(
                {"seeds": f"{_number(row['lowest_seed'])} to {_number(row['highest_seed'])}"}
                if several
                else {"95 %": f"{_number(row['low'])} to {_number(row['high'])}"}
            ),
            "hybrid leads by (95 %)": _lead(row),
            **({} if rows[0]["ndcg_cold"] is None else {"cold": _number(row["ndcg_cold"], 3)}),
            "recall": _number(row["recall"], 3),
            "AUC": _number(row["auc"], 3),
            "coverage": _number(row["coverage"], 3),
            "CPU s": f"{row['cpu_seconds']:.0f}",
            "peak MB": f"{row['peak_mb']:.0f}",
            **({"chosen": benchmark.settings_text(row) or "its defaults"} if chosen else {}),
        }
        for row in rows
    ]
    table = [list(lines[0]), ["---"] * len(lines[0]), *(list(line.values()) for line in lines)]
    return "\n".join(
        [
            f"`{RUNS[name].command}` ({rows[0]['members']:,} members, {figures['measured_on']})",
            "",
            *("| " + " | ".join(cells) + " |" for cells in table),
        ]
    )


def _file(name: str) -> Path:
    return FIGURES / f"{name}.json"


def _measured(name: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(_file(name).read_text())
    return figures


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}".lstrip("0")


def _lead(row: dict[str, Any]) -> str:
    if row["hybrid_lead"] is None:
        return ""
    told = [row["hybrid_lead"], row["lead_low"], row["lead_high"]]
    mean, low, high = (f"{value:+.4f}".replace("+0", "+").replace("-0", "-") for value in told)
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    main()
