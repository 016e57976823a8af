"""The console's files: the page at `/`, what it is made of below `/console` (OPS §4.13).

They are read once, at the start: nothing that a request says becomes the path of a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from fastapi.responses import Response

from cardio.errors import AddressUnknown

PAGE = "index.html"
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
"""By the end of the name; what the system's own table says of `.js` differs from one to the next."""
POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Nothing from elsewhere, no scripts or styles within the page, no texts taken for markup, in nobody's frame."""
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}

router = APIRouter(include_in_schema=False)


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()


FILES = dict(_files(resources.files("cardiod") / "console"))


@router.get("/")
async def page() -> Response:
    """The page."""
    return _answer(PAGE)


@router.get("/console/{name:path}")
async def file(name: str) -> Response:
    """A file that the page is made of.

    Raises:
        AddressUnknown: There is none of that name.
    """
    if name not in FILES:
        raise AddressUnknown
    return _answer(name)


def _answer(name: str) -> Response:
    return Response(FILES[name], media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=HEADERS)
