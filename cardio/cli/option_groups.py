"""Options that go together are fields of a dataclass, and stand in a command as one parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

R = TypeVar("R")
_Parameter = inspect.Parameter


def grouped(command: Callable[..., R]) -> Callable[..., R]:
    """The command as typer shall see it: in place of a parameter that is a dataclass, an option for each of its fields.

    The fields are annotated as options are, and have their defaults.
    """
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: one.annotation for name, one in signature.parameters.items() if is_dataclass(one.annotation)
    }

    @functools.wraps(command)
    def call(**given: Any) -> R:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        return command(**given)

    parameters = [
        option
        for name, one in signature.parameters.items()
        for option in (_options(groups[name]) if name in groups else [one.replace(kind=_Parameter.KEYWORD_ONLY)])
    ]
    seen: Any = call
    seen.__signature__ = signature.replace(parameters=parameters)
    seen.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        _Parameter(
            one.name,
            _Parameter.KEYWORD_ONLY,
            default=_Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(group)
    ]
