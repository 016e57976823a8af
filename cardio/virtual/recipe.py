"""How a ready-made virtual card was made, so that its keys and files need not be written down with it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ParamSpec

from cardio.virtual.card import VirtualCard

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Recipe:
    """A call that makes a card.

    Attributes:
        function: Name of the function.
        arguments: Arguments that are not the default.
    """

    function: str
    arguments: Mapping[str, object]


def remembered(make: Callable[Arguments, VirtualCard]) -> Callable[Arguments, VirtualCard]:
    """Have a function write into every card that it makes how it was called."""
    signature = inspect.signature(make)

    @functools.wraps(make)
    def made(*args: Arguments.args, **kwargs: Arguments.kwargs) -> VirtualCard:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if isinstance(value, Iterator):
                bound.arguments[name] = tuple(value)
        card = make(*bound.args, **bound.kwargs)
        given = {name: value for name, value in bound.arguments.items() if value != signature.parameters[name].default}
        card.recipe = Recipe(make.__name__, given)
        return card

    return made
