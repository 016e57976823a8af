"""The grey lock of fuel cards: the purse is locked before refuelling, and charged and freed after it (EW §3.5).

Lock and debit are two transactions, each with its own key: minutes pass between them, and a restart may. The link is
kept in the journal. What stands between them is the purse, which refuses everything else (9408), and the PSAM, which
keeps the lock's session by card and number; so the debit needs the same card and the same PSAM.

Only a lock that ended `completed` with its MAC2 found right allows fuel to flow. One that recovery found has no GTAC
and its MAC2 never reached the PSAM, which may then refuse the debit; its purse is freed on-line (`cardio.purse.grey`).
"""

from __future__ import annotations

from dataclasses import dataclass

from cardio.engine.context import DECLINES, REFUSED, Work, changed, initialized_again
from cardio.engine.target import check_amount, check_rules
from cardio.errors import CardChanged, FundsInsufficient, LockClosed, OperationUnsupported, SamKeyMissing
from cardio.files.dates import encode_time
from cardio.ledger.model import Armed, Outcome, Transaction
from cardio.purse.operation import Operation
from cardio.purse.wallet import WalletPurse
from cardio.security.keys import PurchaseKeys
from cardio.security.psam_grey import GreyAuthorization, PsamGrey

NOT_UNLOCKED = REFUSED | {0x9406}
"""DEBIT FOR UNLOCK says 9406 when the lock of that number is no more (EW §3.5)."""


def wallet_of(work: Work) -> WalletPurse:
    """The purse of the work: only wallets have grey locks.

    Raises:
        OperationUnsupported: It is a medical account.
    """
    purse = work.target.purse
    if not isinstance(purse, WalletPurse):
        raise OperationUnsupported(f"a {purse.kind} purse has no grey lock")
    return purse


@dataclass(frozen=True)
class GreyLock:
    """One grey lock, up to its end.

    Args:
        work: Card, transaction, journal.
        keys: Key source.
    """

    work: Work
    keys: PurchaseKeys

    def run(self) -> Transaction:
        """Lock the purse.

        Returns:
            The transaction: `completed`, `not_genuine`, `declined` or `uncertain`.

        Raises:
            PurseGreyLocked: It is locked already.
            CardioError: Refused before anything could change; the key can be used again.
        """
        work, purse = self.work, wallet_of(self.work)
        with self.keys.hold(purse.rules.sam) as session:
            check_rules(work.card, work.target, test_keys=session.source.test, today=work.clock().date())
            terminal = session.terminal_number()
            key_index = purse.key_index(session.key_index(purse.rules.sam))
            grey = session.grey(purse.rules.sam)
            try:
                initialized = purse.initialize(Operation.GREY_LOCK, work.transaction.amounts, terminal, key_index)
            except DECLINES as error:
                return work.declined(error.code)
            order = purse.grey_order(initialized, encode_time(work.clock()))
            authorization = grey.lock(order)
            sam_counter = work.sam_counter(session.source, terminal, authorization.sequence)
            armed = work.armed(
                initialized,
                terminal=terminal,
                key_source=session.source.name,
                key_index=key_index,
                mac1=authorization.mac1,
                sequence=authorization.sequence,
                card_time=order.time,
            )
            locking = work.arm(armed, sam_counter)
            return locking.concluded(lambda: self._lock(purse, grey, authorization, armed))

    def _lock(self, purse: WalletPurse, grey: PsamGrey, authorization: GreyAuthorization, armed: Armed) -> Outcome:
        """Send GREY LOCK, once, and have its MAC2 checked: that is when the PSAM keeps the lock."""
        proof = self.work.send(purse.lock_command(authorization, bytes.fromhex(armed.card_time)))
        return proof if isinstance(proof, Outcome) else changed(proof, grey.check(proof.mac2 or b""), armed)


@dataclass(frozen=True)
class GreyDebit:
    """One debit for unlock, up to its end.

    Args:
        work: Card, transaction, journal.
        keys: Key source.
    """

    work: Work
    keys: PurchaseKeys

    def run(self) -> Transaction:
        """Charge what was refuelled, and free the purse.

        Returns:
            The transaction: `completed`, `declined` or `uncertain`.

        Raises:
            CardChanged: It is not the card of the lock.
            SamAbsent: The PSAM of the lock is not there.
            SamKeyMissing: The PSAM that is there is not that of the lock.
            CardioError: Refused before anything could move; the key can be used again.
        """
        work, purse = self.work, wallet_of(self.work)
        amount, (lock, locked) = work.transaction.amount_fen, self._lock()
        if locked.card.key != work.card_key:
            raise CardChanged(f"card {locked.card.masked} was locked")
        if not work.ledger.lock_stands(lock.id):
            return work.declined(LockClosed.code)
        if amount > locked.balance_before:
            # The PSAM would make a GMAC, and the card refuse it: nothing has moved since the lock.
            return work.declined(FundsInsufficient.code)
        # The fuel is in the tank: a card that was valid when it was locked may pay for it.
        check_amount(work.target, work.transaction.amounts)
        time = encode_time(work.clock())
        wanted = bytes.fromhex(locked.terminal_number)
        with self.keys.hold(purse.rules.sam, wanted) as session:
            check_rules(work.card, work.target, test_keys=session.source.test, today=lock.created_at.date())
            terminal = session.terminal_number()
            if terminal != wanted:
                raise SamKeyMissing(f"the lock was made by terminal {locked.terminal_number}")
            kind = purse.step(Operation.GREY_DEBIT).kind
            authorized = session.grey(purse.rules.sam).debit(kind, purse.card_factor, locked.card_counter, amount)
            armed = work.armed(
                initialized_again(locked),
                terminal=terminal,
                key_source=session.source.name,
                key_index=locked.key_index,
                mac1=authorized.gmac,
                sequence=locked.terminal_sequence,
                card_time=time,
            )
            debiting = work.arm(armed)
            return debiting.concluded(lambda: self._debit(purse, armed, authorized.gmac))

    def _lock(self) -> tuple[Transaction, Armed]:
        lock = self.work.ledger.transaction(self.work.transaction.grey_lock or "")
        if lock.armed is None:
            raise RuntimeError(f"{lock.id} was begun as a lock but never armed")
        return lock, lock.armed

    def _debit(self, purse: WalletPurse, armed: Armed, gmac: bytes) -> Outcome:
        """Send DEBIT FOR UNLOCK, once."""
        command = purse.debit_for_unlock_command(
            self.work.transaction.amount_fen,
            counter=armed.card_counter,
            terminal=bytes.fromhex(armed.terminal_number),
            sequence=armed.terminal_sequence,
            time=bytes.fromhex(armed.card_time),
            gmac=gmac,
        )
        proof = self.work.send(command, NOT_UNLOCKED)
        return proof if isinstance(proof, Outcome) else changed(proof, None, armed)
