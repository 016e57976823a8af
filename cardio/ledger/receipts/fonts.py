"""The font of printed pages: one with Chinese characters, whose outlines a PDF can hold."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from cardio.errors import ReceiptFontMissing

KNOWN = tuple(
    Path("/usr/share/fonts/truetype") / name
    for name in (
        "wqy/wqy-zenhei.ttc",
        "wqy/wqy-microhei.ttc",
        "arphic/uming.ttc",
        "droid/DroidSansFallbackFull.ttf",
    )
)
"""Fonts of Debian: fonts-wqy-zenhei, fonts-wqy-microhei, fonts-arphic-uming, fonts-droid-fallback."""


def register(wanted: Path | None = None) -> str:
    """Make a font known to reportlab, once; return its name there.

    Args:
        wanted: TrueType font or collection; None for the first of the known ones that is installed.

    Raises:
        ReceiptFontMissing: None is installed, or the one wanted cannot be read or embedded.
    """
    return _registered(wanted or _installed())


def _installed() -> Path:
    for path in KNOWN:
        if path.is_file():
            return path
    raise ReceiptFontMissing("install fonts-wqy-zenhei, or configure a TrueType font with Chinese characters")


@cache
def _registered(path: Path) -> str:
    """Reading a collection of 16 MB takes a moment, so it is done once."""
    name = str(path)
    try:
        pdfmetrics.registerFont(TTFont(name, name))
    except (TTFError, OSError) as error:
        raise ReceiptFontMissing(f"{path}: {error}") from error
    return name
