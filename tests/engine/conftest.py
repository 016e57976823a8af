"""A counter for each test, and worlds of the fault loop."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.counter import TestCounter
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.world import World

BY_NAME = {str(scenario): scenario for scenario in scenarios()}


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[TestCounter]:
    """A counter whose journal must still be whole at the end."""
    made = TestCounter(tmp_path)
    yield made
    made.close()


def worlds(tmp_path: Path) -> Iterator[Callable[[str], tuple[Scenario, World]]]:
    """Makes started worlds by the names of their scenarios; their journals must be whole at the end."""
    made: list[World] = []
    numbers = count()

    def make(name: str) -> tuple[Scenario, World]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        world = BY_NAME[name].world(folder)
        world.start()
        made.append(world)
        return BY_NAME[name], world

    yield make
    for world in made:
        world.audit()
        world.stop()
