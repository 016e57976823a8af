"""Version 1.0 cards that hold data of version 2.0 in their old items: the EE rule (SSC §4.10)."""

from __future__ import annotations

from collections.abc import Iterable

from cardio.apdu.tlv import Tlv
from cardio.files.declaration import Reuse

MARK = b"\xee"
"""Fills a new, shorter value on the right up to the length of the old item."""


def split_reused(items: Iterable[Tlv], reuse: Reuse) -> tuple[list[Tlv], list[Tlv]]:
    """Items that keep their 1.0 meaning, and items that hold 2.0 data, both in the order of the card.

    The mark is taken off, so that the 2.0 codecs see the short value. A value that is too long for its 2.0 item
    without the mark is an old one: text of the full old length may end in EE by chance.

    Args:
        items: Items of a 1.0 file.
        reuse: What the file may be re-used for.
    """
    found = list(items)
    reused = {tlv.tag for tlv in found if _is_marked(tlv, reuse)}
    old: list[Tlv] = []
    new: list[Tlv] = []
    for tlv in found:
        if _is_marked(tlv, reuse):
            new.append(Tlv(tlv.tag, tlv.value.rstrip(MARK)))
        elif reuse.followers.get(tlv.tag) in reused:
            new.append(tlv)
        else:
            old.append(tlv)
    return old, new


def _is_marked(tlv: Tlv, reuse: Reuse) -> bool:
    if tlv.tag not in reuse.tags or not tlv.value.endswith(MARK):
        return False
    sizes = {spec.tag: spec.codec.size for spec in reuse.content.specs().values()}
    return len(tlv.value.rstrip(MARK)) <= sizes[tlv.tag]
