"""What a JavaCard is told while it is made: every step of a plan is one method (PERS §2.5).

No method spends a try of a card that has other keys: the card proves itself first, and its proof is checked.
"""

from __future__ import annotations

from collections.abc import Sequence

from cardio.apdu.command import select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform import CardState, Scope
from cardio.crypto.globalplatform.keys import DIVERSIFICATION_SIZE, CardKeySource, StaticKeys
from cardio.crypto.globalplatform.scp02 import USUAL_OPTIONS, Scp02Options
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import (
    CardContentRefused,
    CardContentUnknown,
    CardDataInvalid,
    CardKeysDiffer,
    KeyCheckFailed,
    KeyRejected,
    SecureChannelBroken,
)
from cardio.personalize.globalplatform.card_data import CardData, chip_of
from cardio.personalize.globalplatform.commands import Installation, get_data
from cardio.personalize.globalplatform.dgi import Dgi
from cardio.personalize.globalplatform.layout import INITIAL_VERSION, JavaCardLayout, Protocol
from cardio.personalize.globalplatform.manager import CARD_DATA, CardManager
from cardio.personalize.globalplatform.opening import CARD_LOCKED, ChannelChoices, open_channel, select_security_domain

PRODUCTION_DATA = 0x9F7F
ANY_VERSION = 0x00
SOME_CARD = bytes(DIVERSIFICATION_SIZE)
"""Diversification data by which key sets are compared: those that are equal on one card are on all."""
NOT_FOUND = 0x6A82
NOT_TOLD = frozenset({0x6A81, 0x6A86, 0x6A88, 0x6D00, 0x6E00})
"""Status words of GET DATA on cards that do not know an object."""


