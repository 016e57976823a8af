"""The way of a load, an unload or a new overdraft limit: authorized by a host (EW §5.5, §6.3; SSC §7.1).

The journal is armed before the host is asked, because the host books; and the host's grant is on disk before the card
may change, so that an armed transaction without a grant is known never to have reached the card.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from cardio.engine.context import DECLINES, Work, changed
from cardio.engine.target import check_rules
from cardio.errors import (
    BalanceLimit,
    HostAnswerLost,
    HostError,
    HostUnreachable,
    StorageUnavailable,
    StoreError,
)
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Armed, Evidence, NoticeKind, Outcome, State, Transaction
from cardio.security.load_host import HostGrant, LoadHost

_REFUSALS = (*DECLINES, BalanceLimit)


@dataclass(frozen=True)
class OnlineOperation:
    """One on-line operation, up to its end.

    Args:
        work: Card, transaction, journal.
        host: The host.
        terminal: Terminal number, 6 bytes.
    """

    work: Work
    host: LoadHost
    terminal: bytes

    def run(self) -> Transaction:
        """Ask the host, and change the card.

        Returns:
            The transaction: `completed`, `declined`, `not_debited` (the card is as it was) or `uncertain`.

        Raises:
            CardioError: Refused before anything could move; the key can be used again.
        """
        work, purse = self.work, self.work.target.purse
        operation, amount = work.transaction.operation, work.transaction.amount_fen
        check_rules(work.card, work.target, test_keys=self.host.test, today=work.clock().date())
        try:
            initialized = purse.initialize(operation, work.transaction.amounts, self.terminal, purse.load_key_index)
        except _REFUSALS as error:
            return work.declined(error.code)
        armed = work.armed(
            initialized,
            terminal=self.terminal,
            key_source=self.host.name,
            key_index=purse.load_key_index,
            mac1=initialized.mac1,
        )
        armed_work = work.arm(armed)
        request = purse.host_request(
            operation, work.transaction.id, initialized, amount, self.terminal, work.target.number
        )
        try:
            grant = self.host.authorize(request)
        except HostError as error:
            # Nothing was sent to the card. The host is told to reverse in any case.
            return armed_work.record(_not_changed(error))
        except BaseException:
            with suppress(StoreError):
                armed_work.ledger.record(armed_work.transaction, _not_changed(HostAnswerLost()))
            raise
        return self._change(armed_work, armed, grant)

    def _change(self, work: Work, armed: Armed, grant: HostGrant) -> Transaction:
        try:
            work = replace(work, transaction=work.ledger.grant(work.transaction, grant.time.hex()))
        except StoreError as error:
            return work.record(_not_changed(StorageUnavailable(error.detail)))
        return work.concluded(lambda: self._send(work, armed, grant))

    @staticmethod
    def _send(work: Work, armed: Armed, grant: HostGrant) -> Outcome:
        """Send the command that changes the card, once."""
        transaction = work.transaction
        command = work.target.purse.grant_command(transaction.operation, grant, transaction.amount_fen)
        proof = work.send(command)
        return proof if isinstance(proof, Outcome) else changed(proof, None, armed)


def _not_changed(error: HostError | StorageUnavailable) -> Outcome:
    """The card was not changed, because nothing was sent to it."""
    if isinstance(error, HostAnswerLost):
        evidence = (Evidence("journal", False, "nothing was sent to the card"),)
        return Outcome(State.NOT_DEBITED, evidence=evidence, error=error.code)
    return Outcome(State.DECLINED, error=error.code)


def tell_host(ledger: Ledger, host: LoadHost | None) -> int:
    """Deliver what the host must still be told, oldest first; what cannot be delivered stays for the next time.

    Returns:
        How many notices are still outstanding.
    """
    outstanding = ledger.host_notices()
    if host is None:
        return len(outstanding)
    for told, notice in enumerate(outstanding):
        try:
            if notice.kind is NoticeKind.CONFIRM:
                host.confirm(notice.transaction, bytes.fromhex(notice.proof) if notice.proof else None)
            else:
                host.reverse(notice.transaction)
        except HostUnreachable:
            return len(outstanding) - told
        ledger.host_told(notice)
    return 0
