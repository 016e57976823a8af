"""Managing a card through an open secure channel: applications, keys, personal data, life cycle (PERS §2.5)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from cardio.apdu.command import Command
from cardio.apdu.globalplatform import CardState, Scope
from cardio.apdu.globalplatform_status import CONTENT, MORE_DATA
from cardio.apdu.status import OK
from cardio.crypto.ciphers import pad80
from cardio.crypto.globalplatform.keys import KeyType, StaticKeys
from cardio.errors import CardDataInvalid, CardKeysDoubtful, InputInvalid
from cardio.personalize.globalplatform import commands
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.card_data import CardData, KeyInformation, parse_key_information
from cardio.personalize.globalplatform.channel import SecureConnection
from cardio.personalize.globalplatform.commands import BLOCKS, Installation, MemoryLimits
from cardio.personalize.globalplatform.dgi import Dgi, data_blocks
from cardio.personalize.globalplatform.registry import RegistryEntry, parse_registry

CARD_DATA, KEY_INFORMATION = 0x0066, 0x00E0
NOT_FOUND = 0x6A88
MAX_ANSWERS = 256
"""Answers of GET STATUS after which a card is taken to talk without end."""


class CardManager:
    """A security domain of a card.

    Every method raises, besides what it names: `CardContentRefused`, `CardContentUnknown` or `AccessDenied` as the card
    refuses; `SecureChannelBroken` when an answer is not the card's; `ReaderError` when the answer was lost, after which
    the card may have done the command.

    Args:
        connection: Channel with it.
    """

    def __init__(self, connection: SecureConnection) -> None:
        self._connection = connection

    # ---- what is on the card ---------------------------------------------------------------------------------

    def registry(self, scope: Scope, aid: bytes = b"") -> tuple[RegistryEntry, ...]:
        """Entries of a part of the registry whose AID begins with `aid`; none is no error.

        Raises:
            CardDataInvalid: An answer is malformed, or there is no end of them.
        """
        data = b""
        for number in range(MAX_ANSWERS):
            response = self._connection.send(commands.get_status(scope, aid, following=number > 0))
            data += response.data
            if response.sw in {OK, NOT_FOUND}:
                return parse_registry(data)
            if response.sw != MORE_DATA:
                raise CONTENT.error(response.sw, "GET STATUS")
        raise CardDataInvalid("the registry has no end")

    def card_data(self) -> CardData:
        """Card recognition data."""
        return CardData.decode(self._call(commands.get_data(CARD_DATA)))

    def key_information(self) -> tuple[KeyInformation, ...]:
        """Keys of the security domain, without values."""
        return parse_key_information(self._call(commands.get_data(KEY_INFORMATION)))

    # ---- applications ----------------------------------------------------------------------------------------

    def delete(self, aid: bytes, *, related: bool = False) -> None:
        """Delete an application or a load file; `related` takes a load file's applications along."""
        self._call(commands.delete(aid, related=related))

    def load(
        self,
        cap: CapFile,
        *,
        security_domain: bytes = b"",
        limits: MemoryLimits | None = None,
        descriptor: bool = False,
    ) -> None:
        """Load a CAP file.

        Args:
            cap: The file.
            security_domain: Security domain that it will belong to; empty for the selected one.
            limits: Memory that it asks for.
            descriptor: Whether its descriptor component goes along.

        Raises:
            InputInvalid: It is too long for 256 blocks; nothing was sent.
        """
        blocks = self._cut(cap.load_file(descriptor=descriptor))
        self._call(commands.install_for_load(cap.package, security_domain, limits))
        for number, block in enumerate(blocks):
            self._call(commands.load(block, number, last=number == len(blocks) - 1))

    def install(self, installation: Installation) -> None:
        """Make an application out of a module, ready to be selected."""
        self._call(commands.install_for_install(installation))

    def personalize(self, instance: bytes, groupings: Iterable[Dgi]) -> None:
        """Send data groupings to an application.

        Raises:
            InputInvalid: There are none, or they do not fit 256 commands; nothing was sent.
            ValueError: One that goes encrypted without padding is no whole number of blocks; nothing was sent.
        """
        connection, session = self._connection, self._connection.session
        blocks = list(data_blocks(groupings, connection.capacity, session.encrypt_key, session.block))
        if not 1 <= len(blocks) <= BLOCKS:
            raise InputInvalid(f"{len(blocks)} blocks of personal data, 1 to {BLOCKS} are possible")
        self._call(commands.install_for_personalization(instance))
        for number, block in enumerate(blocks):
            last = number == len(blocks) - 1
            self._call(commands.store_data(block.data, number, last=last, encrypted=block.encrypted))

    # ---- keys and life cycle ---------------------------------------------------------------------------------

    def put_keys(self, keys: StaticKeys, *, replaced: int = 0) -> None:
        """Put a key set on the card, and check what the card says it stored.

        Args:
            keys: The set, with its version.
            replaced: Version of the set that it takes the place of; 00 makes a new one.

        Raises:
            KeyCheckFailed: The card found that they do not fit their check values; nothing was written.
            CardKeysDoubtful: The card answered with other check values: it may have stored wrong keys.
        """
        parts = [self._key(value, keys.type) for value in keys.values()]
        answer = self._call(commands.put_key(bytes([keys.version]) + b"".join(parts), replaced))
        if not hmac.compare_digest(answer, bytes([keys.version]) + b"".join(keys.check_values())):
            raise CardKeysDoubtful("PUT KEY was answered with other check values")

    def delete_keys(self, version: int, identifier: int | None = None) -> None:
        """Delete a key set, or one key of it where a card allows that."""
        self._call(commands.delete_keys(version, identifier))

    def set_card_state(self, state: CardState) -> None:
        """Move the card's life cycle on; only `CARD_LOCKED` can be taken back."""
        self._call(commands.set_card_state(state))

    def lock_application(self, aid: bytes) -> None:
        """Lock an application."""
        self._call(commands.set_application_lock(aid, locked=True))

    def unlock_application(self, aid: bytes) -> None:
        """Unlock an application."""
        self._call(commands.set_application_lock(aid, locked=False))

    # ---- helpers ---------------------------------------------------------------------------------------------

    def _call(self, command: Command) -> bytes:
        return self._connection.call(command)

    def _cut(self, load_file: bytes) -> list[bytes]:
        size = self._connection.capacity
        blocks = [load_file[place : place + size] for place in range(0, len(load_file), size)]
        if len(blocks) > BLOCKS:
            raise InputInvalid(f"the load file has {len(load_file)} bytes, {BLOCKS * size} are possible")
        return blocks

    def _key(self, value: bytes, key_type: KeyType) -> bytes:
        """One key of PUT KEY: type ‖ length ‖ value under DEK ‖ length ‖ check value; AES tells its length inside."""
        session = self._connection.session
        # An AES-192 key is no whole number of blocks, and no source says how it is padded. PROJECT CHOICE.
        whole = pad80(value, session.block) if len(value) % session.block else value
        coded = session.encrypt_key(whole)
        if key_type is KeyType.AES:
            coded = bytes([len(value)]) + coded
        check = key_type.check_value(value)
        return bytes([key_type, len(coded)]) + coded + bytes([len(check)]) + check
