"""What of a virtual card outlives its power, in the form in which it is written down.

A purse, a PSAM's application or a security says it with `memory()` and takes it back with `restore()`, as a dataclass.
This module turns such dataclasses into what JSON can hold, and back, with the place and the reason of everything that
does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints, runtime_checkable


@runtime_checkable
class Persistent(Protocol):
    """Something with a memory that outlives the power."""

    def memory(self) -> Any:
        """What it remembers, as a dataclass of its own."""

    def restore(self, memory: Any) -> None:
        """Take a memory of the same class.

        Raises:
            Misfit: It belongs to another card.
        """


@dataclass(frozen=True)
class AtMost:
    """Largest value of a number, or number of bytes of a string of them; the smallest number is 0."""

    limit: int


@dataclass(frozen=True)
class Exactly:
    """Number of bytes."""

    size: int


Tries = Annotated[int, AtMost(15)]
Byte = Annotated[int, AtMost(0xFF)]
Counter = Annotated[int, AtMost(0xFFFF)]
Limit = Annotated[int, AtMost(0xFFFFFF)]
Amount = Annotated[int, AtMost(0xFFFFFFFF)]
Bytes2 = Annotated[bytes, Exactly(2)]
Bytes4 = Annotated[bytes, Exactly(4)]
Bytes6 = Annotated[bytes, Exactly(6)]


class Misfit(Exception):
    """A value that does not fit.

    Attributes:
        place: Keys and list places that lead to it.
        reason: What is wrong; never the value itself.
    """

    def __init__(self, place: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'.'.join(place)}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


# ---- out ---------------------------------------------------------------------------------------------------------


def to_plain(value: Any) -> Any:
    """A value in the form that JSON can hold.

    Bytes are hex, members of an enumeration without text are named, and what is None by default is left out.
    """
    match value:
        case None | bool() | str() | int() if not isinstance(value, Enum):
            return value
        case bytes():
            return value.hex().upper()
        case StrEnum():
            return value.value
        case Enum():
            return value.name
        case Mapping():
            return {key: to_plain(one) for key, one in value.items()}
        case Iterable():
            return [to_plain(one) for one in value]
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} cannot be written down")
    hints = get_type_hints(type(value))
    found = {}
    for one in fields(value):
        inner = getattr(value, one.name)
        if inner is not None or one.default is not None:
            # A member of an IntEnum in a field for any number is a number.
            found[one.name] = int(inner) if hints[one.name] is int else to_plain(inner)
    return found


# ---- in ----------------------------------------------------------------------------------------------------------


def from_plain(plain: Any, kind: Any, place: tuple[str, ...] = ()) -> Any:
    """The value of a type that `to_plain` made `plain` of.

    Args:
        plain: What JSON held.
        kind: Type hint: a dataclass, an enumeration, int, bool, str, bytes, or an option, list, tuple, set or mapping
            by strings of these; `object` takes anything as it is.
        place: Where it was found.

    Raises:
        Misfit: It is no such value.
    """
    if kind is object:
        return plain
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _limited(from_plain(plain, arguments[0], place), arguments[1], place)
    if origin in {Union, UnionType}:
        return _optional(plain, arguments, place)
    if origin is not None:
        return _several(plain, origin, arguments, place)
    if issubclass(kind, Enum):
        return _member(plain, kind, place)
    if is_dataclass(kind):
        return _record(plain, kind, place)
    return _simple(plain, kind, place)


def _limited(value: Any, limit: AtMost | Exactly, place: tuple[str, ...]) -> Any:
    match limit, value:
        case AtMost(largest), int() if not 0 <= value <= largest:
            raise Misfit(place, f"must be 0 to {largest}")
        case AtMost(largest), bytes() if len(value) > largest:
            raise Misfit(place, f"must have at most {largest} bytes")
        case Exactly(size), bytes() if len(value) != size:
            raise Misfit(place, f"must have {size} bytes")
    return value


def _optional(plain: Any, kinds: tuple[Any, ...], place: tuple[str, ...]) -> Any:
    (kind,) = (one for one in kinds if one is not NoneType)
    return None if plain is None else from_plain(plain, kind, place)


def _several(plain: Any, origin: Any, arguments: tuple[Any, ...], place: tuple[str, ...]) -> Any:
    """Mappings, and whatever JSON holds as a list."""
    if issubclass(origin, Mapping):
        table = _of_type(plain, dict, "a table", place)
        return {key: from_plain(one, arguments[1], (*place, key)) for key, one in table.items()}
    found = _of_type(plain, list, "a list", place)
    build: Callable[[Iterable[Any]], Any] = origin if origin in {list, set, frozenset} else tuple
    return build(from_plain(one, arguments[0], (*place, str(number))) for number, one in enumerate(found))


def _member(plain: Any, kind: type[Enum], place: tuple[str, ...]) -> Enum:
    by_value = issubclass(kind, StrEnum)
    members = {one.value if by_value else one.name: one for one in kind}
    if not isinstance(plain, str) or plain not in members:
        raise Misfit(place, f"must be one of {', '.join(members)}")
    return members[plain]


def _record(plain: Any, kind: Any, place: tuple[str, ...]) -> Any:
    table = _of_type(plain, dict, "a table", place)
    hints = get_type_hints(kind, include_extras=True)
    known = {one.name: one for one in fields(kind)}
    for key in table:
        if key not in known:
            raise Misfit((*place, key), "is not known here")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise Misfit((*place, name), "is missing")
    return kind(**{key: from_plain(one, hints[key], (*place, key)) for key, one in table.items()})


def _simple(plain: Any, kind: type, place: tuple[str, ...]) -> Any:
    if kind is bytes:
        try:
            return bytes.fromhex(_of_type(plain, str, "hex digits", place))
        except ValueError:
            raise Misfit(place, "must be hex digits, two for each byte") from None
    names = {int: "a whole number", bool: "true or false", str: "a text"}
    if kind not in names:
        raise TypeError(f"{kind.__name__} cannot be read back")
    return _of_type(plain, kind, names[kind], place)


def _of_type(plain: Any, kind: type, name: str, place: tuple[str, ...]) -> Any:
    # JSON's true is an int for Python
    if not isinstance(plain, kind) or (kind is int and isinstance(plain, bool)):
        raise Misfit(place, f"must be {name}")
    return plain
