"""The steps that a card with files still needs, by what the register knows and what it says itself (PERS §3.2, §5.2).

Until the master of the master file is the card's own, everything is erased and done anew. Only when it is not known
whether that last key was written, the card is asked. What it answers is known from then on; what it does not answer may
have cost a try. So that one is asked for which fewer answers are missing: the right one gives all tries back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cardio.errors import MasterUnanswered, TransportKeyWrong
from cardio.personalize.attempts import Presented
from cardio.personalize.layout import Layout
from cardio.personalize.steps import Phase, Presentation, Step

if TYPE_CHECKING:
    from cardio.personalize.plan import NativePlan

MOST_UNANSWERED = 2
"""Presentations of one key that may stay without an answer, of the three tries that a card's own master has."""
NOTHING = Presented()


def remaining(
    plan: NativePlan, keys: Mapping[str, bool], presented: Mapping[str, Presented], *, closed: bool
) -> Iterator[Step]:
    """The steps in order; each has to be done before the next is asked for.

    Args:
        plan: The card's plan.
        keys: Keys that were or may have been written: whether that is confirmed, by name.
        presented: Master keys that were presented before, by their check values in hex.
        closed: Whether the card is known to have its own master.

    Raises:
        MasterUnanswered: The next key was presented too often without an answer.
    """
    if not closed and last_key(plan.layout) in keys:
        yield from _ask_for_last(plan, presented)
    elif not closed:
        yield from plan.take_over(_first_master(plan, keys, presented))
        yield from plan.structure()
        yield from plan.close()
    yield from plan.content()


def last_key(layout: Layout) -> str:
    """Name of the key that is written last of all and closes the card; empty if nothing does."""
    root = layout.master_file
    return f"{root.label}/{root.master.name}" if root.master else ""


def _first_master(plan: NativePlan, keys: Mapping[str, bool], presented: Mapping[str, Presented]) -> str:
    """The key that takes the card over: of its maker, or the one that took its place when the card was begun.

    Which the card has said that it does not have, is not asked of it again as long as there is the other.
    """
    root = plan.layout.master_file
    masters = [plan.layout.transport]
    if root.temporary is not None:
        begun = f"{root.label}/{root.temporary}" in keys
        masters.insert(0 if begun else 1, root.temporary)
    known = {master: presented.get(plan.presentation(master).kcv, NOTHING) for master in masters}
    chosen = next((master for master in masters if not known[master].refused), masters[0])
    _check_answered(chosen, known[chosen])
    return chosen


def _ask_for_last(plan: NativePlan, presented: Mapping[str, Presented]) -> Iterator[Step]:
    """Which of the two masters the card has, told by itself; if it is the old one, the last is written now."""
    root = plan.layout.master_file
    if root.master is None or root.temporary is None:
        raise ValueError("the master file has no master to close it with")
    own, temporary = plan.presentation(root.master.name), plan.presentation(root.temporary)
    known = {one.name: presented.get(one.kcv, NOTHING) for one in (own, temporary)}
    possible = [one for one in (own, temporary) if not known[one.name].refused] or [own, temporary]
    # Of two, the last is certain to be the one once the first was refused.
    order = sorted(possible, key=lambda one: known[one.name].unanswered)
    has: Presentation | None = None

    if len(order) > 1:
        _check_answered(order[0].name, known[order[0].name])
    for one in order:
        has = one

        def present(asked: Presentation = one) -> None:
            nonlocal has
            try:
                plan.present_master(root, asked.name)
            except TransportKeyWrong:
                has = None
                raise

        yield Step(
            Phase.CLOSE, root.label, f"询问主控密钥是否为{one.name}", f"ask the card whether its master is {one.name}",
            present, presents=replace(one, asks=one is not order[-1]),
        )  # fmt: skip
        if has is not None:
            break
    if has == temporary:
        yield from plan.replace_master(root)


def _check_answered(master: str, known: Presented) -> None:
    if known.unanswered >= MOST_UNANSWERED:
        raise MasterUnanswered(f"{master}: {known.unanswered} presentations without an answer")
