"""`matinee serve` and `matinee tokens`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, say
from matinee.errors import ConfigError

SERVE = "Example: matinee serve --port 8080 --workers 2"

tokens = typer.Typer(no_args_is_help=True, help="Bearer tokens of the API.")


def serve(
    host: Annotated[
        str, typer.Option(help="Any address but loopback needs tokens: `matinee tokens add`.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    now: Annotated[
        str | None,
        typer.Option(help="Start the server's clock at this instant (ISO 8601), for tests."),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Requests a second of one token; 0 for no limit.")
    ] = 0.0,
) -> None:
    """Serve the live release over HTTP: pages, lists, search, events, and a web page."""
    from matinee.serving import server
    from matinee.settings import Settings

    where = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    server.serve(
        Settings(),
        host=host,
        port=port,
        workers=workers,
        now=_instant(now),
        requests_per_second=rate,
        ready=lambda: say(f"serving on {where} with {workers} processes; Ctrl+C ends it"),
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--now must be an instant like 2026-01-31T20:00:00Z, got {text!r}"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


@tokens.command(epilog="Example: matinee tokens add --scope service")
def add(
    scope: Annotated[str, typer.Option(help="member:ID, service or operator.")],
) -> None:
    """Make a token and print it; it is shown once."""
    from matinee.serving.access import tokens as kept
    from matinee.settings import Settings

    token, text = kept.add(Settings().home.resolve(), scope)
    say(f"token {token.id} of scope {token.scope}; it is not shown again")
    typer.echo(text)


@tokens.command("list", epilog="Example: matinee tokens list")
def list_tokens(form: FormatOption = Format.table) -> None:
    """Print the tokens that there are, without their texts."""
    from matinee.serving.access import tokens as kept
    from matinee.settings import Settings

    rows = [{"id": one.id, "scope": one.scope} for one in kept.read(Settings().home.resolve())]
    emit(rows, form, title="tokens")


@tokens.command(epilog="Example: matinee tokens remove 1f2e3d4c")
def remove(token_id: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Take a token back; it does not open anything from the next request on."""
    from matinee.serving.access import tokens as kept
    from matinee.settings import Settings

    token = kept.remove(Settings().home.resolve(), token_id)
    say(f"token {token.id} of scope {token.scope} is removed")
