"""Access rights of a declaration as states of a native COS (PERS §1.1, mapping of §5.3).

A declaration names rights: `PIN or RK1DF04`. A native COS knows states: each key and the PIN lead to one, and a file's
access byte XY is open from state Y to state X. So rights that open a file together get neighbouring states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cardio.files.declaration import PIN, Access
from cardio.personalize.layout import FREE, MASTER, NEVER

PURPOSES: Mapping[str, int] = {"PUK": 0x4, "BK": 0x5, "LK": 0x5, "DSK": 0x6}
"""States by which the card knows what a key is for, by the beginning of its name (PERS §5.3)."""
READ_FIRST: Sequence[int] = (0x2, 0x3, 0x1, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF, 0x6, 0x4, 0x5)
UPDATE_FIRST: Sequence[int] = (0x8, 0x9, 0xB, 0xC, 0xD, 0xE, 0xF, 0x7, 0x3, 0x2, 0x1, 0x6, 0x4, 0x5)
MASTER_STATE = MASTER & 0x0F


@dataclass
class States:
    """The states of one directory.

    Attributes:
        of: State by right.
        companions: State of `PIN and key`, by key.
        left_out: Rights that the COS cannot express besides those that it does, as sentences.
    """

    of: dict[str, int]
    companions: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def byte(self, access: Access, file: str) -> int:
        """Access byte of a file; what cannot be expressed is left out and told, never opened to others.

        Args:
            access: Who may.
            file: Its name, for the telling.
        """
        if not access.alternatives:
            return NEVER
        if any(not needed for needed in access.alternatives):
            return FREE
        wanted = {self._state(needed): needed for needed in access.alternatives if self._known(needed)}
        if not wanted:
            self._tell(access.alternatives, file, "nobody")
            return NEVER
        low, high = min(wanted), max(wanted)
        taken = {*self.of.values(), *self.companions.values(), MASTER_STATE}
        between = taken & set(range(low, high + 1))
        if between <= wanted.keys():
            return high << 4 | low
        kept = next((state for state, needed in wanted.items() if needed == {PIN}), low)
        self._tell([needed for state, needed in wanted.items() if state != kept], file, "|".join(sorted(wanted[kept])))
        return kept << 4 | kept

    def _known(self, needed: frozenset[str]) -> bool:
        return needed <= self.of.keys()

    def _state(self, needed: frozenset[str]) -> int:
        if len(needed) == 1:
            return self.of[next(iter(needed))]
        (key,) = needed - {PIN}
        return self.companions[key]

    def _tell(self, alternatives: Iterable[frozenset[str]], file: str, kept: str) -> None:
        names = ", ".join(" and ".join(sorted(needed)) for needed in alternatives)
        self.left_out.append(f"{file}: {names} has no state of its own beside {kept}; the file stays closed to it")


def allot(accesses: Sequence[Access], keys: Sequence[str], pin: int) -> States:
    """Give every right of a directory a state.

    Args:
        accesses: Rights of all its files.
        keys: Names of its external keys.
        pin: State of the PIN, which is the same in all directories.

    Raises:
        ValueError: There are more rights than states.
    """
    states = States({PIN: pin})
    neighbours = [state for state in (pin + 1, pin - 1) if 1 <= state <= 0xF and state != MASTER_STATE]
    for name, state in zip(_partners(accesses, keys), neighbours, strict=False):
        states.of[name] = state
    for name in keys:
        purpose = next((state for begin, state in PURPOSES.items() if name.startswith(begin)), None)
        if purpose is not None:
            states.of[name] = purpose
    for name in keys:
        if name not in states.of:
            states.of[name] = _free(states, UPDATE_FIRST if name.startswith("UK") else READ_FIRST)
    for access in accesses:
        for needed in access.alternatives:
            if len(needed) > 1 and needed <= states.of.keys():
                (key,) = needed - {PIN}
                if key not in states.companions:
                    states.companions[key] = _free(states, READ_FIRST)
    return states


def _partners(accesses: Sequence[Access], keys: Sequence[str]) -> list[str]:
    """Keys that open a file just as the PIN does, the most useful first."""
    counts: dict[str, int] = {}
    for access in accesses:
        single = {next(iter(needed)) for needed in access.alternatives if len(needed) == 1}
        if PIN in single:
            for name in single & set(keys):
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], keys.index(name)))


def _free(states: States, order: Sequence[int]) -> int:
    taken = {*states.of.values(), *states.companions.values(), MASTER_STATE}
    found = next((state for state in order if state not in taken), None)
    if found is None:
        raise ValueError(f"a directory has 14 states, {len(taken)} rights need one")
    return found
