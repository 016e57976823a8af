"""A counter for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counter import TestCounter


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[TestCounter]:
    """A counter whose journal must still be whole at the end."""
    made = TestCounter(tmp_path)
    yield made
    made.close()
