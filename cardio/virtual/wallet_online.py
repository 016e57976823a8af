"""What a host authorizes on a wallet: load, unload, overdraft limit (EW §3.2, §4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio.crypto.cryptograms import LIMIT_SIZE, limit_bytes
from cardio.files.key_file import KeyKind
from cardio.virtual.purse import Online, need_form
from cardio.virtual.purse_keys import PurseKey
from cardio.virtual.received import Received, Status
from cardio.virtual.wallet_purse import KINDS, Kind, StoredPurse

if TYPE_CHECKING:
    from cardio.virtual.wallet import WalletFunction

LOADS = frozenset(kinds.load for kinds in KINDS.values())
GRANT_SIZE = 11
"""Host time 7 ‖ MAC2 4."""


class OnlineCommands:
    """The on-line commands of one wallet.

    Args:
        wallet: The wallet.
    """

    def __init__(self, wallet: WalletFunction) -> None:
        self._wallet = wallet

    def initialize_load(self, command: Received, purse: StoredPurse) -> bytes:
        """INITIALIZE FOR LOAD; beyond the largest balance it is 6985 (PC-5)."""
        wallet = self._wallet
        pin = wallet.load_needs_pin
        key = wallet.need_opening(command, purse, KeyKind.LOAD, size=11, online=True, pin=pin)
        wallet.need_unlocked(purse)
        amount = command.data[1:5]
        if purse.balance + int.from_bytes(amount, "big") > wallet.max_balance:
            raise Status(0x6985)
        return self._open(purse, key, purse.kinds.load, command.data[5:], amount)

    def initialize_unload(self, command: Received, purse: StoredPurse) -> bytes:
        """INITIALIZE FOR UNLOAD."""
        wallet = self._wallet
        key = wallet.need_opening(command, purse, KeyKind.UNLOAD, size=11, online=True, pin=True)
        wallet.need_unlocked(purse)
        amount = command.data[1:5]
        if int.from_bytes(amount, "big") > purse.balance:
            raise Status(0x9401)
        return self._open(purse, key, Kind.UNLOAD, command.data[5:], amount)

    def initialize_update(self, command: Received, purse: StoredPurse) -> bytes:
        """INITIALIZE FOR UPDATE: its answer and its MAC1 carry the old limit."""
        wallet = self._wallet
        key = wallet.need_opening(command, purse, KeyKind.OVERDRAFT, size=7, online=True, pin=True)
        wallet.need_unlocked(purse)
        limit = limit_bytes(purse.overdraft_limit)
        return self._open(purse, key, Kind.OVERDRAFT, command.data[1:], limit, shown=limit)

    def _open(
        self, purse: StoredPurse, key: PurseKey, kind: int, terminal: bytes, amount: bytes, *, shown: bytes = b""
    ) -> bytes:
        head = purse.balance.to_bytes(4, "big") + purse.online_counter.to_bytes(2, "big") + shown
        return head + self._wallet.open_online(
            key, kind, terminal, balance=purse.balance, amount=amount, counter=purse.online_counter
        )

    def credit(self, command: Received) -> bytes:
        """CREDIT FOR LOAD."""
        opened = self._wallet.take(Online, LOADS)
        need_form(command, (0x00, 0x00), GRANT_SIZE)
        return self._move(opened, command.data, int.from_bytes(opened.amount, "big"))

    def debit(self, command: Received) -> bytes:
        """DEBIT FOR UNLOAD; its MAC3 is made like a TAC, but under the session key."""
        opened = self._wallet.take(Online, {Kind.UNLOAD})
        need_form(command, (0x03, 0x00), GRANT_SIZE)
        return self._move(opened, command.data, -int.from_bytes(opened.amount, "big"), mac3=True)

    def _move(self, opened: Online, grant: bytes, difference: int, *, mac3: bool = False) -> bytes:
        wallet = self._wallet
        purse = wallet.purse_of(opened.kind)
        time = wallet.need_grant(opened, opened.amount, grant)
        after = purse.balance + difference
        done = wallet.conclude(opened, opened.amount, time, balance=after, mac3=mac3)

        def change() -> None:
            purse.balance = after
            purse.online_counter += 1

        wallet.book(done, int.from_bytes(opened.amount, "big"), purse.overdraft_limit, change)
        return done.tac

    def update_limit(self, command: Received) -> bytes:
        """UPDATE OVERDRAW LIMIT: the balance moves by the difference of the limits (EW §4.4), the TAC as PC-10 says.

        No source says what the log holds; ours stores the new limit and the amount zero.
        """
        wallet = self._wallet
        opened = wallet.take(Online, {Kind.OVERDRAFT})
        need_form(command, (0x00, 0x00), LIMIT_SIZE + GRANT_SIZE)
        limit = command.data[:LIMIT_SIZE]
        time = wallet.need_grant(opened, limit, command.data[LIMIT_SIZE:])
        purse, new = wallet.purse_of(opened.kind), int.from_bytes(limit, "big")
        after = purse.balance + new - purse.overdraft_limit
        if after < 0:
            raise Status(0x9401)  # more than the new limit is in use
        if after > wallet.max_balance:
            raise Status(0x6985)  # by analogy with PC-5
        done = wallet.conclude(opened, limit, time, balance=after)

        def change() -> None:
            purse.balance = after
            purse.overdraft_limit = new
            purse.online_counter += 1

        wallet.book(done, 0, new, change)
        return done.tac
