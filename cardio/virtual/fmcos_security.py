"""Security commands of FMCOS wallets (EW §3.1, §3.4; PERS §1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.security.maintenance import ReloadMac
from cardio.virtual.fmcos_access import FmcosAccess
from cardio.virtual.fmcos_keys import FmcosKey, KeyFile, KeyKind
from cardio.virtual.key_files import decrypt_body
from cardio.virtual.received import Received, Status
from cardio.virtual.security import MAC_SIZE
from cardio.virtual.stored import Misfit, Tries
from cardio.virtual.tries import Secret, restore_tries, tries_spent

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

SEPARATOR = b"\xff"


@dataclass
class FmcosMemory:
    """What this security remembers without power: PINs and keys by directory, type and identifier.

    Attributes:
        blocked: Labels of the applications that are blocked.
        locked: Labels of those that are locked for ever.
        pins: All PINs.
        tries_left: Of the other keys, where some are gone.
    """

    blocked: list[str]
    locked: list[str]
    pins: dict[str, Secret]
    tries_left: dict[str, Tries]


class FmcosCommands(FmcosAccess):
    """Access by states, and the commands that earn them, change PINs and block.

    The commands that build a card (CREATE FILE, WRITE KEY, ERASE DF) are `cardio.virtual.administration`'s.
    """

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """The security commands of EW §3.1 and §3.4."""
        handlers: dict[tuple[int, int], Callable[[VirtualCard, Received], bytes]] = {
            (0x00, 0x84): self._get_challenge,
            (0x00, 0x20): self._verify,
            (0x00, 0x82): self._external_authenticate,
            (0x00, 0x88): self._internal_authenticate,
            (0x80, 0x5E): self._change_pin,
            (0x80, 0xCA): self._authenticity,
            (0x84, 0x24): self._unblock_pin,
            (0x84, 0x1E): self._block_application,
            (0x84, 0x18): self._unblock_application,
            (0x84, 0x16): self._block_card,
        }
        handler = handlers.get(command.instruction)
        return None if handler is None else handler(card, command)

    def _verify(self, card: VirtualCard, command: Received) -> bytes:
        if command.p1:
            raise Status(0x6A86)
        pin = self._key(card, KeyKind.PIN, command.p2)
        pin.need_tries()
        if not command.data:
            # The manuals do not know an empty VERIFY; ours answers it as the social security card does.
            if self.state == pin.follow_up & 0x0F:
                return b""
            raise Status(0x63C0 | pin.tries_left)
        if not 2 <= len(command.data) <= 8:
            raise Status(0x6700)
        pin.judge(card, right=_same_pin(command.data, pin))
        self._reach(card, pin)
        return b""

    def _external_authenticate(self, card: VirtualCard, command: Received) -> bytes:
        if command.p1:
            raise Status(0x6A86)
        command.need(8)
        key = self._key(card, KeyKind.EXTERNAL, command.p2)
        key.need_tries()
        if self._usable is None:
            raise Status(0x6984)
        right = key.suite.external_authentication(key.value, self._usable) == command.data
        key.judge(card, right=right)
        self._reach(card, key)
        return b""

    def _internal_authenticate(self, card: VirtualCard, command: Received) -> bytes:
        kinds = {0x00: KeyKind.ENCRYPT, 0x01: KeyKind.DECRYPT, 0x02: KeyKind.MAC}
        if command.p1 not in kinds:
            raise Status(0x6A86)
        key = self._key(card, kinds[command.p1], command.p2)
        suite, data = key.suite, command.data
        if not data or (command.p1 != 0x02 and len(data) % suite.cipher.block):
            raise Status(0x6700)
        if command.p1 == 0x02:
            return suite.mac(key.value, data)
        return (suite.cipher.decrypt if command.p1 else suite.cipher.encrypt)(key.value, data)

    def _change_pin(self, card: VirtualCard, command: Received) -> bytes:
        """RELOAD PIN (P1 00) and CHANGE PIN (P1 01)."""
        if command.p1 > 1:
            raise Status(0x6A86)
        if command.p1 == 0:
            return self._reload_pin(card, command)
        if not 5 <= len(command.data) <= 13:
            raise Status(0x6700)
        old, _, new = command.data.partition(SEPARATOR)
        if not 2 <= len(old) <= 6 or not 2 <= len(new) <= 6:
            raise Status(0x6A80)
        pin = self._key(card, KeyKind.PIN, command.p2)
        pin.need_tries()
        pin.judge(card, right=_same_pin(old, pin))
        _store_pin(card, pin, new)
        return b""

    def _reload_pin(self, card: VirtualCard, command: Received) -> bytes:
        if not 6 <= len(command.data) <= 10:
            raise Status(0x6700)
        pin, key = self._key(card, KeyKind.PIN, command.p2), self._key(card, KeyKind.PIN_RELOAD)
        key.need_tries()
        value, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
        signed = value if self.choices.reload_mac is ReloadMac.PIN_ONLY else command.header() + value
        # The key is folded like a TAC key: halves XORed under 3DES, whole under SM4 (EW §4.7, PC-15).
        right = key.suite.tac(key.value, signed) == mac
        key.count(card, right=right)
        if not right:
            raise Status(0x6988)
        _store_pin(card, pin, value)
        return b""

    def _authenticity(self, card: VirtualCard, command: Received) -> bytes:  # noqa: ARG002 - the same for all
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        if command.data:
            raise Status(0x6700)
        return self.choices.authenticity

    def _unblock_pin(self, card: VirtualCard, command: Received) -> bytes:
        if command.p1:
            raise Status(0x6A86)
        pin = self._key(card, KeyKind.PIN, command.p2)
        key = self._key(card, KeyKind.PIN_UNBLOCK, command.p2, 0)
        value = decrypt_body(key, self._unprotect(card, command, key))
        if not 2 <= len(value) <= 8:
            raise Status(0x6A80)
        if self.choices.unblock_replaces:
            _store_pin(card, pin, value)
        elif not _same_pin(value, pin):
            raise Status(0x6A80)
        else:
            pin.count(card, right=True)
        return b""

    def _block_application(self, card: VirtualCard, command: Received) -> bytes:
        """Until it is unblocked (P2 00) or for ever (P2 01)."""
        if command.p1 or command.p2 > 1:
            raise Status(0x6A86)
        self._need_mac_only(card, command, self._key(card, KeyKind.LINE))
        label = card.current.label
        card.commit(lambda: (self.locked if command.p2 else self.blocked).add(label))
        return b""

    def _unblock_application(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        label = card.current.label
        if label not in self.blocked:
            raise Status(0x6985)
        self._need_mac_only(card, command, self._key(card, KeyKind.LINE), locks=True)
        card.commit(lambda: self.blocked.discard(label))
        return b""

    def _block_card(self, card: VirtualCard, command: Received) -> bytes:
        """Under the line key of the master file, wherever it is sent."""
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        master = self.key_files.get(card.master_file.label, KeyFile(()))
        self._need_mac_only(card, command, master.find(KeyKind.LINE))
        card.block()
        return b""


class FmcosSecurity(FmcosCommands):
    """Security of a wallet that was built with all its keys."""

    def memory(self) -> FmcosMemory:
        """What outlives the power."""
        pins, keys = self._named()
        secrets = {name: Secret(pin.value, pin.max_tries, pin.tries_left) for name, pin in pins.items()}
        return FmcosMemory(sorted(self.blocked), sorted(self.locked), secrets, tries_spent(keys))

    def restore(self, memory: FmcosMemory) -> None:
        """Take a memory; a PIN that it does not have was taken away.

        Raises:
            Misfit: It has a key or a PIN that the card has not.
        """
        pins, keys = self._named()
        for name in memory.pins:
            if name not in pins:
                raise Misfit(("pins", name), "the card has no such PIN")
        restore_tries(keys, memory.tries_left)
        for name, secret in memory.pins.items():
            pin = pins[name]
            pin.value, pin.max_tries, pin.tries_left = secret.value, secret.max_tries, secret.tries_left
        gone = [pin for name, pin in pins.items() if name not in memory.pins]
        for file in self.key_files.values():
            file.keys = [key for key in file.keys if not any(key is pin for pin in gone)]
        self.blocked, self.locked = set(memory.blocked), set(memory.locked)

    def _named(self) -> tuple[dict[str, FmcosKey], dict[str, FmcosKey]]:
        """PINs, and all other keys."""
        named = {
            f"{label}/{key.kind.name} {key.id:02X}": key for label, file in self.key_files.items() for key in file.keys
        }
        pins = {name: key for name, key in named.items() if key.kind is KeyKind.PIN}
        return pins, {name: key for name, key in named.items() if name not in pins}


def _same_pin(given: bytes, pin: FmcosKey) -> bool:
    """Trailing FF of the stored PIN may be left out (EW §3.1)."""
    return given.rstrip(SEPARATOR) == pin.value.rstrip(SEPARATOR)


def _store_pin(card: VirtualCard, pin: FmcosKey, value: bytes) -> None:
    def write() -> None:
        pin.value = value
        pin.tries_left = pin.max_tries

    card.commit(write)
