"""The first look at a card that was just put in: what it is, or whether it is a PSAM."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from cardio.apdu.connection import CardConnection
from cardio.errors import CardUnsupported, ReaderBusy
from cardio.products.catalogue import Catalogue
from cardio.products.detection import Identification, identify
from cardio.readers.sam import SamFound, probe_sam
from cardio.transport.channel import Channel, has_pin_pad
from cardiod.presentation import Presentation

Found: TypeAlias = Identification | SamFound
OnCard: TypeAlias = Callable[[str, Callable[[Channel], Found]], Awaitable[Found]]
BUSY_RETRY = 0.25
"""Seconds between looks at a card that another program holds (OPS §4.11: no faster)."""

log = structlog.get_logger("cardiod.presence")


class FirstLook:
    """Looks at cards, in the threads that own their readers.

    Args:
        catalogue: Card products.
        sam_name: Part of the name of the PSAMs' readers; any if empty.
        on_card: Runs a job on the card in the reader of a name.
        matters: Whether anybody still wants to know what a card is.

    Attributes:
        pin_pads: Whether a reader has a PIN pad, by its name, as far as a card in it has shown.
    """

    def __init__(
        self, catalogue: Catalogue, sam_name: str, on_card: OnCard, matters: Callable[[Presentation], bool]
    ) -> None:
        self.pin_pads: dict[str, bool] = {}
        self._catalogue = catalogue
        self._sam_name = sam_name
        self._on_card = on_card
        self._matters = matters

    async def at(self, card: Presentation) -> Found:
        """Look at a card as soon as no other program holds it.

        Raises:
            ReaderBusy: It left, or the daemon stops, before it was free.
            CardUnsupported: No product knows it.
            CardioError: It does not answer as a card should.
        """
        while True:
            try:
                return await self._on_card(card.reader, self._look)
            except ReaderBusy as error:
                if card.held is None:
                    log.info("card held by another program", reader=card.reader)
                card.held = error
                await asyncio.sleep(BUSY_RETRY)
                if not self._matters(card):
                    raise

    def _look(self, channel: Channel) -> Found:
        self.pin_pads[channel.reader] = has_pin_pad(channel)
        try:
            return identify(CardConnection(channel), self._catalogue)
        except CardUnsupported:
            sam = probe_sam(channel) if self._sam_name in channel.reader else None
            if sam is None:
                raise
            return sam
