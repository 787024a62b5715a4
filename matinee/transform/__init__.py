"""Builds and tests the warehouse with dbt. dbt lives here, nowhere else."""

from matinee.transform.dbt_build import Built, build, check_units, docs, project_vars
from matinee.transform.dbt_results import node_results

__all__ = ["Built", "build", "check_units", "docs", "node_results", "project_vars"]
