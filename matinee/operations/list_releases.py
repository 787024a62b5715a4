"""Lists the releases of a home or of a URL."""

from __future__ import annotations

from typing import Any

from matinee import releases
from matinee.errors import ConfigError
from matinee.releases import mirror
from matinee.settings import Settings

Row = dict[str, Any]


def list_releases(settings: Settings, url: str = "") -> list[Row]:
    """Every release of this home or of a URL, newest first: id, names, as_of, gate, size."""
    kept = releases.Store.of(settings.home)
    if url:
        found = mirror.list_remote(releases.Remote.open(url), keys=kept.keys)
    else:
        if not kept.root.parent.is_dir():
            raise ConfigError(
                f"the home {kept.root.parent} does not exist: `matinee run` fills one, and "
                f"MATINEE_HOME says where it is"
            )
        names = kept.aliases()
        found = ((one.id, names.names_of(one.id), one.manifest) for one in kept.list())
    rows = []
    for release_id, aliases, manifest in found:
        gate = manifest["gate"]
        failed = [rule["rule"] for rule in gate["rules"] if not rule["passed"]]
        answers = sorted({one["by"] for one in gate.get("overrides", [])})
        passed_over = f", passed over by {', '.join(answers)}" if answers else ""
        rows.append(
            {
                "release": release_id,
                "alias": ", ".join(aliases),
                "as_of": manifest["as_of"][:10],
                "reason": manifest["reason"],
                "gate": f"refused by {', '.join(failed)}{passed_over}" if failed else "passed",
                "slates": manifest["exposure"]["members"],
                "bytes": sum(record["bytes"] for record in manifest["files"]),
            }
        )
    return rows
