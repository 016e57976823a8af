"""`cardio pin`, `cardio card` and `cardio update` on the embedded readers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cardio.cli import selection
from cardio.cli.selection import NEW_TEST_PIN, TEST_PIN
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring
from cardio.virtual.pin_pad import VirtualPinPad
from tests.cli.test_cli import cardio

PASSPHRASE = "a passphrase of its own"
LAST_DIGITS = "0126"


@pytest.fixture
def card() -> VirtualCard:
    return social_security_card()


@pytest.fixture
def pad() -> VirtualPinPad:
    return VirtualPinPad(TEST_PIN, NEW_TEST_PIN)


@pytest.fixture(autouse=True)
def desk(card: VirtualCard, pad: VirtualPinPad, monkeypatch: pytest.MonkeyPatch) -> Callable[[VirtualCard], None]:
    """One embedded reader whose card stays the same from command to command; gives a way to put another in."""
    reader = EmbeddedReader("virtual", card, pad)
    monkeypatch.setattr(selection, "embedded_driver", lambda _: EmbeddedDriver([reader]))
    return reader.insert


def run(*arguments: str, typed: str = "", exit_code: int = 0) -> str:
    done = cardio(*arguments, "--reader", "virtual", stdin=typed)
    assert done.exit_code == exit_code, done.output
    assert not {TEST_PIN, NEW_TEST_PIN, "000000"} & set(re.findall(r"\d{6,}", done.output))
    return done.output


def tries_of(card: VirtualCard) -> int:
    assert card.pin is not None
    return card.pin.tries_left


# ---- pin ---------------------------------------------------------------------------------------------------------


def test_the_state_of_the_pin_is_shown(card: VirtualCard) -> None:
    assert "tries left: 6" in run("pin", "status")
    assert json.loads(run("pin", "status", "--json")) == {"state": "required", "tries_left": 6}
    assert card.pin is not None
    card.pin.tries_left = 0
    assert json.loads(run("pin", "status", "--json")) == {"state": "blocked", "tries_left": 0}
    card.pin = None
    assert json.loads(run("pin", "status", "--json")) == {"state": "unset", "tries_left": None}
    assert "no PIN is set" in run("pin", "status", "--product", "ssc-2.0")


def test_the_pin_is_verified_on_the_pad_or_at_a_prompt(card: VirtualCard) -> None:
    run("pin", "verify")
    run("pin", "verify", "--pin", typed=f"{TEST_PIN}\n")
    assert "5 tries left" in run("pin", "verify", "--pin", typed="000000\n", exit_code=4)
    assert card.pin is not None
    card.pin.tries_left = 1
    assert "pin.last-try" in run("pin", "verify", exit_code=4)
    run("pin", "verify", "--allow-last-try")


def test_the_pin_is_changed_on_the_pad(pad: VirtualPinPad) -> None:
    run("pin", "change")
    pad.typed = NEW_TEST_PIN
    run("pin", "verify")


def test_the_pin_is_changed_at_a_prompt() -> None:
    run("pin", "change", "--pin", typed=f"{TEST_PIN}\n{NEW_TEST_PIN}\n{NEW_TEST_PIN}\n")
    run("pin", "verify", "--pin", typed=f"{NEW_TEST_PIN}\n")


def test_a_new_pin_that_is_not_typed_twice_alike_reaches_no_card(card: VirtualCard) -> None:
    assert "pin.mismatch" in run("pin", "change", "--pin", typed=f"{TEST_PIN}\n{NEW_TEST_PIN}\n000000\n", exit_code=4)
    assert "pin.mismatch" in run("pin", "reload", typed=f"{NEW_TEST_PIN}\n000000\n", exit_code=4)
    assert tries_of(card) == 6
    run("pin", "verify")


def test_a_card_without_a_pin_gets_its_first_one(card: VirtualCard) -> None:
    card.pin = None
    twice = f"{NEW_TEST_PIN}\n{NEW_TEST_PIN}\n"
    assert "pin.unset" in run("pin", "change", "--pin", typed=f"{TEST_PIN}\n{twice}", exit_code=4)
    run("pin", "change", "--pin", "--first", typed=twice)
    run("pin", "verify", "--pin", typed=f"{NEW_TEST_PIN}\n")


def test_a_lost_answer_has_an_exit_code_of_its_own_and_says_what_to_do(card: VirtualCard) -> None:
    card.faults = FaultPlan(Fault.LATE, only="805E")
    said = run("pin", "change", exit_code=5)
    assert "verify the new PIN once" in said
    assert "用新密码验证一次" in said
    run("pin", "verify", "--pin", typed=f"{NEW_TEST_PIN}\n")


def test_a_blocked_pin_is_unblocked_or_replaced(card: VirtualCard) -> None:
    assert card.pin is not None
    card.pin.tries_left = 0
    run("pin", "unblock")
    run("pin", "verify")
    card.pin.tries_left = 0
    run("pin", "reload", typed=f"{NEW_TEST_PIN}\n{NEW_TEST_PIN}\n")
    run("pin", "verify", "--pin", typed=f"{NEW_TEST_PIN}\n")


def test_a_wallet_is_unblocked_by_its_pin(desk: Callable[[VirtualCard], None]) -> None:
    wallet = citizen_card(native=True)
    desk(wallet)
    assert wallet.pin is not None
    wallet.pin.tries_left = 0
    assert "pin.required" in run("pin", "unblock", exit_code=4)
    assert "pin.unblock-refused" in run("pin", "unblock", "--pin", typed="000000\n", exit_code=4)
    run("pin", "unblock", "--pin", typed=f"{TEST_PIN}\n")
    run("pin", "verify")


def test_keys_come_from_a_keyring_file(card: VirtualCard, tmp_path: Path) -> None:
    file = tmp_path / "issuer.keys"
    issuer_test_keyring().save(file, PASSPHRASE)
    assert card.pin is not None
    card.pin.tries_left = 0
    assert "keyring.invalid" in run("pin", "unblock", "--keyring", str(file), typed="wrong\n", exit_code=6)
    run("pin", "unblock", "--keyring", str(file), typed=f"{PASSPHRASE}\n")
    run("pin", "verify")


# ---- card --------------------------------------------------------------------------------------------------------


def test_a_block_for_ever_wants_the_end_of_the_cards_number() -> None:
    for arguments in (("card", "block"), ("card", "block-application", "--application", "DF04", "--forever")):
        assert "nothing was done" in run(*arguments, typed="9999\n", exit_code=2)
    run("account", "balance")
    run("card", "block-application", "--application", "DF04", "--forever", typed=f"{LAST_DIGITS}\n")
    assert "app.blocked" in run("account", "balance", exit_code=4)
    assert "operation.unsupported" in run(
        "card", "block-application", "--application", "DF01", "--forever", "--yes", exit_code=4
    )
    run("card", "block", "--yes")
    run("pin", "status", exit_code=4)


def test_a_directory_of_social_security_is_blocked_only_for_ever() -> None:
    assert "for ever" in run("card", "block-application", "--application", "DF04", exit_code=4)
    assert "operation.unsupported" in run("card", "block-application", exit_code=4)


def test_a_wallet_is_blocked_and_unblocked(desk: Callable[[VirtualCard], None]) -> None:
    desk(citizen_card(native=True))
    run("card", "block-application")
    run("wallet", "balance", exit_code=4)
    run("card", "unblock-application")
    run("wallet", "balance")
    run("card", "block", "--yes")
    run("wallet", "balance", exit_code=4)


# ---- update ------------------------------------------------------------------------------------------------------


def test_items_of_a_social_security_card_are_updated() -> None:
    said = run("update", "SSSE/EF05.card_class=2", "SSSE/EF05.expires=2040-01-02", "SSSE/EF06.birthplace=")
    assert "SSSE/EF05" in said
    card = json.loads(run("read", "--group", "card", "--json"))["card"]["data"]
    assert (card["card_class"]["code"], card["expires"]) == ("2", "2040-01-02")


def test_wallet_data_are_updated(desk: Callable[[VirtualCard], None]) -> None:
    desk(citizen_card(native=True))
    run("update", "public.ends=2040-12-31")
    assert json.loads(run("read", "--group", "card", "--json"))["card"]["data"]["ends"] == "2040-12-31"


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("SSSE/EF05.card_class", "write FILE.ITEM=VALUE"),
        ("card_class=2", "write FILE.ITEM=VALUE"),
        ("SSSE/EF99.card_class=2", "SSSE/EF05"),
        ("SSSE/EF05.colour=2", "card_class"),
        ("SSSE/EF05.expires=tomorrow", "expires"),
        ("SSSE/EF05.card_id=xyz", "card_id"),
        ("DF01/EF15.degrees=1", "several"),
    ],
)
def test_an_assignment_that_means_nothing_is_a_wrong_usage(assignment: str, said: str) -> None:
    assert said in run("update", assignment, "--product", "ssc-2.0", exit_code=2)
