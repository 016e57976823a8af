"""`cardio card replace-keys` through a real pcscd: a card that is torn out is gone on with by the same command."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.errors import ExitCode
from cardio.personalize.attempts import CardState
from cardio.personalize.example_job import example_job
from cardio.personalize.key_store import KeyStore
from cardio.personalize.register import Register
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.pcsc.test_commands import command

pytestmark = pytest.mark.pcsc

PASSPHRASE = "correct horse battery"
MASTER = 7
"""WRITE KEY of the wallet's master: the last of its directory."""


def states(register: Path) -> list[CardState]:
    opened = Register(register)
    try:
        opened.verify()
        return [attempt.state for attempt in opened.attempts()]
    finally:
        opened.close()


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_card_torn_out_at_its_master_has_its_new_keys_when_it_comes_back(
    pcscd: PrivatePcscd, tmp_path: Path, fault: Fault
) -> None:
    issuer, register = VirtualIssuer(Catalogue.load()), tmp_path / "cards.db"
    maker = issuer.maker("citizen-wallet")
    card = issuer.card("citizen-wallet", example_job(maker.product, maker.layout, 1)[1][0], "123456")
    old = issuer_test_keyring()
    roots = {name: RootKey(bytes(byte ^ 0x54 for byte in old.root(name).key), 1) for name in old.names()}
    KeyStore.create(tmp_path / "new.keys", PASSPHRASE, Keyring("new", roots, test=True))
    asked = ("card", "replace-keys", "ADF1", "--product", "citizen-wallet", "--reader", pcscd.readers[0])
    files = ("--new-keyring", str(tmp_path / "new.keys"), "--register", str(register), "--wait", "10")
    plan = card.faults = FaultPlan(fault, MASTER, only="84D4")
    with VpcdLink(card, port=pcscd.port(0)):
        torn = command("cardio", *asked, *files, typed=f"{PASSPHRASE}\n")
    assert (torn.returncode, plan.fired) == (ExitCode.NO_CARD, True), torn.stderr
    assert states(register) == [CardState.KEY_UNCONFIRMED]
    with VpcdLink(card, port=pcscd.port(0)):
        done = command("cardio", *asked, *files, typed=f"{PASSPHRASE}\n")
        assert (done.returncode, states(register)) == (0, [CardState.FINISHED]), done.stderr
        again = command("cardio", *asked, *files, typed=f"{PASSPHRASE}\n")
    assert (again.returncode, "has these keys already" in again.stderr) == (ExitCode.USAGE, True)
