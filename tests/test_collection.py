"""Two collections find the same tests: no id depends on time, randomness or the order of a set."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEAVY = {"feast", "great_expectations", "dbt", "prefect", "sklearn", "implicit"}
"""Each takes a second or more, in every worker."""


def test_another_process_with_another_hash_seed_collects_the_same_ids(request):
    """This session is one collection, a process that starts later is the other."""
    items = request.session.items
    files = sorted({str(item.path.relative_to(ROOT)) for item in items})
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    code = (
        "import sys, pytest\n"
        "failed = pytest.main(['--collect-only', '-p', 'no:xdist', *sys.argv[1:]])\n"
        f"print('imported:', *({HEAVY!r} & sys.modules.keys()))\n"
        "sys.exit(failed)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *files],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTEST_ADDOPTS": "", "COLUMNS": "1000"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {line for line in done.stdout.splitlines() if "::" in line}
    assert "imported:" in done.stdout.splitlines(), (
        "import these in tests and fixtures: " + done.stdout
    )
    missing = sorted({item.nodeid for item in items} - found)
    assert missing == [], f"{len(missing)} ids of this session are not in the other collection"


def test_at_most_ten_tests_are_slow(request):
    slow = [item.nodeid for item in request.session.items if item.get_closest_marker("slow")]
    assert len(slow) <= 10, slow
