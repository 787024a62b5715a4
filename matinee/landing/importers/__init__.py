"""Public data sets, landed as raw logs."""