class JavaCardDriver:
    """One powered JavaCard.

    Args:
        card: The card.
        layout: How it is laid out.
        transport: Keys of a blank card.
        own: Keys with which it leaves.

    Raises:
        KeyRejected: One of its own keys is one of a blank card's: whoever has those could open the finished card.
    """

    def __init__(
        self, card: CardConnection, layout: JavaCardLayout, transport: CardKeySource, own: CardKeySource
    ) -> None:
        taken_over, left = (set(source.for_card(SOME_CARD).check_values()) for source in (transport, own))
        if taken_over & left:
            raise KeyRejected(f"{layout.id}: the card's own key set has a key of the transport key set")
        self.card = card
        self._layout = layout
        self._transport = transport
        self._own = own
        self._manager: CardManager | None = None
        self._diversification_data = b""

    @property
    def manager(self) -> CardManager:
        """The security domain behind the open channel.

        Raises:
            SecureChannelBroken: No channel is open.
        """
        if self._manager is None:
            raise SecureChannelBroken("no channel is open")
        return self._manager

    def holds(self, instance: bytes) -> bool:
        """Whether an application can be selected; asking ends the channel and changes nothing."""
        self._manager = None
        command = select_name(instance)
        response = self.card.send(command)
        if not response.ok and response.sw != NOT_FOUND:
            raise command.outcomes.error(response.sw, command.name)
        return response.ok

    # ---- channels --------------------------------------------------------------------------------------------

    def open_transport(self) -> None:
        """Open a channel with the keys of a blank card.

        Raises:
            CardKeysDiffer: The card has others; no try was spent.
        """
        version = self._layout.transport.version
        self._open(self._transport, ANY_VERSION if version == INITIAL_VERSION else version)

    def open_own(self) -> None:
        """Open a channel with the card's own keys.

        Raises:
            CardContentUnknown: The card has no key set of that version.
            CardKeysDiffer: It has other keys; no try was spent.
        """
        self._open(self._own, self._layout.own.version)

    def open_either(self) -> bool:
        """Open a channel with the card's own keys, or those of a blank card if it has not got its own; whether it has.

        Raises:
            CardKeysDiffer: The card has neither; no try was spent.
        """
        try:
            self.open_own()
        except (CardContentUnknown, CardKeysDiffer):
            self.open_transport()
            return False
        return True

    def _open(self, keys: CardKeySource, version: int) -> None:
        self._manager = None
        select_security_domain(self.card, self._layout.security_domain)
        choices = ChannelChoices(version=version, scp02=self._scp02_options())
        connection = open_channel(self.card, keys, SecurityLevel(self._layout.level), choices)
        self._diversification_data = connection.diversification_data
        self._manager = CardManager(connection)

    def _scp02_options(self) -> Scp02Options:
        """Options that INITIALIZE UPDATE does not tell; a card without card data has the usual ones."""
        if self._layout.protocol is not Protocol.SCP02:
            return USUAL_OPTIONS
        response = self.card.send(get_data(CARD_DATA))
        return (CardData.decode(response.data).scp02 if response.ok else None) or USUAL_OPTIONS

    # ---- content ---------------------------------------------------------------------------------------------

    def delete_old(self, load_file: bytes) -> None:
        """Delete a load file and all that was made from it, if the card has it."""
        found = self.manager.registry(Scope.LOAD_FILES, load_file)
        if any(entry.aid == load_file for entry in found):
            self.manager.delete(load_file, related=True)

    def install(self, installation: Installation) -> None:
        """Make an application out of a module."""
        self.manager.install(installation)

    def store(self, instance: bytes, groupings: Sequence[Dgi]) -> None:
        """Send data groupings to an application."""
        self.manager.personalize(instance, groupings)

    # ---- keys and life cycle ---------------------------------------------------------------------------------

    def own_keys(self) -> StaticKeys:
        """The card's own keys; a channel was opened before, since the card tells what they are derived from."""
        return self._own.for_card(self._diversification_data)

    def own_check_values(self) -> bytes:
        """Check values of ENC, MAC and DEK, one behind the other, 9 bytes."""
        return b"".join(self.own_keys().check_values())

    def put_own_keys(self) -> None:
        """Put the card's own key set on it: in the place of the transport keys if both have one version.

        Raises:
            CardContentRefused: The card does not take it; nothing was written.
            CardKeysDoubtful: The card may have stored other keys.
        """
        own, transport = self._layout.own.version, self._layout.transport.version
        try:
            self.manager.put_keys(self.own_keys(), replaced=own if own == transport else 0)
        except KeyCheckFailed as error:
            # The fault is this card's, not that of the source of keys.
            raise CardContentRefused("PUT KEY: the keys do not fit their check values, says the card") from error

    def delete_transport(self) -> None:
        """Delete the transport keys if the card still has them: on most cards the initial set is gone by itself."""
        own, transport = self._layout.own.version, self._layout.transport.version
        if own != transport and any(key.version == transport for key in self.manager.key_information()):
            self.manager.delete_keys(transport)

    def state(self) -> int:
        """Life cycle state of the card.

        Raises:
            CardDataInvalid: The registry does not tell it.
        """
        entries = self.manager.registry(Scope.ISSUER_SECURITY_DOMAIN)
        if not entries:
            raise CardDataInvalid("the registry does not tell the security domain")
        return entries[0].state

    def advance(self, state: CardState) -> None:
        """Move the life cycle on to a state, unless it is there already."""
        if self.state() < state:
            self.manager.set_card_state(state)


def chip_identity(card: CardConnection, layout: JavaCardLayout) -> str:
    """What a chip's production data tell, in hex; empty if the card has none. Asking changes nothing.

    Raises:
        CardError: The card refuses for another reason.
        CardDataInvalid: They are malformed.
    """
    select, command = select_name(layout.security_domain), get_data(PRODUCTION_DATA)
    selected = card.send(select)
    if selected.sw == NOT_FOUND:
        return ""
    if not selected.ok and selected.sw != CARD_LOCKED:
        raise select.outcomes.error(selected.sw, select.name)
    response = card.send(command)
    if response.sw in NOT_TOLD:
        return ""
    if not response.ok:
        # A card that tells its number only now and then would be taken for two.
        raise command.outcomes.error(response.sw, command.name)
    return chip_of(response.data).hex().upper()
