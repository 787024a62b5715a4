"""The web page: static files that are part of the package; nothing comes from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI, Response

from matinee.serving.problems import ProblemError

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
        "object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def add_page(api: FastAPI) -> None:
    """Serve `/`, `/docs` and `/static/NAME`."""
    folder = files("matinee.serving") / "static"
    pages = {
        one.name: one.read_bytes()
        for part in (folder, folder / "docs")
        for one in part.iterdir()
        if one.is_file()
    }

    def answer(name: str) -> Response:
        if name not in pages:
            raise ProblemError(404, "no such file")
        kind = TYPES[name.rpartition(".")[2]]
        return Response(pages[name], media_type=f"{kind}; charset=utf-8", headers=HEADERS)

    @api.get("/", include_in_schema=False)
    async def page() -> Response:
        return answer("index.html")

    @api.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return answer("docs.html")

    @api.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        return answer(name)
