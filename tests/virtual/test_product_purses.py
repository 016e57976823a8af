"""Example cards of every shipped product pay with the one virtual PSAM, and are loaded with the test roots."""

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.cryptograms import online_grant, online_seed
from cardio.crypto.factors import city_factor
from cardio.files.wallet.composite import EF17_COMPOSITE
from cardio.files.wallet.tunion import EF1A_COMPOSITE
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, WalletPurseName
from cardio.security.keys import Family
from cardio.virtual import roots
from cardio.virtual.building import find_directory
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.products import PURSE, example_card
from cardio.virtual.wallet import WalletFunction
from tests.virtual.till import TERMINAL, TIME
from tests.virtual.wire import SELECT_DF04, VERIFY_RIGHT, complete

PRODUCTS = list(Catalogue.load())


def with_algorithm(product: Product, algorithm: Algorithm) -> Product:
    assert product.wallet is not None
    return product.model_copy(update={"wallet": product.wallet.model_copy(update={"algorithm": algorithm})})


WALLETS = [
    pytest.param(with_algorithm(product, algorithm), id=f"{product.id} {algorithm.value}")
    for product in PRODUCTS
    if product.wallet is not None
    for algorithm in Algorithm
]
ACCOUNTS = [pytest.param(product, id=product.id) for product in PRODUCTS if product.medical is not None]


def selected(selector: bytes) -> VirtualCard:
    """The PSAM with an application selected."""
    sam = psam()
    if len(selector) == 2:
        assert complete(sam, f"00A4000002{selector.hex()}00").endswith("9000")
    else:
        assert complete(sam, f"00A40400{len(selector):02X}{selector.hex()}00").endswith("9000")
    return sam


def wallet_of(product: Product) -> tuple[VirtualCard, WalletFunction, list[bytes]]:
    """An example card with its wallet selected; its factors, card first."""
    assert product.wallet is not None
    card = example_card(product)
    directory = find_directory(card, PURSE)
    assert isinstance(directory.function, WalletFunction)
    aid = product.wallet.aid
    assert complete(card, f"00A40400{len(aid):02X}{aid.hex()}00").endswith("9000")
    selection = product.wallet.selection()
    public = selection.decode_public(directory.file(0x15).data)
    return card, directory.function, list(reversed(selection.factors.factors(public)))


@pytest.mark.parametrize("product", WALLETS)
def test_wallet_pays_with_the_psam_of_all_products(product: Product) -> None:
    assert product.wallet is not None
    card, function, factors = wallet_of(product)
    sam = selected(product.wallet.sam.selector)
    index = complete(sam, f"00B0{0x80 | product.wallet.sam.key_index_sfi:02X}0001")[:2]
    # SM4 keys lie 40 above (EW §4.9).
    index = f"{int(index, 16) + (0x40 if product.wallet.algorithm is Algorithm.SM4 else 0):02X}"
    opened = complete(card, f"805001020B{index}000000C8{TERMINAL}0F")
    assert opened.endswith("9000")
    order = f"{opened[22:30]}{opened[8:12]}000000C806{TIME}{opened[18:22]}{b''.join(factors).hex()}"
    assert len(factors) == product.wallet.sam.levels
    answer = complete(sam, f"80700000{len(order) // 2:02X}{order}08")
    assert answer.endswith("9000")
    paid = complete(card, f"805401000F{answer[:8]}{TIME}{answer[8:16]}08")
    assert complete(sam, f"8072000004{paid[8:16]}") == "9000"
    assert function.balance == 9800


@pytest.mark.parametrize("product", WALLETS)
def test_wallet_is_loaded_with_the_test_root(product: Product) -> None:
    card, function, factors = wallet_of(product)
    assert product.wallet is not None
    assert function.load_needs_pin is product.wallet.load_pin
    index = roots.KEY_INDEX + roots.sm4_offset(function.suite)
    if product.wallet.load_pin:
        complete(card, VERIFY_RIGHT)
    opened = complete(card, f"805000020B{index:02X}000000C8{TERMINAL}10")
    assert opened.endswith("9000")
    key = function.suite.diversify(roots.test_root(roots.WALLET_ROOT, "DLK"), reversed(factors))
    session = function.suite.session_key(key, online_seed(bytes.fromhex(opened[-20:-12]), int(opened[8:12], 16)))
    time = bytes.fromhex(TIME)
    signed = online_grant(bytes.fromhex("000000C8"), 0x02, bytes.fromhex(TERMINAL), time)
    mac2 = function.suite.mac(session, signed)
    assert complete(card, f"805200000B{TIME}{mac2.hex()}04").endswith("9000")
    assert function.balance == 10200


