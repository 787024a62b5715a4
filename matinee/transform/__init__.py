"""Builds and tests the warehouse with dbt. dbt lives here, nowhere else."""

from matinee.transform.dbt_build import Built, build, check_units, docs, project_vars

__all__ = ["Built", "build", "check_units", "docs", "project_vars"]
