"""Security commands of a social security card that is made by those of FMCOS and used by those of LD/T 32 (PERS §1.8).

The administrative commands of real cards are their makers' secrets, so all of this is a PROJECT CHOICE. What a key is
for, is said by its type, identifier and follow-up state:

| key | type, identifier | follow-up state | gives |
|---|---|---|---|
| master | 39, 00 | A | access bytes AA; EXTERNAL AUTHENTICATE of FMCOS, 8 bytes |
| update and read keys | 39 | 2, 3, 8, 9 … | access bytes that name it; EXTERNAL AUTHENTICATION of LD/T, 16 bytes |
| PUK | 39 | 4 | PIN CHANGE/UNBLOCK |
| BK | 39, bit 8 clear | 5 | CARD BLOCK |
| LK | 39, bit 8 set | 5 | APPLICATION BLOCK |
| DSK | 39 | 6 | UPDATE STARTING DAY |
| PIN | 3A | 1 | access bytes that name state 1 |
| IRK, STK | 30, 36; 00 | | INTERNAL AUTHENTICATION, secure messaging |
| purse keys | 3E, 3F, 34 | | medical account |
| purse keys | 3C to 3F, 34 | | wallet of a combined card, whose PIN and blocks are those of this card |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cardio.apdu.tlv import encode_ber
from cardio.crypto.ciphers import Algorithm
from cardio.virtual.administration import AdministrationChoices
from cardio.virtual.blank_ldt_access import BlankLdtAccess, LdtChoices
from cardio.virtual.card import VirtualCard
from cardio.virtual.creation import PurseHeader
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_keys import MASTER_KEY, FmcosKey, KeyKind
from cardio.virtual.key_file_purses import AccountChoices, WalletChoices, add_account, add_purse
from cardio.virtual.ldt_commands import LdtCommands, Purpose
from cardio.virtual.ldt_keys import ALGORITHM_IDS, SPECIFIC
from cardio.virtual.received import Received, Status

UNBLOCKING, BLOCKING = 4, 5
"""Follow-up states of PUK, and of BK and LK."""
IRK = STK = 0x00
"""Identifiers of the internal key and of the key of secure messaging."""
MASTER_CHALLENGES = frozenset({4, 8})
ANNOUNCEMENT, ANNOUNCED = 0x9F0C, 0x86


@dataclass
class BlankLdtMemory:
    """What this security remembers without power: labels of blocked directories, and all keys by directory."""

    blocked: list[str]
    keys: dict[str, list[FmcosKey]]


class BlankLdtSecurity(BlankLdtAccess):
    """LD/T 32 over key files, with the administrative commands of FMCOS.

    Args:
        algorithm: Cipher of all keys.
        choices: What differs between cards.
        administration: What differs between them in administration.
        account: What only the chip knows of its medical account.
        wallet: What only the chip knows of its wallets.
        ciphers: Cipher of the keys in directories that have another, by DF name in hex.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        choices: LdtChoices,
        administration: AdministrationChoices,
        account: AccountChoices,
        wallet: WalletChoices,
        ciphers: Mapping[str, Algorithm],
    ) -> None:
        super().__init__(algorithm, choices)
        self._set_up(algorithm, administration)
        self.ciphers = dict(ciphers)
        self._account, self._wallet = account, wallet

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """Administrative commands, and those of the finished card."""
        answer = self.administration.execute(card, command)
        return LdtCommands.execute(self, card, command) if answer is None else answer

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
        right = key.suite.external_authentication(key.value, challenge) == command.data
        self._earn(card, MASTER_KEY, right=False)
        key.judge(card, right=right)
        self._earn(card, MASTER_KEY, right=True)
        return b""

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
        """A medical account, or passbook and purse of a combined card's wallet.

        Raises:
            Status: 6A86 the directory has the other, or has an account.
        """
        if header.number is None:
            return add_account(self, card, directory, header, self._account)
        return add_purse(self, card, directory, header, self._wallet)

    def forget(self, labels: set[str]) -> None:
        """Keys, rights and blocks of erased directories are gone."""
        self._drop_keys(labels)
        self._earned = frozenset(one for one in self._earned if one.label not in labels)
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
