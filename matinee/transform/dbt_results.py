"""What dbt wrote of its last build: a row a node, also of a build that failed."""

from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.provenance import parse_json

RESULTS = "warehouse/dbt/target/run_results.json"


def node_results(home: Path, *, since: datetime) -> list[dict[str, Any]]:
    """Kind, name, status, seconds and failed rows of each node, in the order of the build.

    Empty if dbt wrote nothing since then: it failed before its first node.
    """
    try:
        document = parse_json((home / RESULTS).read_bytes())
        written_at = datetime.fromisoformat(document["metadata"]["generated_at"])
    except (OSError, ValueError, KeyError):
        return []
    if written_at < since:
        return []
    nodes = ([*node["unique_id"].split(".")[:3], node] for node in document["results"])
    return [
        {
            "kind": kind,
            "node": name,
            "status": node["status"],
            "seconds": round(node["execution_time"], 3),
            "failures": node["failures"],
        }
        for kind, _, name, node in nodes
        if kind != "operation"
    ]
