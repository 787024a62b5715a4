"""The steps of a night in plain functions: flows decorate them, the command line calls them.

Steps, in order: `receive`, `begin`, `drop_expired`, `build`, `validate`, `refresh_features`,
`frame`, `validate_frame`, `fit` (once per entry of `FITS`), `choose_trend`, `judge`, `score`,
`validate_slates`, `publish`. `run` is all of them in one process.
"""

from matinee.landing import Expired, Receipt
from matinee.pipeline.consenting import choose
from matinee.pipeline.evaluation import Judged, judge
from matinee.pipeline.explaining import Explanation, explain
from matinee.pipeline.forgetting import forget, take_requests
from matinee.pipeline.frames import Framed, frame
from matinee.pipeline.leasing import interrupted, lease, live_id
from matinee.pipeline.logs import Refused, rejected, replay, unreceived
from matinee.pipeline.night import (
    Night,
    Progress,
    Refreshed,
    begin,
    build,
    docs,
    receive,
    refresh_features,
)
from matinee.pipeline.promoting import promote
from matinee.pipeline.publishing import Evidence, Published, publish
from matinee.pipeline.reading import doctor, list_releases, recommend, similar, store
from matinee.pipeline.rebuild import Rebuilt, rebuild
from matinee.pipeline.reissuing import redraw
from matinee.pipeline.retention import drop_expired
from matinee.pipeline.run import days, run
from matinee.pipeline.scoring import Scored, score
from matinee.pipeline.simulate import simulate
from matinee.pipeline.statement import export, parameters, statement
from matinee.pipeline.stopping import stop_if_broken
from matinee.pipeline.training import FITS, fit
from matinee.pipeline.trending import choose_trend
from matinee.pipeline.validating import validate, validate_frame, validate_slates
from matinee.transform import Built
from matinee.validation import Validation

__all__ = [
    "FITS",
    "Built",
    "Evidence",
    "Expired",
    "Explanation",
    "Framed",
    "Judged",
    "Night",
    "Progress",
    "Published",
    "Rebuilt",
    "Receipt",
    "Refreshed",
    "Refused",
    "Scored",
    "Validation",
    "begin",
    "build",
    "choose",
    "choose_trend",
    "days",
    "docs",
    "doctor",
    "drop_expired",
    "explain",
    "export",
    "fit",
    "forget",
    "frame",
    "interrupted",
    "judge",
    "lease",
    "list_releases",
    "live_id",
    "parameters",
    "promote",
    "publish",
    "rebuild",
    "receive",
    "recommend",
    "redraw",
    "refresh_features",
    "rejected",
    "replay",
    "run",
    "score",
    "similar",
    "simulate",
    "statement",
    "stop_if_broken",
    "store",
    "take_requests",
    "unreceived",
    "validate",
    "validate_frame",
    "validate_slates",
]
