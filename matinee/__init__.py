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
