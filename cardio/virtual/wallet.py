"""The card's side of the PBOC wallet: balances, purchases, proof (EW §3.2, §3.3, §4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

from cardio.crypto.cryptograms import amount_bytes, limit_bytes
from cardio.crypto.suites import PbocSuite
from cardio.files.key_file import KeyKind
from cardio.purse.purse import CounterRule
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.purse import Done, Offline, Proof, PurseFunction, need_form
from cardio.virtual.purse_keys import PurseKey, PurseKeys
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Bytes2, Misfit
from cardio.virtual.wallet_composite import Composite
from cardio.virtual.wallet_grey import GreyCommands
from cardio.virtual.wallet_online import OnlineCommands
from cardio.virtual.wallet_purse import KINDS, Kind, PurseNumber, StoredPurse

MAX_BALANCE = 0x7FFFFFFF
PURCHASES = frozenset({Kind.CASH, Kind.COMPOSITE, *(kinds.purchase for kinds in KINDS.values())})
BALANCES = {(0x00, 0x01), (0x00, 0x02), (0x03, 0x02)}
"""P1 and P2 of GET BALANCE; `03 02` is T-Union's (EW §3.2)."""
OF_PASSBOOK = frozenset({Kind.UNLOAD, Kind.CASH, Kind.OVERDRAFT, *astuple(KINDS[PurseNumber.PASSBOOK])})


@dataclass
class WalletMemory:
    """What a wallet remembers without power; `no_proof` is a status word."""

    purse: StoredPurse
    passbook: StoredPurse | None
    proof: Proof | None
    no_proof: Bytes2


