"""matinee: from a streaming service's raw logs to published, versioned recommendations.

Layers, top to bottom; imports go down only, file by file (`tests/test_layers.py`):

cli                    commands: parse, call, print (flows/ stands beside it)
pipeline               the public face: the steps of a night and the operators' functions
research  operations   benchmarks and tuning; promote, rebuild, sync, explain, simulate
night                  one file per step of the nightly pipeline
rights                 consent, erasure, statements, differentially private counts
landing  transform  warehouse  validation  features  releases  report  simulator
                       one outside system each; they never import each other
models                 hybrid and baselines on arrays: no I/O
slates                 ranking, calibration, eligibility, exposure, reasons
evaluation             splits, metrics, gate
vocabulary  matrices  privacy  id_tokens  provenance
                       values and small arithmetic
columns  errors  settings  progress          names
"""

import os

# No library that we use may tell anybody anything. Each reads its own variable when it is imported,
# so they are set before any of them is, and for every process that is started from here.
os.environ.update(
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    DBT_VERSION_CHECK="false",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    GX_ANALYTICS_ENABLED="false",
    FEAST_USAGE="false",
)
