"""Tests that need more than a user has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: several users, namespaces of its own")
NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without any right beyond everybody's."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