@pytest.mark.parametrize("product", ACCOUNTS)
def test_account_pays_with_the_psam_of_all_products(product: Product) -> None:
    assert product.medical is not None
    assert product.social_security is not None
    card = example_card(product)
    sam = selected(product.medical.sam.selector)
    name = product.social_security.name
    complete(card, f"00A40400{len(name):02X}{name.hex()}")
    complete(card, SELECT_DF04)
    assert complete(card, VERIFY_RIGHT) == "9000"
    opened = complete(card, f"B02801011301{0:08X}{1000:08X}{800:08X}{TERMINAL}16")
    assert opened.endswith("9000"), opened
    factors = card.atr[-8:].hex() + city_factor("999900").hex()
    order = f"{opened[36:44]}{opened[28:32]}{0:08X}{1000:08X}{800:08X}32{TIME}{opened[32:36]}{factors}"
    answer = complete(sam, f"80700100{len(order) // 2:02X}{order}08")
    paid = complete(card, f"B02C01000F{answer[:8]}{TIME}{answer[8:16]}08")
    assert complete(sam, f"8072000004{paid[8:16]}") == "9000"
    function = card.current.function
    assert isinstance(function, MedicalFunction)
    assert function.keys.load.keys() == function.keys.purchase.keys()


def test_tunion_cards_begin_with_open_records_of_metro_bus_and_bicycle() -> None:
    (product,) = (product for product in PRODUCTS if product.id == "transit-jtt978")
    card, _, _ = wallet_of(product)
    (file,) = (file for file in card.current.files if file.declaration == EF1A_COMPOSITE)
    assert [record[:6].hex() for record in file.records] == ["27017d010100", "27027d010100", "27067d010100"]
    assert all(len(record) == 128 and not any(record[6:]) for record in file.records)
    assert complete(card, "00B202D480").startswith("27027D010100")


def test_cjt166_cards_begin_with_open_records_of_bus_and_bicycle() -> None:
    (product,) = (product for product in PRODUCTS if product.id == "transit-cjt166")
    card, _, _ = wallet_of(product)
    (file,) = (file for file in card.current.files if file.declaration == EF17_COMPOSITE)
    assert [record[:3].hex() for record in file.records] == ["012e00", "042e00"]
    assert {len(record) for record in file.records} == {48}


def test_product_may_keep_its_money_in_the_passbook() -> None:
    (product,) = (product for product in PRODUCTS if product.id == "citizen-wallet")
    assert product.wallet is not None
    wallet = product.wallet.model_copy(update={"purse": WalletPurseName.PASSBOOK})
    _, function, _ = wallet_of(product.model_copy(update={"wallet": wallet}))
    assert function.passbook is not None
    assert (function.passbook.balance, function.balance) == (10000, 0)


def test_ready_made_citizen_card_may_have_a_passbook_and_keys_for_everything() -> None:
    card = citizen_card(passbook_fen=7000, overdraft_fen=2000, algorithm=Algorithm.SM4)
    function = card.master_file.directories[0].function
    assert isinstance(function, WalletFunction)
    assert function.passbook is not None
    assert (function.passbook.balance, function.passbook.overdraft_limit) == (7000, 2000)
    keys = function.keys
    assert [one.keys() for one in (keys.purchase, keys.load, keys.unload, keys.overdraft)] == [{0x41}] * 4
    plain = citizen_card().master_file.directories[0].function
    assert isinstance(plain, WalletFunction)
    assert plain.passbook is None


@pytest.mark.parametrize("algorithm", Algorithm)
def test_ready_made_account_has_a_load_key(algorithm: Algorithm) -> None:
    card = social_security_card(algorithm=algorithm)
    found = [d.function for d in card.master_file.walk() if isinstance(d.function, MedicalFunction)]
    assert [function.keys.load.keys() for function in found] == [{1}]


def test_families_of_all_psam_applications_are_as_the_products_say() -> None:
    for product in PRODUCTS:
        for part, family in ((product.wallet, Family.PBOC), (product.medical, Family.LDT)):
            if part is not None:
                function = selected(part.sam.selector).current.function
                assert getattr(function, "family", None) is family
