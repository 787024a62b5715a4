"""The one screen at the end of a night: is it good, what do members see, where do I look next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from matinee.cli.output import Format, emit_one, shown, stdout, table_of
from matinee.settings import Settings

MODELS = ("hybrid", "collaborative", "content", "popularity")


def show(settings: Settings, name: str, form: Format) -> None:
    """Print a release by id or alias; as JSON its whole manifest."""
    from matinee import pipeline, releases

    store = releases.Store.of(settings.home)
    release = store.open(name)
    manifest = release.manifest
    if form is Format.json:
        emit_one(manifest, form)
        return
    console = stdout()
    aliases = ", ".join(store.aliases().names_of(release.id)) or "no alias"
    console.print(f"\nrelease [bold]{release.id}[/] ({aliases}), as of {manifest['as_of'][:10]}")

    told = manifest["evaluation"]
    console.print(f"\n[bold]Gate[/]  {escape(told['verdict'])}")
    console.print(table_of(_gate_table(told["metrics"])))
    for rule in manifest["gate"]["rules"]:
        mark = "[green]holds[/]  " if rule["passed"] else "[red]refused[/]"
        console.print(f"  {mark} {escape(shown(rule['text']))}")
    for one in manifest["gate"].get("overrides", []):
        said = f"{one['rule']} passed over by {one['by']}: {one['why']}"
        console.print(f"  [yellow]answered[/] {escape(shown(said))}", soft_wrap=True)

    for member in manifest["samples"]:
        rows = pipeline.recommend(settings, member, k=5, release=release.id)
        source = rows[0]["source"] if rows else "nothing: no title is left for this member"
        console.print(f"\n[bold]{escape(shown(member))}[/] is shown ({source})")
        if not rows:
            continue
        slate = [{"": row["rank"], "title": row["title"], "why": row["reason"]} for row in rows]
        console.print(table_of(slate))

    console.print("\n[bold]Rows[/]")
    console.print(table_of(manifest["received"]))
    for one in manifest["set_aside"]:
        said = f"{one['file']}: {one['reason']}"
        console.print(f"  [red]set aside[/] {escape(shown(said))}", soft_wrap=True)
    for warning in manifest["warnings"]:
        console.print(f"  [yellow]warning[/]   {escape(shown(warning))}", soft_wrap=True)
    console.print(f"\nLook at  {release.path / 'report.html'}", soft_wrap=True)
    console.print("Try next")
    for command in _next(manifest, has_previous=store.aliases().previous is not None):
        console.print(f"  {escape(shown(command))}", soft_wrap=True)


def _gate_table(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line per metric and cohort, a column per model."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in metrics:
        key = row["metric"], row["cohort"]
        head = {"metric": row["metric"], "cohort": row["cohort"], "members": row["n"]}
        lines.setdefault(key, head)[row["model"]] = row["mean"]
    known = list(dict.fromkeys([*MODELS, *(row["model"] for row in metrics)]))
    # Not every model is judged in every cohort; a missing one leaves its cell empty.
    return [
        {**_head(line), **{model: line.get(model) for model in known}} for line in lines.values()
    ]


def _head(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("metric", "cohort", "members")}


def _next(manifest: Mapping[str, Any], *, has_previous: bool) -> list[str]:
    return [
        *(f"matinee recommend {shlex.quote(member)}" for member in manifest["samples"][:1]),
        "matinee releases verify live",
        *(["matinee releases diff previous live"] if has_previous else []),
        "matinee --help",
    ]
