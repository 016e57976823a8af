"""A virtual JavaCard with an issuer security domain, as strict as a real one (PERS §2).

    card = JavaCard(Scp03Options(0x70))            # a blank one: keys 40…4F, version FF
    reader = EmbeddedReader("perso", card)

It takes load files and makes applications of them, but runs no byte code: every applet is a `PersonalizableApplet`,
unless `factory` makes another. Faults, hooks, timing and power loss are those of every virtual card.
"""

from __future__ import annotations

from dataclasses import replace

from cardio.apdu.globalplatform import ISSUER_SECURITY_DOMAIN, CardState
from cardio.apdu.tlv import encode_ber
from cardio.crypto.globalplatform.keys import DIVERSIFICATION_SIZE, KeyType, StaticKeys, default_test_keys
from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.crypto.globalplatform.scp03 import S8
from cardio.transport.channel import CardProtocol
from cardio.virtual.chip import OK, Chip
from cardio.virtual.globalplatform_applet import Factory, PersonalizableApplet
from cardio.virtual.globalplatform_channel import CardChannel, KeySet, Options, challenge_size
from cardio.virtual.globalplatform_domain import GET_DATA, SecurityDomain
from cardio.virtual.globalplatform_registry import Application, Registry
from cardio.virtual.received import Received, Status

ATRS = {CardProtocol.T0: bytes.fromhex("3B00"), CardProtocol.T1: bytes.fromhex("3B80800101")}
"""A contact card and a contactless one that tell nothing about themselves (ISO 7816-3 §8.2, PC/SC part 3)."""
MEMORY = 81920
SELECT = (0x00, 0xA4)
BY_NAME = 0x04
WRONG_LENGTH = 0x6C
MAX_DATA = 255
"""Extended lengths are not built."""
INITIAL_VERSION = 0xFF


class JavaCard(Chip):
    """One JavaCard.

    Args:
        options: Protocol of its secure channel, with implementation options.
        keys: Its first key set; default are the published keys of blank cards.
        protocol: Transmission protocol.
        challenge: Bytes of the challenges: 8, or 16 for mode S16 of SCP03.
        diversification_data: 10 bytes that it tells about itself, from which an issuer derives its keys.
        serial: Serial number in its production data, 4 bytes; cards of one make differ in nothing else.
        memory: Bytes for load files.
        factory: Makes the instances of its applets.

    Attributes:
        registry: Life cycle, load files, applications.
        channel: Key sets and failed authentications.
        selected: The selected application; None is the issuer security domain.
    """

    def __init__(
        self,
        options: Options,
        *,
        keys: StaticKeys | None = None,
        protocol: CardProtocol = CardProtocol.T1,
        challenge: int = S8,
        diversification_data: bytes = bytes(DIVERSIFICATION_SIZE),
        serial: int = 0,
        memory: int = MEMORY,
        factory: Factory = PersonalizableApplet,
    ) -> None:
        super().__init__(ATRS[protocol], protocol)
        key_type = KeyType.TRIPLE_DES if isinstance(options, Scp02Options) else KeyType.AES
        first = keys or default_test_keys(key_type, INITIAL_VERSION)
        if first.type is not key_type:
            raise ValueError(f"this protocol takes {key_type.name} keys")
        self.registry = Registry(ISSUER_SECURITY_DOMAIN, memory)
        self.channel = CardChannel(
            self, ISSUER_SECURITY_DOMAIN, options, challenge_size(options, challenge), diversification_data
        )
        self.channel.key_sets[first.version] = KeySet(first)
        self._domain = SecurityDomain(self, self.registry, self.channel, key_type, factory, serial)
        self.selected: Application | None = None
        self._offered: tuple[Received, bytes, int] | None = None
        self._power_up()

    def _power_up(self) -> None:
        super()._power_up()
        self._offered = None
        self._enter(None)

    def _enter(self, application: Application | None) -> None:
        self.selected = application
        self._domain.reset()
        for every in self.registry.applications.values():
            every.applet.reset()

    def _admit(self, command: Received) -> None:
        if self.registry.state is CardState.TERMINATED and command.ins != GET_DATA:
            raise Status(0x6A81)

    def _execute(self, command: Received) -> bytes:
        if len(command.data) > MAX_DATA:
            raise Status(0x6700)
        offered, self._offered = self._offered, None
        if offered is not None and offered[0] == replace(command, le=0):
            _, data, sw = offered
            if sw != OK:
                raise Status(sw, data)
            return data
        if command.instruction == SELECT:
            return self._select(command)
        application = self.selected
        if application is None:
            return self._domain.execute(command)
        # It may be gone or locked since it was selected.
        if application.locked or application.aid not in self.registry.applications:
            raise Status(0x6985)
        return application.applet.process(command)

    def _deliver(self, command: Received, data: bytes, sw: int) -> bytes:
        """A command whose right length was told by 6Cxx is not executed again when it comes again: its answer waits."""
        answer = super()._deliver(command, data, sw)
        if answer[0] == WRONG_LENGTH:
            self._offered = replace(command, le=0), data, sw
        return answer

    def _select(self, command: Received) -> bytes:
        """SELECT by name or its beginning; without a name the issuer security domain."""
        if command.p1 != BY_NAME or command.p2:
            raise Status(0x6A86)
        locked = self.registry.state is CardState.CARD_LOCKED
        domain = self.registry.security_domain
        if domain.startswith(command.data):
            self._enter(None)
            if locked:
                raise Status(0x6283, self._fci(domain))
            return self._fci(domain)
        if locked:
            raise Status(0x6A81)
        applications = self.registry.applications.values()
        found = next((one for one in applications if one.aid.startswith(command.data) and not one.locked), None)
        if found is None:
            raise Status(0x6A82)
        self._enter(found)
        return self._fci(found.aid)

    @staticmethod
    def _fci(aid: bytes) -> bytes:
        longest_data = encode_ber(0x9F65, b"\xff")
        return encode_ber(0x6F, encode_ber(0x84, aid) + encode_ber(0xA5, longest_data))
