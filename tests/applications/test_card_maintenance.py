"""Unblocking, reloading and blocking under the issuer's keys on virtual cards of both families."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from cardio.applications.card_maintenance import SocialSecurityMaintenance, WalletMaintenance
from cardio.applications.pin import PinState, pin_state, verify_pin
from cardio.applications.protected_commands import ProtectedCommands
from cardio.crypto.ciphers import Algorithm
from cardio.errors import (
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    CardUnsupported,
    FileNotFound,
    MaintenanceKeysMissing,
    MaintenanceRefused,
    OperationUnsupported,
    PinChangeUnknown,
    PinLength,
    PinNotAllowed,
    PinRequired,
    PinUnblockRefused,
    SamAbsent,
    SamKeyMissing,
    TestKeysRefused,
)
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_wallet
from cardio.products.maintenance import MaintenanceSources, maintain_pin, open_environment, open_wallet, select_pin
from cardio.security.keyring import Keyring
from cardio.security.keys import Family
from cardio.security.maintenance import MaintenanceKey, ReloadMac
from cardio.virtual.building import find_directory
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.fmcos_access import FmcosAccess, FmcosChoices
from cardio.virtual.fmcos_keys import FmcosKey, KeyKind
from cardio.virtual.products import example_card
from tests.applications.maintaining import (
    NEW,
    PIN,
    SHIPPED,
    has_pin,
    issuer_keys,
    listened,
    sources,
    use_up_tries,
)
from tests.applications.presenting import present

SOCIAL: dict[str, Callable[[], VirtualCard]] = {
    "2.0": social_security_card,
    "3.0, SM4": lambda: example_card(SHIPPED["ssc-3.0"]),
    "1.0": lambda: example_card(SHIPPED["ssc-1.0"]),
}
WALLETS: dict[str, Callable[[], VirtualCard]] = {
    "3DES": lambda: citizen_card(native=True),
    "SM4": lambda: citizen_card(native=True, algorithm=Algorithm.SM4),
    "T-Union": lambda: example_card(SHIPPED["transit-jtt978"]),
    "CJ/T 166": lambda: example_card(SHIPPED["transit-cjt166"]),
}


@pytest.fixture(params=SOCIAL.values(), ids=list(SOCIAL))
def social(request: pytest.FixtureRequest) -> VirtualCard:
    """A social security card."""
    found: VirtualCard = request.param()
    return found


@pytest.fixture(params=[WALLETS["3DES"], WALLETS["T-Union"], WALLETS["CJ/T 166"]], ids=["3DES", "T-Union", "CJ/T 166"])
def wallet(request: pytest.FixtureRequest) -> VirtualCard:
    """A wallet that decides as FMCOS does."""
    found: VirtualCard = request.param()
    return found


def environment(card: VirtualCard, keys: Keyring | None = None) -> SocialSecurityMaintenance:
    return open_environment(present(card), SHIPPED, sources(keys)).maintenance


def purse(card: VirtualCard, keys: Keyring | None = None, *, blocked_too: bool = False) -> WalletMaintenance:
    return open_wallet(present(card), SHIPPED, sources(keys), blocked_too=blocked_too).maintenance


# ---- social security cards ---------------------------------------------------------------------------------------


def test_a_blocked_pin_of_a_social_security_card_is_unblocked_without_it(social: VirtualCard) -> None:
    use_up_tries(social)
    environment(social).unblock_pin()
    assert has_pin(social, PIN)


def test_a_social_security_card_gets_a_new_pin(social: VirtualCard) -> None:
    use_up_tries(social)
    environment(social).reload_pin(NEW)
    assert has_pin(social, NEW)
    with pytest.raises(PinLength):
        environment(social).reload_pin("123")


@pytest.mark.parametrize("directory", ["DF03", "DF04"])
def test_an_application_is_blocked_for_ever(directory: str) -> None:
    card = example_card(SHIPPED["ssc-2.0"])
    with pytest.raises(OperationUnsupported):
        environment(card).block_application(directory, forever=False)
    environment(card).block_application(directory, forever=True)
    with pytest.raises(ApplicationBlocked):
        environment(card).block_application(directory, forever=True)
    assert has_pin(card, PIN)


def test_only_directories_with_a_key_for_it_can_be_blocked() -> None:
    card = example_card(SHIPPED["ssc-2.0"])
    for directory in ("DF01", "DF99"):
        with pytest.raises(OperationUnsupported, match=directory):
            environment(card).block_application(directory, forever=True)
    lacking = social_security_card()
    with pytest.raises(FileNotFound):
        environment(lacking).block_application("DF03", forever=True)


def test_a_card_is_blocked_for_ever(social: VirtualCard) -> None:
    with pytest.raises(OperationUnsupported):
        environment(social).block_card(forever=False)
    environment(social).block_card(forever=True)
    with pytest.raises(CardError):
        environment(social)


def test_wrong_keys_change_nothing(social: VirtualCard) -> None:
    use_up_tries(social)
    with pytest.raises(AuthenticationFailed):
        environment(social, issuer_keys(wrong=("PUK",))).unblock_pin()
    with pytest.raises(MaintenanceRefused):
        environment(social, issuer_keys(wrong=("STKSSSE",))).reload_pin(NEW)
    assert social.pin is not None
    assert social.pin.tries_left == 0
    environment(social).unblock_pin()
    assert has_pin(social, PIN)


# ---- wallets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", WALLETS.values(), ids=WALLETS)
def test_commands_of_a_wallet_are_taken_by_the_card(make: Callable[[], VirtualCard]) -> None:
    """SM4 too, whose shipped products there are none of: the selection is the same."""
    card = make()
    connection = present(card)
    found = find_wallet(connection, SHIPPED)
    assert found is not None
    algorithm = Algorithm.SM4 if make is WALLETS["SM4"] else found.part.algorithm
    factors = found.part.factors.factors(found.application.public)
    maintenance = WalletMaintenance(
        ProtectedCommands(connection, issuer_keys(), Family.PBOC, algorithm, factors), ReloadMac.PIN_ONLY
    )
    use_up_tries(card)
    maintenance.unblock_pin(PIN)
    assert pin_state(connection) == PinState(is_set=True, tries_left=3)
    maintenance.reload_pin(NEW)
    verify_pin(connection, NEW)
    maintenance.block_application(forever=False)
    maintenance.unblock_application()
    maintenance.block_card(forever=True)
    with pytest.raises(CardError):
        find_wallet(connection, SHIPPED)


def test_a_wallet_is_unblocked_by_its_pin(wallet: VirtualCard) -> None:
    use_up_tries(wallet)
    with pytest.raises(PinRequired):
        purse(wallet).unblock_pin()
    with pytest.raises(PinUnblockRefused):
        purse(wallet).unblock_pin(NEW)
    purse(wallet).unblock_pin(PIN)
    assert has_pin(wallet, PIN)


def test_a_wallet_whose_unblock_replaces_has_the_pin_that_was_given() -> None:
    card = citizen_card(native=True)
    security = security_of(card)
    security.choices = FmcosChoices(unblock_replaces=True)
    use_up_tries(card)
    purse(card).unblock_pin(NEW)
    assert has_pin(card, NEW)


def security_of(card: VirtualCard) -> FmcosAccess:
    found = card.security_of(find_directory(card, "ADF1"))
    assert isinstance(found, FmcosAccess)
    return found


def test_a_wallet_gets_a_new_pin(wallet: VirtualCard) -> None:
    use_up_tries(wallet)
    purse(wallet).reload_pin(NEW)
    assert has_pin(wallet, NEW)


def test_what_the_mac_of_reload_covers_is_the_products_affair() -> None:
    card = citizen_card(native=True)
    security_of(card).choices = FmcosChoices(reload_mac=ReloadMac.WHOLE_COMMAND)
    with pytest.raises(MaintenanceRefused):
        purse(card).reload_pin(NEW)
    product = SHIPPED["citizen-wallet"]
    assert product.wallet is not None
    part = product.wallet.model_copy(update={"reload_mac": ReloadMac.WHOLE_COMMAND})
    catalogue = Catalogue([product.model_copy(update={"wallet": part})])
    open_wallet(present(card), catalogue, sources()).maintenance.reload_pin(NEW)
    assert has_pin(card, NEW)


@pytest.mark.parametrize("status", [0x9000, 0x6A81])
def test_a_blocked_wallet_refuses_work_until_it_is_unblocked(wallet: VirtualCard, status: int) -> None:
    security_of(wallet).choices = FmcosChoices(blocked_status=status)
    purse(wallet).block_application(forever=False)
    if status != 0x9000:
        with pytest.raises(ApplicationBlocked):
            purse(wallet)
    purse(wallet, blocked_too=True).unblock_application()
    assert has_pin(wallet, PIN)


def test_a_wallet_that_is_blocked_for_ever_stays_so(wallet: VirtualCard) -> None:
    purse(wallet).block_application(forever=True)
    for blocked_too in (False, True):
        with pytest.raises(ApplicationBlocked):
            purse(wallet, blocked_too=blocked_too)


def test_a_wrong_mac_is_sent_once(wallet: VirtualCard) -> None:
    wrong = issuer_keys(wrong=(MaintenanceKey.LINE,))
    with pytest.raises(MaintenanceRefused):
        purse(wallet, wrong).block_application(forever=True)
    (line,) = line_keys(wallet)
    assert line.tries_left == line.max_tries - 1
    purse(wallet).block_application(forever=False)
    purse(wallet, blocked_too=True).unblock_application()


def line_keys(card: VirtualCard) -> list[FmcosKey]:
    security = security_of(card)
    return [key for key in security.key_files["ADF1"].keys if key.kind is KeyKind.LINE]


def test_a_wallets_card_is_blocked_for_ever(wallet: VirtualCard) -> None:
    with pytest.raises(OperationUnsupported):
        purse(wallet).block_card(forever=False)
    purse(wallet).block_card(forever=True)
    with pytest.raises(CardError):
        purse(wallet)


# ---- which keys, which card --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [social_security_card, lambda: citizen_card(native=True)], ids=["social", "wallet"])
def test_without_keys_nothing_is_sent_but_the_selection(make: Callable[[], VirtualCard]) -> None:
    card = make()
    connection, sent = listened(card)
    maintenance = maintain_pin(connection, SHIPPED, MaintenanceSources(), PIN)
    sent.clear()
    for act in (partial(maintenance.unblock_pin, PIN), partial(maintenance.reload_pin, NEW)):
        with pytest.raises(MaintenanceKeysMissing):
            act()
    with pytest.raises(MaintenanceKeysMissing):
        maintenance.block_card(forever=True)
    assert sent == []


def test_macs_without_authentication_keys_are_not_enough_for_a_social_security_card() -> None:
    only_macs = MaintenanceSources(None, issuer_keys())
    maintenance = open_environment(present(social_security_card()), SHIPPED, only_macs).maintenance
    with pytest.raises(SamAbsent):
        maintenance.unblock_pin()
    lacking = Keyring("lacking", {}, test=True)
    maintenance = open_environment(present(social_security_card()), SHIPPED, sources(lacking)).maintenance
    with pytest.raises(SamKeyMissing):
        maintenance.unblock_pin()


@pytest.mark.parametrize("make", [social_security_card, lambda: citizen_card(native=True)], ids=["social", "wallet"])
def test_test_keys_never_meet_a_real_card(make: Callable[[], VirtualCard], monkeypatch: pytest.MonkeyPatch) -> None:
    connection = present(make())
    monkeypatch.setattr(type(connection.channel), "virtual", False)
    maintenance = maintain_pin(connection, SHIPPED, sources(), None)
    with pytest.raises(TestKeysRefused):
        maintenance.reload_pin(NEW)
    with pytest.raises(TestKeysRefused):
        maintenance.block_card(forever=True)
    with pytest.raises(PinNotAllowed):
        maintain_pin(connection, SHIPPED, sources(), PIN)


def test_a_card_without_the_application_is_told_so() -> None:
    with pytest.raises(OperationUnsupported):
        open_environment(present(citizen_card()), SHIPPED, sources())
    with pytest.raises(OperationUnsupported):
        open_wallet(present(social_security_card()), SHIPPED, sources())
    with pytest.raises(CardUnsupported):
        select_pin(present(citizen_card()), Catalogue([SHIPPED["ssc-2.0"]]))


def test_the_pin_of_a_combined_card_is_the_social_security_one() -> None:
    card = example_card(SHIPPED["combined"])
    maintenance = maintain_pin(present(card), SHIPPED, sources(), None)
    assert isinstance(maintenance, SocialSecurityMaintenance)
    maintenance.reload_pin(NEW)
    assert has_pin(card, NEW)


# ---- faults in the middle ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT, Fault.CUT_AFTER])
@pytest.mark.parametrize(
    ("make", "command"),
    [(social_security_card, "8424"), (lambda: citizen_card(native=True), "805E")],
    ids=["social", "wallet"],
)
def test_a_reload_whose_answer_was_lost_is_put_right_by_another(
    make: Callable[[], VirtualCard], command: str, fault: Fault
) -> None:
    card = make()
    use_up_tries(card)
    card.faults = FaultPlan(fault, only=command)
    with pytest.raises(PinChangeUnknown):
        maintain_pin(present(card), SHIPPED, sources(), NEW).reload_pin(NEW)
    maintain_pin(present(card), SHIPPED, sources(), NEW).reload_pin(NEW)
    assert has_pin(card, NEW)
