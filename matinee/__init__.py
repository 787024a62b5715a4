"""matinee: from a streaming service's raw logs to published, versioned recommendations.

Floors, top to bottom; imports go down only (`tests/test_floors.py` keeps it):

4  cli  (and the folders flows/, serving/)   commands; each calls pipeline
3  pipeline                                   the steps of a night in plain functions
2  landing  transform  warehouse  validation  features  hybrid  releases  report
                                              one outside system each; never import each other
1  vocabulary  matrices  splits  popularity  ranking  metrics  reasons  simulator  ...
                                              arithmetic on arrays; no I/O
0  columns  errors  settings                  names; import nothing in-house
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
