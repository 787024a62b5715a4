"""The screen of a release: gate, metrics, three slates, rows, and the next commands."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from matinee.cli.output import Format, emit_one, shown, stdout, table_of
from matinee.provenance import failed_rules

if TYPE_CHECKING:
    from matinee.releases import Release, Store
    from matinee.settings import Settings

MODELS = ("hybrid", "collaborative", "content", "ease", "rp3beta", "lightfm", "popularity")
"""What is published and some of its baselines, in the order of the columns; `collaborative` and
`content` are of older releases."""

HEADLINES = (
    ("ndcg@10", "everyone"),
    ("recall@10", "everyone"),
    ("calibration_kl@10", "everyone"),
    ("coverage@10", "everyone"),
    ("session_ndcg@10", "everyone"),
    ("ndcg@10", "cold title"),
)
"""Metric and cohort of the rows of the short screen."""

WIDTH, LINES = 120, 40
"""The short screen is no larger."""

MOST_SLATE_ROWS = 3

MOST_NOTES = 3
"""Warnings and quarantined files on the short screen; `--full` has all of them."""

STYLES = {"PASS": "green", "WARN": "yellow", "FAIL": "red"}

Row = Mapping[str, Any]


def show(settings: Settings, name: str, form: Format, *, full: bool = False) -> None:
    """Print a release by id or alias: a short screen, all of it, or as JSON its manifest."""
    from matinee import releases

    store = releases.Store.of(settings.home)
    release = store.open(name)
    if form is Format.json:
        emit_one(release.manifest, form)
    elif full:
        _print_all(stdout(), settings, store, release)
    else:
        _print_short(stdout(widest=WIDTH), settings, store, release)


def _print_short(console: Console, settings: Settings, store: Store, release: Release) -> None:
    """At most `LINES` lines: slates have fewer rows where the gate has more lines."""
    manifest = release.manifest
    width = min(console.width, WIDTH)
    head = [Text(), _title(store, release), Text(), *_gate(manifest, only_exceptions=True), Text()]
    metrics = _headlines(manifest["evaluation"]["metrics"])
    notes = _notes(manifest)
    if len(notes) > MOST_NOTES:
        more = Text(f"  {len(notes) - MOST_NOTES} more warnings: `{_show_all(store, release)}`")
        notes = [*notes[:MOST_NOTES], more]
    tail = [Text(), _rows(manifest["received"]), *notes]
    commands = _next(store, release)
    samples = manifest["samples"]

    fixed = len(head) + 1 + len(metrics) + 1 + len(samples) + len(tail) + 1 + len(commands)
    k = max(0, min(MOST_SLATE_ROWS, (LINES - fixed) // max(1, len(samples))))

    _print_lines(console, head, width)
    console.print(table_of(metrics) if metrics else "no metrics")
    console.print()
    for member in samples:
        rows = _slate(settings, release, member, k=max(k, 1))
        console.print(_shown_to(member, rows))
        if rows[:k]:
            console.print(_slate_table(rows[:k], width=width))
    _print_lines(console, tail, width)
    console.print(f"Look at   {_report(release)}", soft_wrap=True)
    for nth, command in enumerate(commands):
        label = "Try next" if nth == 0 else ""
        console.print(f"{label:<10}{escape(shown(command))}", soft_wrap=True)


def _print_all(console: Console, settings: Settings, store: Store, release: Release) -> None:
    """Every metric, gate line, stream and warning, and five rows of each slate."""
    manifest = release.manifest
    console.print()
    console.print(_title(store, release))
    console.print()
    for gate_line in _gate(manifest, only_exceptions=False):
        _print_hanging(console, gate_line)
    for metric, rows in _by_metric(manifest["evaluation"]["metrics"]).items():
        console.print()
        console.print(Text(shown(metric), "bold"))
        console.print(table_of(rows))
    for member in manifest["samples"]:
        rows = _slate(settings, release, member, k=5)
        console.print()
        console.print(_shown_to(member, rows))
        if rows:
            slate = [{"": row["rank"], "title": row["title"], "why": row["reason"]} for row in rows]
            console.print(table_of(slate))
    console.print("\n[bold]Rows[/]")
    console.print(table_of([_renamed(row) for row in manifest["received"]]))
    for note in _notes(manifest):
        console.print(note, soft_wrap=True)
    console.print(f"\nLook at   {_report(release)}", soft_wrap=True)
    for nth, command in enumerate(_next(store, release)):
        label = "Try next" if nth == 0 else ""
        console.print(f"{label:<10}{escape(shown(command))}", soft_wrap=True)


def _print_hanging(console: Console, text: Text) -> None:
    """A text on as many lines as it needs; all but the first stand under the text of a rule."""
    indent = " " * len("  PASS  ")
    for nth, part in enumerate(text.wrap(console, console.width - len(indent))):
        console.print(Text(indent if nth else "") + part)


def _print_lines(console: Console, lines: Sequence[Text], width: int) -> None:
    """Each text on one line, cut with an ellipsis where it is too long."""
    for text in lines:
        text.truncate(width, overflow="ellipsis")
        console.print(text, no_wrap=True)


def _title(store: Store, release: Release) -> Text:
    aliases = ", ".join(store.aliases().names_of(release.id)) or "no alias"
    return Text.assemble(
        "release ", (release.id, "bold"), f" ({aliases}), as of {release.manifest['as_of'][:10]}"
    )


def _gate(manifest: Row, *, only_exceptions: bool) -> list[Text]:
    """The verdict, how models were evaluated, a line per rule, and overrides."""
    from matinee.evaluation.gate import line

    rules = manifest["gate"]["rules"]
    by_status = Counter(_status(rule) for rule in rules)
    counts = ", ".join(f"{by_status[status]} {status}" for status in STYLES if by_status[status])
    verdict = "FAIL" if by_status["FAIL"] else "PASS"
    lines = [
        Text.assemble(
            ("Gate  ", "bold"), (verdict, STYLES[verdict]), f"  {len(rules)} rules: {counts}"
        ),
        Text(f"  {shown(manifest['evaluation']['verdict'])}"),
    ]
    if because := manifest["evaluation"].get("because"):
        kind = "full evaluation" if manifest["evaluation"]["is_full"] else "forward test"
        lines.append(Text(f"  {kind}: {shown(because)}"))
    for rule in rules:
        status = _status(rule)
        if status != "PASS" or not only_exceptions:
            text = Text(f"  {shown(line(status, rule['text']))}")
            text.stylize(STYLES[status], 2, 2 + len(status))
            lines.append(text)
    for one in manifest["gate"].get("overrides", []):
        lines.append(Text(f"  override  {shown(one['rule'])} by {shown(one['by'])}: "))
        lines[-1].append(shown(one["why"]))
    return lines


def _status(rule: Row) -> str:
    """PASS, WARN or FAIL; releases from before had `passed` alone."""
    return str(rule.get("status") or ("PASS" if rule["passed"] else "FAIL"))


def _metrics(metrics: Sequence[Row]) -> list[dict[str, Any]]:
    """One row per metric and cohort, one column per model."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in metrics:
        key = row["metric"], row["cohort"]
        head = {"metric": row["metric"], "cohort": row["cohort"], "members": row["n"]}
        lines.setdefault(key, head)[row["model"]] = row["mean"]
    evaluated = dict.fromkeys(row["model"] for row in metrics)
    models = list(dict.fromkeys([*(one for one in MODELS if one in evaluated), *evaluated]))
    # Not every model is evaluated in every cohort; a missing one leaves its cell empty.
    names = ("metric", "cohort", "members", *models)
    return [{name: one.get(name) for name in names} for one in lines.values()]