class WalletFunction(PurseFunction):
    """The electronic purse of one virtual card, and its electronic passbook.

    Args:
        suite: Cryptography of the card.
        keys: Its keys.
        log: Its EF18; None where a subclass finds it.
        balance_fen: Balance of the purse at the start.
        offline_counter: Purchases from the purse so far.
        online_counter: Loads of the purse so far.
        passbook: The electronic passbook; None for a card without.
        load_needs_pin: Whether loading the purse needs the PIN, as generic PBOC cards demand and many transit cards do
            not (EW §3.2).
        max_balance_fen: Largest balance of either purse; a load beyond it is refused (EW PC-5).
        grey_lock: Whether the card has the grey lock extension (EW §3.5).
        log_number: Number that the log stores (EW PC-2).
        proof_number: Number that GET TRANSACTION PROVE wants (EW PC-17).

    Attributes:
        purse: The electronic purse.
    """

    def __init__(
        self,
        suite: PbocSuite,
        keys: PurseKeys,
        log: ElementaryFile | None,
        *,
        balance_fen: int = 0,
        offline_counter: int = 0,
        online_counter: int = 0,
        passbook: StoredPurse | None = None,
        load_needs_pin: bool = False,
        max_balance_fen: int = MAX_BALANCE,
        grey_lock: bool = False,
        log_number: CounterRule = CounterRule.AFTER,
        proof_number: CounterRule = CounterRule.AFTER,
    ) -> None:
        super().__init__(suite, keys, log, log_number=log_number, proof_number=proof_number)
        self.no_proof = 0x6985
        self.purse = StoredPurse(
            PurseNumber.PURSE,
            balance=balance_fen,
            offline_counter=offline_counter,
            online_counter=online_counter,
        )
        self.passbook = passbook
        self.load_needs_pin = load_needs_pin
        self.max_balance = max_balance_fen
        self._online = OnlineCommands(self)
        self._grey = GreyCommands(self) if grey_lock else None

    def memory(self) -> WalletMemory:
        """What outlives the power."""
        passbook = None if self.passbook is None else replace(self.passbook)
        return WalletMemory(replace(self.purse), passbook, self.proof, self.no_proof.to_bytes(2, "big"))

    def restore(self, memory: WalletMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: A purse is in the other's place.
        """
        for name, purse, number in (
            ("purse", memory.purse, PurseNumber.PURSE),
            ("passbook", memory.passbook, PurseNumber.PASSBOOK),
        ):
            if purse is not None and purse.number is not number:
                raise Misfit((name, "number"), f"must be {number.name}")
        self.purse, self.passbook = replace(memory.purse), None if memory.passbook is None else replace(memory.passbook)
        self.proof, self.no_proof = memory.proof, int.from_bytes(memory.no_proof, "big")

    # ---- the electronic purse --------------------------------------------------------------------------------

    @property
    def balance(self) -> int:
        """Balance of the electronic purse in fen."""
        return self.purse.balance

    @balance.setter
    def balance(self, fen: int) -> None:
        self.purse.balance = fen

    @property
    def offline_counter(self) -> int:
        """Purchases from the electronic purse so far."""
        return self.purse.offline_counter

    @offline_counter.setter
    def offline_counter(self, number: int) -> None:
        self.purse.offline_counter = number

    @property
    def online_counter(self) -> int:
        """Loads of the electronic purse so far."""
        return self.purse.online_counter

    @online_counter.setter
    def online_counter(self, number: int) -> None:
        self.purse.online_counter = number

    # ---- commands --------------------------------------------------------------------------------------------

    def execute(self, command: Received) -> bytes | None:
        """Commands of class 80, and of class E0 where the card has the grey lock."""
        if command.cla == 0xE0 and self._grey is not None:
            return self._grey.execute(command)
        if command.cla != 0x80:
            return None
        handlers: dict[int, Callable[[Received], bytes]] = {
            0x50: self._initialize,
            0x52: self._online.credit,
            0x54: self._online.debit if command.p1 == 0x03 else self._debit,
            0x58: self._online.update_limit,
            0x5A: self._prove,
            0x5C: self._get_balance,
            0xDC: self._update_cache,
        }
        handler = handlers.get(command.ins)
        return None if handler is None else handler(command)

    def _get_balance(self, command: Received) -> bytes:
        if command.parameters not in BALANCES:
            raise Status(0x6A86)
        purse = self.purse_numbered(command.p2)
        if command.data:
            raise Status(0x6700)
        self.need_right(purse)
        return purse.balance.to_bytes(4, "big")

    def _initialize(self, command: Received) -> bytes:
        self.reset()
        purse = self.purse_numbered(command.p2)
        match command.p1, purse.number:
            case 0x00, _:
                return self._online.initialize_load(command, purse)
            case 0x01, _:
                return self._initialize_offline(command, purse, purse.kinds.purchase)
            case 0x02, PurseNumber.PASSBOOK:
                return self._initialize_offline(command, purse, Kind.CASH)
            case 0x03, PurseNumber.PURSE:
                return self._initialize_offline(command, purse, Kind.COMPOSITE)
            case 0x04, PurseNumber.PASSBOOK:
                return self._online.initialize_update(command, purse)
            case 0x05, PurseNumber.PASSBOOK:
                return self._online.initialize_unload(command, purse)
        raise Status(0x6A86)

    def _initialize_offline(self, command: Received, purse: StoredPurse, kind: int) -> bytes:
        """INITIALIZE FOR PURCHASE, CASH WITHDRAW or CAPP PURCHASE."""
        key = self.need_opening(command, purse, KeyKind.PURCHASE, size=11)
        self.need_unlocked(purse)
        amount, terminal = int.from_bytes(command.data[1:5], "big"), command.data[5:]
        if amount > purse.balance:
            raise Status(0x9401)
        step = Composite if kind == Kind.COMPOSITE else Offline
        return self.open_purchase(
            purse, step(kind, (amount,), terminal, key, self.card.random(4), purse.offline_counter)
        )

    def open_purchase(self, purse: StoredPurse, opened: Offline) -> bytes:
        """Answer of an off-line INITIALIZE: balance 4, counter 2, limit 3, version, algorithm, random 4."""
        counter = opened.counter.to_bytes(2, "big")
        return amount_bytes([purse.balance]) + counter + limit_bytes(purse.overdraft_limit) + self.open_offline(opened)

    def _update_cache(self, command: Received) -> bytes:
        """UPDATE CAPP DATA CACHE; one that fails leaves the purchase open (EW §3.3, PC-7)."""
        if not isinstance(self.opened, Composite):
            self.reset()
            raise Status(0x6901)
        self.opened.update(command, self.card.current, self.log_for(self.opened.kind))
        return b""

    def _debit(self, command: Received) -> bytes:
        """DEBIT FOR PURCHASE, CASH WITHDRAW and CAPP PURCHASE; a composite one without records is allowed (PC-21)."""
        opened = self.take(Offline, PURCHASES)
        need_form(command, (0x01, 0x00), 15)
        done = self.judge(opened, command.data)
        purse, (amount,) = self.purse_of(opened.kind), opened.amounts

        def change() -> None:
            purse.balance -= amount
            purse.offline_counter += 1
            if isinstance(opened, Composite):
                opened.write()

        self.book(done, amount, purse.overdraft_limit, change)
        return done.tac + done.mac

    def _prove(self, command: Received) -> bytes:
        """GET TRANSACTION PROVE; of a load the MAC is zero (PC-18), and by analogy of all others without MAC2."""
        self.reset()
        command.need(2)
        return self.prove(command.p2, command.data)

    # ---- what the commands share -----------------------------------------------------------------------------

    def purse_numbered(self, number: int) -> StoredPurse:
        """The purse that P2 names.

        Raises:
            Status: 6A86 there is none.
        """
        for purse in (self.purse, self.passbook):
            if purse is not None and purse.number == number:
                return purse
        raise Status(0x6A86)

    def purse_of(self, kind: int) -> StoredPurse:
        """The purse of a transaction type."""
        return self.purse_numbered(PurseNumber.PASSBOOK if kind in OF_PASSBOOK else PurseNumber.PURSE)

    def need_right(self, purse: StoredPurse) -> None:
        """Insist on what every command on a purse needs: for the passbook the PIN (EW §3.2).

        Raises:
            Status: 6982.
        """
        if purse.number is PurseNumber.PASSBOOK:
            self.need_pin()

    def need_opening(
        self,
        command: Received,
        purse: StoredPurse,
        kind: KeyKind,
        *,
        size: int,
        online: bool = False,
        pin: bool = False,
    ) -> PurseKey:
        """The key that INITIALIZE names, after the checks that all of them begin with (EW §3.3).

        Args:
            command: The command; the key's index is its first byte.
            purse: The purse.
            kind: Kind of the key.
            size: Bytes of the command's data.
            online: Which counter must have a number left.
            pin: Whether the transaction needs the PIN, whatever the purse.

        Raises:
            Status: 6700, 6982, 9403, 9402.
        """
        command.need(size)
        self.need_right(purse)
        if pin:
            self.need_pin()
        return self.need_key(kind, command.data[0], purse.online_counter if online else purse.offline_counter)

    @staticmethod
    def need_unlocked(purse: StoredPurse) -> None:
        """Insist that no grey lock is on the purse.

        Raises:
            Status: 9408.
        """
        if purse.grey is not None:
            raise Status(0x9408)

    def book(self, done: Done, amount: int, limit: int, change: Callable[[], None]) -> None:
        """Write a transaction with its record of EF18; all of them are logged (EW §2.7, PC-3).

        Args:
            done: The transaction.
            amount: Amount for the log, fen.
            limit: Overdraft limit for the log, fen.
            change: Its change to the purse.
        """
        record = b"".join(
            (
                self.logged_number(done),
                limit_bytes(limit),
                amount_bytes([amount]),
                bytes([done.kind]),
                done.terminal,
                done.time,
            )
        )
        self.complete(done, record, change)
