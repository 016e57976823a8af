"""The steps that a card with files still needs, by what the register knows and what it says itself (PERS §3.2, §5.2).

Until the master of the master file is the card's own, everything is erased and done anew. Only when it is not known
whether that last key was written, the card is asked: the new key first, then the old one, once each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cardio.errors import TransportKeyWrong
from cardio.personalize.layout import Layout
from cardio.personalize.steps import Phase, Step

if TYPE_CHECKING:
    from cardio.personalize.plan import NativePlan


def remaining(plan: NativePlan, keys: Mapping[str, bool], *, closed: bool) -> Iterator[Step]:
    """The steps in order; each has to be done before the next is asked for.

    Args:
        plan: The card's plan.
        keys: Keys that were or may have been written: whether that is confirmed, by name.
        closed: Whether the card is known to have its own master.

    Raises:
        TransportKeyWrong: The card has another master than can be explained.
    """
    root = plan.layout.master_file
    if not closed and last_key(plan.layout) in keys:
        yield from _ask_for_last(plan)
    elif not closed:
        # A card that was begun may have lost its transport key already; a card without any key takes everything.
        begun = root.temporary is not None and f"{root.label}/{root.temporary}" in keys
        yield from plan.take_over(str(root.temporary) if begun else plan.layout.transport)
        yield from plan.structure()
        yield from plan.close()
    yield from plan.content()


def last_key(layout: Layout) -> str:
    """Name of the key that is written last of all and closes the card; empty if nothing does."""
    root = layout.master_file
    return f"{root.label}/{root.master.name}" if root.master else ""


def _ask_for_last(plan: NativePlan) -> Iterator[Step]:
    """Whether the last master was written, told by the card; if it was not, it is written now."""
    root, master = plan.layout.master_file, plan.layout.master_file.master
    if master is None or root.temporary is None:
        raise ValueError("the master file has no master to close it with")
    written = True

    def ask() -> None:
        nonlocal written
        try:
            plan.present_master(root, master.name)
        except TransportKeyWrong:
            written = False

    yield Step(Phase.CLOSE, root.label, "询问卡片主控密钥是否已替换", "ask the card whether it has its own master", ask)
    if not written:
        yield from plan.replace_master(root)
