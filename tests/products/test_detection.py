"""Which product lies in the reader."""

import pytest

from cardio.errors import ApplicationBlocked, CardRemoved, CardUnsupported, PinNotAllowed
from cardio.products.catalogue import Catalogue
from cardio.products.detection import check_caller_pin, find_social_security, find_wallet, identify
from cardio.products.model import PinPart
from cardio.purse.operation import PurseKind
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.received import Received, Status
from tests.products.conftest import Present, card_of_version, combined_card
from tests.purse.scripted import scripted

OTHER_NAME = bytes.fromhex("A000000003869807FF")


def test_citizen_card_is_known(catalogue: Catalogue, present: Present) -> None:
    found = identify(present(citizen_card()), catalogue)
    assert [product.id for product in found.products] == ["citizen-wallet"]
    assert found.purses == {PurseKind.WALLET}
    assert found.masked == "****0123"


def test_social_security_card_is_known(catalogue: Catalogue, present: Present) -> None:
    found = identify(present(social_security_card()), catalogue)
    assert [product.id for product in found.products] == ["ssc-2.0"]
    assert found.purses == {PurseKind.MEDICAL}
    assert found.masked == "****0126"


def test_card_with_both_is_known_as_both(catalogue: Catalogue, present: Present) -> None:
    found = identify(present(combined_card()), catalogue)
    assert [product.id for product in found.products] == ["ssc-2.0", "citizen-wallet"]
    assert found.purses == {PurseKind.MEDICAL, PurseKind.WALLET}
    assert found.masked == "****0126"


def test_detection_spends_no_try_and_needs_no_pin(catalogue: Catalogue, present: Present) -> None:
    for card in (citizen_card(), social_security_card(), combined_card()):
        connection = present(card)
        identify(connection, catalogue)
        assert connection.counts["VERIFY"] == 0


def test_card_without_a_known_application_is_unsupported(catalogue: Catalogue, present: Present) -> None:
    with pytest.raises(CardUnsupported):
        identify(present(psam()), catalogue)


@pytest.mark.parametrize("version", ["2.00", "2.01", "2.0"])
def test_version_is_told_by_its_first_three_characters(catalogue: Catalogue, present: Present, version: str) -> None:
    found = find_social_security(present(card_of_version(version)), catalogue)
    assert found is not None
    assert found.product.id == "ssc-2.0"


@pytest.mark.parametrize(("version", "product"), [("3.00", "ssc-3.0"), ("1.00", "ssc-1.0"), (None, "ssc-1.0")])
def test_each_version_has_its_product(
    catalogue: Catalogue, present: Present, version: str | None, product: str
) -> None:
    """A card without item 03 is one of version 1.0 (SSC §1)."""
    found = find_social_security(present(card_of_version(version)), catalogue)
    assert found is not None
    assert found.product.id == product


@pytest.mark.parametrize(("version", "named"), [("4.00", "4.0"), ("abcd", "abc"), ("2.10", "2.1")])
def test_version_that_no_product_knows_is_named(
    catalogue: Catalogue, present: Present, version: str | None, named: str
) -> None:
    with pytest.raises(CardUnsupported, match=f"version {named}"):
        find_social_security(present(card_of_version(version)), catalogue)


def test_card_without_a_version_belongs_to_the_products_of_version_1(present: Present, catalogue: Catalogue) -> None:
    product = catalogue["ssc-2.0"]
    assert product.social_security is not None
    part = product.social_security.model_copy(update={"versions": ("1.0",)})
    old = product.model_copy(update={"id": "ssc-1.0", "social_security": part})
    found = find_social_security(present(card_of_version(None)), Catalogue([product, old]))
    assert found is not None
    assert found.product.id == "ssc-1.0"


def test_nothing_is_asked_when_no_product_has_the_application(catalogue: Catalogue) -> None:
    connection, script = scripted()
    assert find_social_security(connection, Catalogue([catalogue["citizen-wallet"]])) is None
    assert find_wallet(connection, Catalogue([catalogue["ssc-2.0"]])) is None
    script.assert_finished()


def test_wallet_is_found_by_identifier_where_the_name_is_unknown(catalogue: Catalogue, present: Present) -> None:
    card = citizen_card()
    card.master_file.directories[0].name = OTHER_NAME
    connection = present(card)
    found = find_wallet(connection, catalogue)
    assert found is not None
    assert found.product.id == "citizen-wallet"
    assert connection.counts["SELECT"] == 3  # both names of the catalogue, then the identifier


def test_wallets_are_tried_in_the_order_of_the_catalogue(catalogue: Catalogue, present: Present) -> None:
    known = catalogue["citizen-wallet"]
    assert known.wallet is not None
    part = known.wallet.model_copy(update={"aid": OTHER_NAME, "identifiers": ()})
    other = known.model_copy(update={"id": "other-wallet", "wallet": part})
    twin = known.model_copy(update={"id": "twin-wallet"})
    for products, expected, selections in (
        ([other, known], "citizen-wallet", 2),
        ([known, other], "citizen-wallet", 1),
        ([twin, known], "twin-wallet", 1),
    ):
        connection = present(citizen_card())
        found = find_wallet(connection, Catalogue(products))
        assert found is not None
        assert found.product.id == expected
        assert connection.counts["SELECT"] == selections


def test_name_that_several_products_share_is_tried_once(catalogue: Catalogue, present: Present) -> None:
    known = catalogue["citizen-wallet"]
    twin = known.model_copy(update={"id": "twin-wallet"})
    connection = present(psam())
    assert find_wallet(connection, Catalogue([known, twin])) is None
    assert connection.counts["SELECT"] == 2  # the name and the identifier


def test_blocked_wallet_is_no_missing_wallet(catalogue: Catalogue, present: Present) -> None:
    card = citizen_card()

    class Blocked:
        def execute(self, command: Received) -> bytes | None:
            raise Status(0x6A81)

        def reset(self) -> None:
            """Nothing to forget."""

    card.master_file.function = Blocked()
    with pytest.raises(ApplicationBlocked):
        find_wallet(present(card), catalogue)


def test_card_that_leaves_is_not_taken_for_an_unknown_one(catalogue: Catalogue, present: Present) -> None:
    def hook(moment: Moment, command: Received) -> None:
        raise CardRemoved("torn by the test")

    for card in (citizen_card(), social_security_card()):
        card.hook = hook
        with pytest.raises(CardRemoved):
            identify(present(card), catalogue)


# ---- the caller's PIN --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("virtual", "caller"), [(True, False), (False, True)])
def test_caller_may_hand_over_a_pin_to_a_virtual_card_or_where_the_product_says_so(
    catalogue: Catalogue, virtual: bool, caller: bool
) -> None:
    product = catalogue["ssc-2.0"].model_copy(update={"pin": PinPart(caller=caller)})
    connection, script = scripted()
    script.virtual = virtual
    check_caller_pin(connection, product, "123456")


def test_caller_may_not_hand_over_the_pin_of_a_real_card(catalogue: Catalogue) -> None:
    connection, script = scripted()
    script.virtual = False
    with pytest.raises(PinNotAllowed):
        check_caller_pin(connection, catalogue["ssc-2.0"], "123456")
    check_caller_pin(connection, catalogue["ssc-2.0"], None)
