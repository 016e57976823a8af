"""Both kinds of layouts, and how a file says which one it is."""

from __future__ import annotations

from pathlib import Path

from cardio.personalize.globalplatform.layout import GLOBALPLATFORM, JavaCardLayout
from cardio.personalize.layout import Layout
from cardio.personalize.layout_file import read_toml, validated

CardLayout = Layout | JavaCardLayout


def load_card_layout(file: Path) -> CardLayout:
    """Read a layout from a TOML file; `cos` says whether it is that of a JavaCard.

    Raises:
        LayoutInvalid: It is not there, no TOML, or a key is missing, unknown or wrong; file, key and reason are named.
    """
    content = read_toml(file)
    if content.get("cos") == GLOBALPLATFORM:
        return validated(JavaCardLayout, content, file)
    return validated(Layout, content, file)