def _by_metric(metrics: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """Metric -> its members by cohort, then one row per model; one column per cohort.

    Cohorts are few and models many: so the tables fit 80 columns.
    """
    tables: dict[str, list[dict[str, Any]]] = {}
    for metric in dict.fromkeys(row["metric"] for row in metrics):
        lines = [line for line in _metrics(metrics) if line["metric"] == metric]
        rows = [
            {"model": model} | {line["cohort"]: line[model] for line in lines}
            for model in lines[0]
            if model not in ("metric", "cohort", "members")
            and any(line[model] is not None for line in lines)
        ]
        members = {"model": "(members)"} | {line["cohort"]: line["members"] for line in lines}
        tables[metric] = [members, *rows]
    return tables


def _headlines(metrics: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of `HEADLINES`, with the hybrid and its baselines."""
    by_key = {(row["metric"], row["cohort"]): row for row in _metrics(metrics)}
    rows = [by_key[key] for key in HEADLINES if key in by_key]
    names = ("metric", "cohort", "members", *MODELS)
    return [{name: row[name] for name in names if name in row} for row in rows]


def _slate(settings: Settings, release: Release, member: str, *, k: int) -> list[dict[str, Any]]:
    from matinee import pipeline

    return pipeline.recommend(settings, member, k=k, release=release.id)


def _shown_to(member: str, rows: Sequence[Row]) -> Text:
    source = rows[0]["source"] if rows else "nothing: no title is left for this member"
    return Text.assemble((shown(member), "bold"), f" is shown ({source})")


def _slate_table(rows: Sequence[Row], *, width: int) -> Table:
    """Rank, title and reason, each row on one line."""
    table = Table(box=None, show_header=False)
    cells = [[Text(shown(row[name])) for name in ("rank", "title", "reason")] for row in rows]
    free = width - 9  # without the rank and the padding of three columns
    title = min(free // 2, max(cell_len(row[1].plain) for row in cells))
    table.add_column(justify="right", width=3)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=title)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=free - title)
    for row in cells:
        table.add_row(*row)
    return table


def _renamed(row: Row) -> dict[str, Any]:
    """The counts of one stream, in the words of the screen."""
    return {
        "stream": row["stream"],
        "received": row["received"],
        "accepted": row["kept"],
        "duplicates": row["repeats"],
        "rejected": row["rejected"],
    }


def _rows(received: Sequence[Row]) -> Text:
    """The counts of all streams, and which have rejected rows."""
    streams = [_renamed(row) for row in received]
    counts = ", ".join(
        f"{sum(row[name] for row in streams):,} {name}"
        for name in ("received", "accepted", "duplicates", "rejected")
    )
    rejected = ", ".join(
        f"{shown(row['stream'])} {row['rejected']:,}" for row in streams if row["rejected"]
    )
    return Text.assemble(("Rows", "bold"), f"      {counts}", f" ({rejected})" if rejected else "")


def _notes(manifest: Row) -> list[Text]:
    """Quarantined files and warnings."""
    files = [f"{one['file']}: {one['reason']}" for one in manifest["set_aside"]]
    return [
        *(Text.assemble(("  quarantined  ", "red"), shown(file)) for file in files),
        *(Text.assemble(("  warning  ", "yellow"), shown(one)) for one in manifest["warnings"]),
    ]


def _report(release: Release) -> str:
    """The path of the report, from the current folder where it is below it."""
    path, here = release.path / "report.html", Path.cwd()
    return escape(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _next(store: Store, release: Release) -> list[str]:
    """Commands to try: at most five."""
    manifest = release.manifest
    failed = failed_rules(manifest)
    commands = [f"matinee recommend {shlex.quote(member)}" for member in manifest["samples"][:1]]
    commands.append(_show_all(store, release))
    if failed and "live" not in store.aliases().names_of(release.id):
        overrides = " ".join(f"--override {rule}" for rule in failed)
        commands.append(f"matinee releases promote {release.id} {overrides} --by WHO --why TEXT")
    else:
        commands.append(f"matinee releases verify {_name(store, release)}")
    if store.aliases().previous is not None:
        commands.append("matinee releases diff previous live")
    return [*commands, "matinee --help"]


def _show_all(store: Store, release: Release) -> str:
    return f"matinee releases show {_name(store, release)} --full"


def _name(store: Store, release: Release) -> str:
    return "live" if "live" in store.aliases().names_of(release.id) else release.id
