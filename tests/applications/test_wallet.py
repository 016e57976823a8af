"""Finding the wallet, its public data and its keys' factors (EW §1, §2.3, §4.2)."""

import pytest

from cardio.applications.wallet import FactorScheme, WalletApplication, WalletSelection
from cardio.errors import ApplicationBlocked, CardDataInvalid, FileNotFound
from cardio.files.wallet.applications import WALLET_NAME
from cardio.files.wallet.public import PublicData
from cardio.purse.wallet import WalletPurse
from tests.applications.presenting import SELECTION, WALLET_RULES
from tests.purse.scripted import scripted
from tests.virtual.vectors import Exchange, PurchaseVector, ep_purchases

EF15 = "999900000000000103010000860000000000012320260601203512315566"
SELECT_NAME = "00A4040009A0000000038698070100"
SELECT_3F01 = "00A40000023F0100"
SELECT_1001 = "00A4000002100100"
READ_EF15 = "00B0950000"
BLOCKS = ("6A81", "6283", "9303")


def fci(public: str, version: str = "") -> str:
    size = len(public) // 2
    proprietary = f"{version}9F0C{size:02X}{public}"
    content = f"8409A00000000386980701A5{len(proprietary) // 2:02X}{proprietary}"
    return f"6F{len(content) // 2:02X}{content}9000"


def opened(*script: Exchange, selection: WalletSelection = SELECTION) -> WalletApplication:
    card, channel = scripted(*script)
    application = WalletApplication.open(card, selection, WALLET_RULES)
    channel.assert_finished()
    return application


@pytest.mark.parametrize("version", ["", "9F08020102", "500450424F43"])
def test_public_data_come_from_the_fci(version: str) -> None:
    application = opened(Exchange(SELECT_NAME, fci(EF15, version)))
    assert application.public.serial == "00008600000000000123"
    assert isinstance(application.purse, WalletPurse)


def test_longer_public_data_are_taken_by_their_head() -> None:
    public = opened(Exchange(SELECT_NAME, fci(EF15 + "00000001"))).public
    assert isinstance(public, PublicData)
    assert public.trailing == bytes.fromhex("00000001")


@pytest.mark.parametrize("answer", ["6F0B8409A000000003869807019000", "9000", fci(EF15[:58]), fci("")])
def test_public_data_are_read_where_the_fci_lacks_them(answer: str) -> None:
    application = opened(Exchange(SELECT_NAME, answer), Exchange(READ_EF15, EF15 + "9000"))
    assert application.public.serial == "00008600000000000123"


def test_file_of_another_length_is_read_as_the_card_says() -> None:
    application = opened(
        Exchange(SELECT_NAME, "9000"),
        Exchange(READ_EF15, "6C22"),
        Exchange("00B0950022", EF15 + "000000019000"),
    )
    assert isinstance(application.public, PublicData)
    assert application.public.trailing == bytes.fromhex("00000001")


def test_identifiers_are_tried_in_order_where_the_name_is_unknown() -> None:
    selection = WalletSelection(WALLET_NAME, (0x3F01, 0x1001), FactorScheme.SERIAL, enable_flag=False)
    opened(
        Exchange(SELECT_NAME, "6A82"),
        Exchange(SELECT_3F01, "6A82"),
        Exchange(SELECT_1001, fci(EF15)),
        selection=selection,
    )
    opened(Exchange(SELECT_NAME, "6A82"), Exchange(SELECT_3F01, fci(EF15)), selection=selection)


def test_card_without_the_wallet_says_so() -> None:
    with pytest.raises(FileNotFound):
        opened(Exchange(SELECT_NAME, "6A82"), Exchange(SELECT_3F01, "6A82"))


@pytest.mark.parametrize("status", BLOCKS)
def test_blocked_wallet_is_not_looked_for_elsewhere(status: str) -> None:
    with pytest.raises(ApplicationBlocked):
        opened(Exchange(SELECT_NAME, status))


def test_malformed_public_data_are_an_error() -> None:
    with pytest.raises(CardDataInvalid):
        opened(Exchange(SELECT_NAME, "9000"), Exchange(READ_EF15, EF15[:58] + "9000"))


@pytest.mark.parametrize(("flag", "enabled"), [("00", False), ("01", True), ("02", False), ("03", True)])
def test_enable_flag_counts_only_where_the_product_says_so(flag: str, enabled: bool) -> None:
    public = EF15[:18] + flag + EF15[20:]
    flagged = WalletSelection(WALLET_NAME, (), FactorScheme.SERIAL, enable_flag=True)
    opened(Exchange(SELECT_NAME, fci(public)))
    if enabled:
        opened(Exchange(SELECT_NAME, fci(public)), selection=flagged)
        return
    with pytest.raises(ApplicationBlocked):
        opened(Exchange(SELECT_NAME, fci(public)), selection=flagged)


def test_key_of_a_wallet_is_issuer_and_serial_number() -> None:
    application = opened(Exchange(SELECT_NAME, fci(EF15)))
    assert application.key == bytes.fromhex("9999000000000001") + b"00008600000000000123"


# ---- factors -----------------------------------------------------------------------------------------------------


def public_data(issuer: str, serial: str) -> PublicData:
    return PublicData.decode(bytes.fromhex(issuer + "0301" + serial + EF15[40:]))


@pytest.mark.parametrize(
    ("scheme", "issuer", "vector_id"),
    [
        (FactorScheme.SERIAL, "9999000000000001", "3des-purchase-ep"),
        (FactorScheme.ISSUER_SERIAL, "02313750FFFFFFFF", "3des-purchase-two-level-tunion"),
        (FactorScheme.CITY_SERIAL, "4170200001010000", "3des-purchase-two-level-mohurd"),
    ],
)
def test_factor_scheme_gives_the_factors_of_its_vector(scheme: FactorScheme, issuer: str, vector_id: str) -> None:
    vector: PurchaseVector
    (vector,) = (vector for vector in ep_purchases() if vector.name == vector_id)
    assert scheme.factors(public_data(issuer, "03104170001234567890")) == vector.factors


def test_every_factor_has_eight_bytes_and_the_card_comes_last() -> None:
    public = public_data("9999000000000001", "03104170001234567890")
    for scheme in FactorScheme:
        factors = scheme.factors(public)
        assert {len(factor) for factor in factors} == {8}
        assert factors[-1] == bytes.fromhex("4170001234567890")
