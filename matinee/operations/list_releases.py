"""Lists the releases of a home or of a URL."""

from __future__ import annotations

from typing import Any

from matinee import releases
from matinee.errors import ConfigError
from matinee.provenance import failed_rules
from matinee.releases import mirror
from matinee.settings import Settings

Row = dict[str, Any]


def list_releases(settings: Settings, url: str = "") -> list[Row]:
    """Every release of this home or of a URL, newest first: id, aliases, as_of, gate, size."""
    store = releases.Store.of(settings.home)
    if url:
        listed = mirror.list_remote(releases.Remote.open(url), keys=store.keys)
    else:
        if not store.root.parent.is_dir():
            raise ConfigError(
                f"the home {store.root.parent} does not exist: `matinee run` creates one; set "
                f"MATINEE_HOME to its folder"
            )
        state = store.aliases()
        listed = ((one.id, state.names_of(one.id), one.manifest) for one in store.list())
    rows = []
    for release_id, aliases, manifest in listed:
        gate = manifest["gate"]
        failed = failed_rules(manifest)
        people = sorted({one["by"] for one in gate.get("overrides", [])})
        overridden = f", overridden by {', '.join(people)}" if people else ""
        rows.append(
            {
                "release": release_id,
                "alias": ", ".join(aliases),
                "as_of": manifest["as_of"][:10],
                "reason": manifest["reason"],
                "gate": f"refused by {', '.join(failed)}{overridden}" if failed else "passed",
                "slates": manifest["exposure"]["members"],
                "bytes": sum(record["bytes"] for record in manifest["files"]),
            }
        )
    return rows
