"""Ids of readers, which stay when PC/SC numbers them anew (OPS §4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PCSC_NUMBERS = re.compile(r" [0-9A-F]{2} [0-9A-F]{2}$")
"""Reader and slot number, which pcscd puts behind a name in the order of plugging."""
_NO_WORD = re.compile(r"[^a-z0-9]+")


def reader_ids(names: Iterable[str]) -> dict[str, str]:
    """Names of readers by their ids.

    An id is the name in small letters, digits and hyphens, without the numbers that pcscd adds. Readers that cannot be
    told apart so, such as two of one model without serial numbers, are numbered in the order of their names.
    """
    ids: dict[str, str] = {}
    for name in sorted(names):
        stem = _NO_WORD.sub("-", _PCSC_NUMBERS.sub("", name).lower()).strip("-") or "reader"
        number = 1
        identifier = stem
        while identifier in ids:
            number += 1
            identifier = f"{stem}-{number}"
        ids[identifier] = name
    return ids
