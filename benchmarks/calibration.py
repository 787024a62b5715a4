"""What each weight of calibration costs and brings, by the models that the last night judged.

`python -m benchmarks.calibration` reads `work/` under MATINEE_HOME and prints a row a weight.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from matinee.models import feature_families
from matinee.night import evaluate, fit
from matinee.night.frame import JUDGED, read_frame
from matinee.night.night import Night
from matinee.settings import Settings

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)

MODELS = (feature_families.HYBRID, feature_families.COLLABORATIVE, feature_families.CONTENT)


def main() -> None:
    """NDCG, its lead over slates by score alone, and how far slates are from members' own mixes."""
    settings = Settings()
    night = Night(settings, *[datetime.now(UTC)] * 2)  # nothing here depends on the instant
    frame = read_frame(night.work(JUDGED))
    models = {
        name: (fit.load(night, JUDGED, name), feature_families.described(frame, name))
        for name in MODELS
    }
    sys.stdout.write("weight  ndcg@10  lead (95 %)                 KL\n")
    for weight in WEIGHTS:
        judged = evaluate.compare(
            frame,
            models,
            slate_size=settings.slate_size,
            calibration_weight=weight,
            seed=settings.seed,
        )
        rows = {
            (row["metric"], row["model"]): row
            for row in judged.evaluation.to_pylist()
            if row["cohort"] == "everyone"
        }
        ndcg, kl = (
            rows[name, feature_families.HYBRID]["mean"] for name in ("ndcg@10", "calibration_kl@10")
        )
        plain = rows.get(("ndcg@10", evaluate.UNCALIBRATED))
        lead = (
            f"{plain['lead']:+.4f} ({plain['lead_low']:+.4f} to {plain['lead_high']:+.4f})"
            if plain
            else ""
        )
        sys.stdout.write(f"{weight:<6g}  {ndcg:.4f}   {lead:27} {kl:.3f}\n")


if __name__ == "__main__":
    main()
