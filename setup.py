"""Builds the wheel with the project template: the top-level folders, without a copy in the tree."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TEMPLATE = ("dbt_project", "feature_repo", "expectations", "flows", "deploy", "prefect.yaml")
BUILT = shutil.ignore_patterns("target", "logs", "__pycache__", "*.duckdb", ".user.yml")


class BuildWithTemplate(build_py):
    """Also copies the template into the package that is built."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in TEMPLATE:
            source, target = Path(name), Path(self.build_lib) / "matinee/template" / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=BUILT, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


setup(cmdclass={"build_py": BuildWithTemplate})
