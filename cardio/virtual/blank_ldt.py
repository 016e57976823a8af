"""A blank social security card: made by the commands of FMCOS, used by those of LD/T 32 (PERS §1.8, §5.3).

The administrative commands of real cards are their makers' secrets, so all of this is a PROJECT CHOICE. What a key is
for, is said by its type, identifier and follow-up state:

| key | type, identifier | follow-up state | gives |
|---|---|---|---|
| master | 39, 00 | A | access bytes AA; EXTERNAL AUTHENTICATE of FMCOS, 8 bytes |
| update and read keys | 39 | 2, 3, 8, 9 … | access bytes that name it; EXTERNAL AUTHENTICATION, 16 or 17 bytes |
| PUK | 39 | 4 | PIN CHANGE/UNBLOCK |
| BK | 39, bit 8 clear | 5 | CARD BLOCK |
| LK | 39, bit 8 set | 5 | APPLICATION BLOCK |
| DSK | 39 | 6 | UPDATE STARTING DAY |
| PIN | 3A | 1 | access bytes that name state 1 |
| IRK, STK | 30, 36; 00 | | INTERNAL AUTHENTICATION, secure messaging |
| purse keys | 3E, 3F, 34 | | medical account |

An identifier with bit 8 set means a key of the current directory; other external keys are found in the directories
above, too. A key from above gives its command, not the files of the directory that it was presented in.

Rights are a set of states: every key and the PIN add theirs. "PIN and key" is a second record of the key, whose
identifier is the key's with bit 7 set: its state is in the set once the key was presented and its use right is open. It
has no tries of its own and cannot be presented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cardio.apdu.tlv import encode_ber
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite, PbocSuite
from cardio.files.declaration import PIN
from cardio.transport.channel import CardProtocol
from cardio.virtual.administration import AdministrationChoices, FirstKey
from cardio.virtual.blank import MASTER_NAME, BlankSecurity, blank_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.creation import PurseHeader
from cardio.virtual.file_header import MASTER_PREFIX, allowed
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_keys import MASTER_KEY, FmcosKey, KeyKind
from cardio.virtual.key_file_purses import AccountChoices, KeyFileAccount
from cardio.virtual.ldt_commands import LdtCommands, Purpose
from cardio.virtual.ldt_keys import ALGORITHM_IDS, SPECIFIC
from cardio.virtual.medical import STARTING_DAY_KEY
from cardio.virtual.received import Received, Status
from cardio.virtual.recipe import remembered
from cardio.virtual.security import Seal, plain
from cardio.virtual.stored import Byte

BLANK_LDT_ATR = bytes.fromhex("3B6D000099992606019999260101000123")
"""ATR of card B, with the serial number in its last bytes (PERS §5.3)."""
TOGETHER = 0x40
"""Bit of the identifier of a record that stands for "PIN and key"."""
UNBLOCKING, BLOCKING, STARTING_DAY = 4, 5, 6
"""Follow-up states of PUK, of BK and LK, and of DSK."""
IRK = STK = 0x00
"""Identifiers of the internal key and of the key of secure messaging."""
ADMINISTRATION = AdministrationChoices(first_keys=frozenset({FirstKey.PARENT_MASTER, FirstKey.PLAIN}))
MASTER_CHALLENGES = frozenset({4, 8})
ANNOUNCEMENT, ANNOUNCED = 0x9F0C, 0x86


@dataclass(frozen=True)
class LdtChoices:
    """What no source decides for all cards.

    Attributes:
        announces: Whether the FCI of an environment names the algorithm of the keys, as real cards do (PERS §5.3).
        master_prefix: High nibble of the access bytes that ask the state of the master file (PERS §1.1).
    """

    announces: bool = False
    master_prefix: Byte = MASTER_PREFIX


@dataclass
class BlankLdtMemory:
    """What this security remembers without power: labels of blocked directories, and all keys by directory."""

    blocked: list[str]
    keys: dict[str, list[FmcosKey]]


@dataclass(frozen=True)
class Presented:
    """An external key that was presented: the label of its directory, and its identifier."""

    label: str
    id: int


class BlankLdtSecurity(BlankSecurity, LdtCommands):
    """LD/T 32 over key files, with the administrative commands of FMCOS.

    Args:
        algorithm: Cipher of all keys.
        choices: What differs between cards.
        administration: What differs between them in administration.
        account: What only the chip knows of its medical account.
    """

    def __init__(
        self, algorithm: Algorithm, choices: LdtChoices, administration: AdministrationChoices, account: AccountChoices
    ) -> None:
        super().__init__()
        self.suite = LdtSuite(algorithm)
        self._set_up(algorithm, administration)
        self.choices = choices
        self._account = account
        self._earned: frozenset[Presented] = frozenset()
        self._verified: frozenset[str] = frozenset()
        self._master_states: frozenset[int] = frozenset()

    def power_up(self) -> None:
        """Neither PINs nor keys are presented."""
        LdtCommands.power_up(self)
        self._earned, self._verified, self._master_states = frozenset(), frozenset(), frozenset()

    def entered(self, directory: Directory) -> None:
        """Keys of another directory count no more; without key file the directory is free."""
        LdtCommands.entered(self, directory)
        self.free = directory.label not in self.key_files

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """Administrative commands, and those of the finished card."""
        answer = self.administration.execute(card, command)
        return LdtCommands.execute(self, card, command) if answer is None else answer

    # ---- rights ----------------------------------------------------------------------------------------------

    def opens(self, card: VirtualCard, access: int) -> bool:
        """By any state that was reached, unless the directory is free."""
        return self.free or self._allows(access, self._states(card))

    def _allows(self, access: int, states: frozenset[int]) -> bool:
        # State 0 is everybody's.
        return allowed(
            access,
            states=states | {0},
            master_states=self._master_states | {0},
            master_prefix=self.choices.master_prefix,
        )

    def _states(self, card: VirtualCard) -> frozenset[int]:
        """States of the PIN, of the keys of the current directory, and of the records that stand for both."""
        label = card.current.label
        keys = [key for one, key in self._presented_keys() if one.label == label]
        states = frozenset(key.follow_up & 0x0F for key in keys)
        pin = self._pin_record(card)
        if pin is not None and (not pin[1].value or pin[0] in self._verified):
            states |= {pin[1].follow_up & 0x0F}
        together = {key.id | TOGETHER for key in keys}
        both = (key for key in self._external(label) if key.id & TOGETHER and key.id in together)
        return states | {key.follow_up & 0x0F for key in both if self._allows(key.use, states)}

    def rights(self, card: VirtualCard) -> frozenset[str]:
        """`PIN` and `DSK`, as purses ask for them."""
        pin = self._pin_record(card)
        found = set()
        if pin is None or not pin[1].value or pin[0] in self._verified:
            found.add(PIN)
        if STARTING_DAY in self._states(card):
            found.add(STARTING_DAY_KEY)
        return frozenset(found)

    # ---- files -----------------------------------------------------------------------------------------------

    def open_read(self, card: VirtualCard, file: ElementaryFile, command: Received) -> Seal:
        """By the read byte; there is no protected read."""
        if not self.opens(card, file.header.read):
            raise Status(0x6982)
        if command.protected:
            raise Status(0x6882)
        return plain

    def open_update(self, card: VirtualCard, file: ElementaryFile, command: Received) -> bytes:
        """By the write byte; class 04 adds a MAC under the directory's STK, which the type byte may demand."""
        header = file.header
        if not self.opens(card, header.update):
            raise Status(0x6982)
        if not command.protected:
            if header.protected:
                raise Status(0x6987)
            return command.data
        line = self._find(card.current.label, KeyKind.LINE, header.update_key)
        body, session = self._unprotect(command, line)
        return self._decrypt(session, body) if header.encrypted else body

    # ---- PIN -------------------------------------------------------------------------------------------------

    def _pin_record(self, card: VirtualCard) -> tuple[str, FmcosKey] | None:
        """The PIN that counts, with its directory: the outermost one above, else the card's first one."""
        above = [directory.label for directory in card.current.path()]
        for label in (*reversed(above), *self.key_files):
            for key in self._records(label):
                if key.kind is KeyKind.PIN:
                    return label, key
        return None

    def _pin_of(self, card: VirtualCard) -> FmcosKey | None:
        found = self._pin_record(card)
        return found and found[1]

    def _presented(self, card: VirtualCard) -> bool:
        found = self._pin_record(card)
        return found is not None and found[0] in self._verified

    def _present_pin(self, card: VirtualCard, *, right: bool) -> None:
        found = self._pin_record(card)
        if found is not None:
            self._verified = self._verified | {found[0]} if right else self._verified - {found[0]}

    def _keep_pin(self, card: VirtualCard, value: bytes) -> None:
        pin = self._pin_of(card)
        if pin is None:
            raise Status(0x6A88)

        def write() -> None:
            pin.value, pin.tries_left = value, pin.max_tries

        card.commit(write)

    # ---- keys ------------------------------------------------------------------------------------------------

    def _external_authentication(self, card: VirtualCard, command: Received) -> bytes:
        """The master in the form of FMCOS, all others in that of LD/T."""
        if command.p2 != MASTER_KEY:
            return super()._external_authentication(card, command)
        challenge = self._take_challenge()
        if command.p1:
            raise Status(0x6A86)
        command.need(8)
        key = self._external_key(card, MASTER_KEY)
        key.need_tries()
        if challenge is None or len(challenge) not in MASTER_CHALLENGES:
            raise Status(0x6984)
        right = PbocSuite(self.algorithm).external_authentication(key.value, challenge) == command.data
        self._earn(card, MASTER_KEY, right=False)
        key.judge(card, right=right)
        self._earn(card, MASTER_KEY, right=True)
        return b""

    def _external_key(self, card: VirtualCard, kid: int) -> FmcosKey:
        key = self._find(self._place(card, kid).label, KeyKind.EXTERNAL, kid)
        if not self.opens(card, key.use):
            raise Status(0x6982)
        return key

    def _place(self, card: VirtualCard, kid: int) -> Presented:
        """Where the key of an identifier lies; a record for "PIN and key" is not presented."""
        own = kid == MASTER_KEY or bool(kid & SPECIFIC)
        if not kid & TOGETHER:
            for directory in (card.current,) if own else card.current.path():
                if any(key.id == kid for key in self._external(directory.label)):
                    return Presented(directory.label, kid)
        raise Status(0x6A88)

    def _internal_key(self, card: VirtualCard) -> FmcosKey:
        for directory in card.current.path():
            for key in self._records(directory.label):
                if (key.kind, key.id) == (KeyKind.ENCRYPT, IRK):
                    return key
        raise Status(0x6A88)

    def _signing_key(self, card: VirtualCard, purpose: Purpose) -> FmcosKey:  # noqa: ARG002 - rights tell the place
        """The STK of the directory in which the key lies that gave the right."""
        for one, key in self._presented_keys():
            own, state = bool(key.id & SPECIFIC), key.follow_up & 0x0F
            gives = {
                Purpose.REPLACE_PIN: state == UNBLOCKING,
                Purpose.BLOCK_CARD: state == BLOCKING and not own,
                Purpose.BLOCK_APPLICATION: state == BLOCKING and own,
            }
            if gives[purpose]:
                return self._find(one.label, KeyKind.LINE, STK)
        raise Status(0x6982)

    def _earn(self, card: VirtualCard, kid: int, *, right: bool) -> None:
        place = self._place(card, kid)
        self._earned = self._earned | {place} if right else self._earned - {place}
        if right and card.current is card.master_file:
            self._master_states |= {self._find(place.label, KeyKind.EXTERNAL, kid).follow_up & 0x0F}

    def _forget_keys(self) -> None:
        self._earned = frozenset()

    def _presented_keys(self) -> Iterator[tuple[Presented, FmcosKey]]:
        for one in self._earned:
            for key in self._external(one.label):
                if key.id == one.id:
                    yield one, key

    def _records(self, label: str) -> list[FmcosKey]:
        file = self.key_files.get(label)
        return file.keys if file is not None else []

    def _external(self, label: str) -> Iterator[FmcosKey]:
        return (key for key in self._records(label) if key.kind is KeyKind.EXTERNAL)

    def _find(self, label: str, kind: KeyKind, identifier: int) -> FmcosKey:
        for key in self._records(label):
            if (key.kind, key.id) == (kind, identifier):
                return key
        raise Status(0x6A88)

    # ---- what the card is made of ----------------------------------------------------------------------------

    def line_challenge(self) -> bytes | None:
        """The last one."""
        return self._take_challenge()

    def announcement(self, directory: Directory) -> bytes:
        """The algorithm of an environment below the master file, where the card names it."""
        if directory.parent is None or not self.choices.announces:
            return b""
        return encode_ber(ANNOUNCEMENT, encode_ber(ANNOUNCED, bytes([ALGORITHM_IDS[self.algorithm]])))

    def purse(self, card: VirtualCard, directory: Directory, header: PurseHeader) -> Callable[[], None]:
        """The medical account, one in a directory.

        Raises:
            Status: 6A80 wallets are no files of this card, 6A86 there is one.
        """
        if header.number is not None:
            raise Status(0x6A80)
        if directory.function is not None:
            raise Status(0x6A86)
        account = KeyFileAccount(self, directory, self._account, self.algorithm, header)
        account.card = card

        def write() -> None:
            directory.function = account

        return write

    def forget(self, labels: set[str]) -> None:
        """Keys, rights and blocks of erased directories are gone."""
        self._drop_keys(labels)
        self._earned = frozenset(one for one in self._earned if one.label not in labels)
        self._verified -= labels
        self.blocked -= labels

    def memory(self) -> BlankLdtMemory:
        """What outlives the power."""
        return BlankLdtMemory(sorted(self.blocked), self._keys())

    def restore(self, memory: BlankLdtMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: Its keys do not fit the card's key files.
        """
        self._restore_keys(memory.keys)
        self.blocked = set(memory.blocked)


@remembered
def blank_ldt_card(
    *,
    atr: bytes = BLANK_LDT_ATR,
    protocol: CardProtocol = CardProtocol.T0,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
    name: bytes = MASTER_NAME,
    names_from_master_file: bool = False,
    choices: LdtChoices | None = None,
    administration: AdministrationChoices | None = None,
    account: AccountChoices | None = None,
) -> VirtualCard:
    """A blank social security card: nothing but its master file and the transport key.

    Args:
        atr: Answer to reset, with the card's serial number in its historical bytes (PERS §5.3).
        protocol: T=0 or T=1.
        algorithm: Cipher of all keys that will be written. Administrative commands under SM4 keys are protected as
            those of wallets are (EW §4.9), the cryptogram of the master likewise: a PROJECT CHOICE.
        name: Name of the master file.
        names_from_master_file: As for `VirtualCard`.
        choices: What differs between cards in use.
        administration: What differs between them in administration; by default the card takes no plain F9.
        account: What only the chip knows of its medical account.
    """
    security = BlankLdtSecurity(
        algorithm, choices or LdtChoices(), administration or ADMINISTRATION, account or AccountChoices()
    )
    return blank_card(security, atr=atr, protocol=protocol, name=name, names_from_master_file=names_from_master_file)
