"""Grey lock of a wallet: refuelling is authorized first and charged afterwards, maybe elsewhere (EW §3.5).

GET LOCK PROOF (`E0 CA`) is not built: its layout is not public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio.crypto.cryptograms import amount_bytes, offline_record
from cardio.files.key_file import KeyKind
from cardio.virtual.grey import grey_balance, grey_order, grey_session
from cardio.virtual.purse import NO_MAC, Done, Offline, Online, need_form
from cardio.virtual.received import Received, Status
from cardio.virtual.wallet_purse import KINDS, GreyLock, StoredPurse

if TYPE_CHECKING:
    from cardio.virtual.wallet import WalletFunction

LOCKS = frozenset(kinds.lock for kinds in KINDS.values())
ONLINE_UNLOCKS = frozenset(kinds.online_unlock for kinds in KINDS.values())


class GreyCommands:
    """The grey lock commands of one wallet.

    The lock belongs to the purse that P2 names and lasts over power-off. The off-line counter moves with the debit, not
    with the lock: DEBIT FOR UNLOCK names the number that INITIALIZE answered.

    Args:
        wallet: The wallet.
    """

    def __init__(self, wallet: WalletFunction) -> None:
        self._wallet = wallet

    def execute(self, command: Received) -> bytes | None:
        """Commands of class E0; GREY UNLOCK in both spellings of its INS."""
        match command.ins, command.p1:
            case 0x7A, 0x08:
                return self._initialize_lock(command)
            case 0x7A, 0x09:
                return self._initialize_unlock(command)
            case 0x7C, 0x08:
                return self._lock(command)
            case 0x7E, 0x08:
                return self._debit_for_unlock(command)
            case ((0x7C | 0x7E), 0x09):
                return self._unlock(command)
            case ((0x7A | 0x7C | 0x7E), _):
                self._wallet.reset()
                raise Status(0x6A86)
        return None

    def _initialize_lock(self, command: Received) -> bytes:
        """INITIALIZE FOR GREY LOCK, with the purchase key."""
        wallet = self._wallet
        wallet.reset()
        purse = wallet.purse_numbered(command.p2)
        key = wallet.need_opening(command, purse, KeyKind.PURCHASE, size=7)
        wallet.need_unlocked(purse)
        opened = Offline(purse.kinds.lock, (), command.data[1:], key, wallet.card.random(4), purse.offline_counter)
        return wallet.open_purchase(purse, opened)

    def _lock(self, command: Received) -> bytes:
        """GREY LOCK: terminal sequence 4, terminal random 4, time 7, MAC1 4; the GTAC has amount zero (PC-8)."""
        wallet = self._wallet
        opened = wallet.take(Offline, LOCKS)
        need_form(command, (0x08, 0x00), 19)
        sequence, challenge, time, mac1 = (command.data[a:b] for a, b in ((0, 4), (4, 8), (8, 15), (15, 19)))
        number, kind, terminal = int.from_bytes(sequence, "big"), opened.kind, opened.terminal
        suite = wallet.suite
        session = grey_session(suite, opened.key.value, opened.random, opened.counter, number, challenge)
        if suite.mac(session, grey_order(kind, terminal, time)) != mac1:
            raise Status(0x9302)
        purse = wallet.purse_of(kind)
        gtac = suite.tac(wallet.tac_key(kind), offline_record(amount_bytes([0]), kind, terminal, number, time))
        mac2 = suite.mac(session, grey_balance(purse.balance, opened.counter))
        locked = GreyLock(session, terminal, sequence, opened.counter)

        def write() -> None:
            purse.grey = locked

        wallet.card.commit(write)
        return gtac + mac2

    def _debit_for_unlock(self, command: Received) -> bytes:
        """DEBIT FOR UNLOCK: amount 4, off-line counter 2, terminal 6, sequence 4, time 7, GMAC 4."""
        wallet, data = self._wallet, command.data
        wallet.reset()
        purse = wallet.purse_numbered(command.p2)
        command.need(27)
        wallet.need_right(purse)
        amount, terminal, sequence, time, gmac = (data[a:b] for a, b in ((0, 4), (6, 12), (12, 16), (16, 23), (23, 27)))
        lock = _lock_of(purse)
        if (lock.counter.to_bytes(2, "big"), lock.terminal, lock.sequence) != (data[4:6], terminal, sequence):
            raise Status(0x9406)
        if wallet.suite.mac(lock.session, amount) != gmac:
            raise Status(0x9302)
        _need_covered(purse, amount)
        kind, number = purse.kinds.debit_for_unlock, int.from_bytes(sequence, "big")
        tac = wallet.suite.tac(wallet.tac_key(kind), offline_record(amount, kind, terminal, number, time))
        self._release(purse, Done(kind, lock.counter, terminal, time, NO_MAC, tac), amount)
        return tac

    def _initialize_unlock(self, command: Received) -> bytes:
        """INITIALIZE FOR GREY UNLOCK: its MAC1 covers balance 4, off-line counter 2, type, terminal.

        The key is the unload key, as in public fuel-station programs ([GREY-CS]: 解扣密钥必须和圈提密钥一致).
        """
        wallet = self._wallet
        wallet.reset()
        purse = wallet.purse_numbered(command.p2)
        key = wallet.need_opening(command, purse, KeyKind.UNLOAD, size=7, online=True)
        _lock_of(purse)
        offline, online = purse.offline_counter.to_bytes(2, "big"), purse.online_counter
        tail = wallet.open_online(
            key,
            purse.kinds.online_unlock,
            command.data[1:],
            balance=purse.balance,
            amount=offline,
            counter=online,
        )
        return amount_bytes([purse.balance]) + offline + online.to_bytes(2, "big") + tail

    def _unlock(self, command: Received) -> bytes:
        """GREY UNLOCK: amount 4, time 7, MAC2 4. Of the two answers in the manual ours is its prose's, TAC 4."""
        wallet = self._wallet
        opened = wallet.take(Online, ONLINE_UNLOCKS)
        need_form(command, (0x09, 0x00), 15)
        amount = command.data[:4]
        time = wallet.need_grant(opened, amount, command.data[4:])
        purse = wallet.purse_of(opened.kind)
        _need_covered(purse, amount)
        done = wallet.conclude(opened, amount, time, balance=purse.balance - int.from_bytes(amount, "big"))
        self._release(purse, done, amount, online=True)
        return done.tac

    def _release(self, purse: StoredPurse, done: Done, amount: bytes, *, online: bool = False) -> None:
        """Charge a locked purse and open it again.

        Args:
            purse: The purse.
            done: The transaction.
            amount: What is charged, 4 bytes.
            online: Which counter moves.
        """
        fen = int.from_bytes(amount, "big")

        def change() -> None:
            purse.balance -= fen
            purse.grey = None
            if online:
                purse.online_counter += 1
            else:
                purse.offline_counter += 1

        self._wallet.book(done, fen, purse.overdraft_limit, change)


def _lock_of(purse: StoredPurse) -> GreyLock:
    """The lock that is to be opened; without one the command is out of order (PC-6)."""
    if purse.grey is None:
        raise Status(0x6901)
    return purse.grey


def _need_covered(purse: StoredPurse, amount: bytes) -> None:
    """Insist that a purse holds an amount of 4 bytes.

    Raises:
        Status: 9401.
    """
    if int.from_bytes(amount, "big") > purse.balance:
        raise Status(0x9401)
