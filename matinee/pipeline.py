"""The steps of a night in plain functions: flows decorate them, the command line calls them.

`STEPS` is a night in order; `run` is all of it in one process.
"""

from matinee.landing import Expired, Receipt
from matinee.night.build import build, nodes
from matinee.night.combine import combine
from matinee.night.evaluate import Evaluation, evaluate
from matinee.night.expire import drop_expired
from matinee.night.features import Refreshed, refresh_features
from matinee.night.fit import FITS, fit
from matinee.night.frame import Framed, frame, hold_out
from matinee.night.insights.step import Insights, compute_weekly, insights
from matinee.night.lease import interrupted, lease, live_id
from matinee.night.manifest import Evidence
from matinee.night.night import Night, begin
from matinee.night.publish import Published, publish
from matinee.night.receive import receive
from matinee.night.run import REFRESH_STEPS, STEPS, NightRun, Step, days, run, walk
from matinee.night.score import Scored, score
from matinee.night.validate import stop_on_breach, validate, validate_frame, validate_slates
from matinee.operations.audience import title_audience
from matinee.operations.brief import brief
from matinee.operations.copy_home import backup, restore, sandbox
from matinee.operations.docs import docs
from matinee.operations.doctor import doctor
from matinee.operations.explain import Explanation, explain
from matinee.operations.feature_values import feature_frame, list_features, online_features
from matinee.operations.forget import forget
from matinee.operations.insight_table import InsightTable, insight_table
from matinee.operations.list_releases import list_releases
from matinee.operations.map_file import land_mapped, map_file
from matinee.operations.nights import list_nights, record_of, recorded
from matinee.operations.notify import check_live_age, live_age, read_targets, send_test, watched
from matinee.operations.play import PlayedDay, play
from matinee.operations.project import init, upgrade
from matinee.operations.promote import promote
from matinee.operations.rebuild import RebuildResult, rebuild
from matinee.operations.recommend import recommend, similar, slates
from matinee.operations.rejected import RejectedRows, rejected, replay, unreceived
from matinee.operations.simulate import simulate
from matinee.progress import Progress
from matinee.rights.consent import record_choice
from matinee.rights.consent import restore as restore_withdrawals
from matinee.rights.erase import erase_requested
from matinee.rights.reissue import reissue_pages
from matinee.rights.statement import export, parameters, require_data, statement
from matinee.transform import Built
from matinee.validation import Validation

__all__ = [
    "FITS",
    "REFRESH_STEPS",
    "STEPS",
    "Built",
    "Evaluation",
    "Evidence",
    "Expired",
    "Explanation",
    "Framed",
    "InsightTable",
    "Insights",
    "Night",
    "NightRun",
    "PlayedDay",
    "Progress",
    "Published",
    "RebuildResult",
    "Receipt",
    "Refreshed",
    "RejectedRows",
    "Scored",
    "Step",
    "Validation",
    "backup",
    "begin",
    "brief",
    "build",
    "check_live_age",
    "combine",
    "compute_weekly",
    "days",
    "docs",
    "doctor",
    "drop_expired",
    "erase_requested",
    "evaluate",
    "explain",
    "export",
    "feature_frame",
    "fit",
    "forget",
    "frame",
    "hold_out",
    "init",
    "insight_table",
    "insights",
    "interrupted",
    "land_mapped",
    "lease",
    "list_features",
    "list_nights",
    "list_releases",
    "live_age",
    "live_id",
    "map_file",
    "nodes",
    "online_features",
    "parameters",
    "play",
    "promote",
    "publish",
    "read_targets",
    "rebuild",
    "receive",
    "recommend",
    "record_choice",
    "record_of",
    "recorded",
    "refresh_features",
    "reissue_pages",
    "rejected",
    "replay",
    "require_data",
    "restore",
    "restore_withdrawals",
    "run",
    "sandbox",
    "score",
    "send_test",
    "similar",
    "simulate",
    "slates",
    "statement",
    "stop_on_breach",
    "title_audience",
    "unreceived",
    "upgrade",
    "validate",
    "validate_frame",
    "validate_slates",
    "walk",
    "watched",
]
