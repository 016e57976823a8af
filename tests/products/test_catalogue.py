"""Product files: which are found, and what is said of a wrong one."""

from pathlib import Path

import pytest

from cardio.applications.wallet import FactorScheme
from cardio.crypto.ciphers import Algorithm
from cardio.errors import ProductInvalid
from cardio.products import catalogue as catalogue_module
from cardio.products.catalogue import Catalogue, load_product
from cardio.purse.purse import CounterRule
from cardio.security.keys import Family, SamApplication

CITY = """\
id = "some-city"

[title]
zh = "某市"
en = "some city"

[wallet]
aid = "A00000000386980701"
factors = "city-serial"
files = ["public-cjt166-30", "log"]
proof_number = "before"
log_number = "after"
max_amount_fen = 5000
confirmed = false

[wallet.sam]
selector = "1001"
key_index_sfi = 23
levels = 2
"""


def write(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(content, encoding="utf-8")
    return file


def wrong(folder: Path, content: str, name: str = "some-city.toml") -> str:
    """What is said of a wrong product file."""
    file = write(folder, name, content)
    with pytest.raises(ProductInvalid) as caught:
        load_product(file)
    assert caught.value.detail.startswith(f"{name}: ")
    return caught.value.detail


SHIPPED = {
    "ssc-1.0",
    "ssc-2.0",
    "ssc-3.0",
    "ssc-employer",
    "citizen-wallet",
    "transit-cjt166",
    "transit-jtt978",
    "combined",
}


def test_shipped_products_are_found(catalogue: Catalogue) -> None:
    assert {product.id for product in catalogue} == SHIPPED


def test_shipped_wallet_product(catalogue: Catalogue) -> None:
    wallet = catalogue["citizen-wallet"].wallet
    assert wallet is not None
    rules = wallet.rules(Family.PBOC)
    assert rules.sam == SamApplication(Family.PBOC, bytes.fromhex("1001"), 0x17, 1)
    assert (rules.proof_number, rules.log_number) == (CounterRule.AFTER, CounterRule.AFTER)
    assert (rules.algorithm, rules.confirmed) == (Algorithm.TRIPLE_DES, True)
    selection = wallet.selection()
    assert (selection.aid.hex(), selection.identifiers) == ("a00000000386980701", (0x3F01,))
    assert (selection.factors, selection.enable_flag) == (FactorScheme.SERIAL, False)


def test_shipped_social_security_product(catalogue: Catalogue) -> None:
    product = catalogue["ssc-2.0"]
    assert product.social_security is not None
    assert product.medical is not None
    assert product.social_security.versions == ("2.0",)
    rules = product.medical.rules(Family.LDT)
    assert rules.sam == SamApplication(Family.LDT, bytes.fromhex("DF01"), 0x1C, 2)
    assert (rules.proof_number, rules.log_number) == (CounterRule.AFTER, CounterRule.BEFORE)
    assert rules.max_amount_fen == 0xFFFFFFFE
    assert not product.pin.caller


def test_folders_add_products(tmp_path: Path) -> None:
    write(tmp_path / "city", "some-city.toml", CITY)
    loaded = Catalogue.load(tmp_path / "city")
    assert loaded["some-city"].title.zh == "某市"
    assert {"citizen-wallet", "ssc-2.0"} <= {product.id for product in loaded}
    with pytest.raises(KeyError):
        loaded["another-city"]


def test_later_folder_replaces_a_product_of_the_same_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, amount in (("system", 5001), ("first", 5002), ("second", 5003)):
        write(tmp_path / folder, "some-city.toml", CITY.replace("5000", str(amount)))
    monkeypatch.setattr(catalogue_module, "SYSTEM_FOLDER", tmp_path / "system")

    def limit(*folders: str) -> int:
        wallet = Catalogue.load(*(tmp_path / folder for folder in folders))["some-city"].wallet
        assert wallet is not None
        return wallet.max_amount_fen

    assert limit() == 5001
    assert limit("first") == 5002
    assert limit("first", "second") == 5003
    assert limit("second", "first") == 5002


def test_replaced_product_is_there_only_once(tmp_path: Path) -> None:
    write(tmp_path / "city", "citizen-wallet.toml", CITY.replace("some-city", "citizen-wallet"))
    loaded = Catalogue.load(tmp_path / "city")
    assert [product.title.en for product in loaded if product.id == "citizen-wallet"] == ["some city"]


def test_other_files_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "city", "notes.txt", "not a product")
    Catalogue.load(tmp_path / "city")


def test_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProductInvalid, match="missing is not a folder"):
        Catalogue.load(tmp_path / "missing")


def test_right_product_is_loaded(tmp_path: Path) -> None:
    product = load_product(write(tmp_path, "some-city.toml", CITY))
    assert product.wallet is not None
    assert product.wallet.factors is FactorScheme.CITY_SERIAL
    assert product.medical is None
    assert product.social_security is None


@pytest.mark.parametrize(
    ("line", "wrong_line", "key", "reason"),
    [
        ("confirmed = false", "confirmed = false\nconfirmd = true", "wallet.confirmd", "not permitted"),
        ('id = "some-city"', 'id = "some-city"\ncolour = 1', "colour", "not permitted"),
        ("confirmed = false\n", "", "wallet.confirmed", "required"),
        ('proof_number = "before"\n', "", "wallet.proof_number", "required"),
        ('zh = "某市"\n', "", "title.zh", "required"),
        ('id = "some-city"\n', "", "id", "required"),
        ('aid = "A0', 'aid = "A', "wallet.aid", "hex"),
        ('aid = "A0', 'aid = "X0', "wallet.aid", "hex"),
        ('selector = "1001"', "selector = 1001", "wallet.sam.selector", "hex digits"),
        ("levels = 2", "levels = 4", "wallet.sam.levels", "less than or equal to 3"),
        ("levels = 2", "levels = 0", "wallet.sam.levels", "greater than or equal to 1"),
        ("key_index_sfi = 23", "key_index_sfi = 31", "wallet.sam.key_index_sfi", "less than or equal to 30"),
        ("5000", "0", "wallet.max_amount_fen", "greater than or equal to 1"),
        ("5000", "2147483648", "wallet.max_amount_fen", "less than or equal to 2147483647"),
        ('"city-serial"', '"moon-serial"', "wallet.factors", "issuer-serial"),
        ('proof_number = "before"', 'proof_number = "both"', "wallet.proof_number", "'before' or 'after'"),
        ('log_number = "after"', 'log_number = "after"\nalgorithm = "ssf33"', "wallet.algorithm", "sm4"),
        ('id = "some-city"', 'id = "Some City"', "id", "pattern"),
    ],
)
def test_wrong_key_is_named_with_file_and_reason(
    tmp_path: Path, line: str, wrong_line: str, key: str, reason: str
) -> None:
    assert CITY.count(line) >= 1
    detail = wrong(tmp_path, CITY.replace(line, wrong_line, 1))
    assert f": {key}: " in detail
    assert reason in detail


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    detail = wrong(tmp_path, CITY.replace("levels = 2", "levels = 9").replace('"before"', '"never"'))
    assert "wallet.sam.levels" in detail
    assert "wallet.proof_number" in detail


@pytest.mark.parametrize("amount", [1, 0x7FFFFFFF])
def test_limits_of_the_largest_purchase_are_allowed(tmp_path: Path, amount: int) -> None:
    wallet = load_product(write(tmp_path, "some-city.toml", CITY.replace("5000", str(amount)))).wallet
    assert wallet is not None
    assert wallet.rules(Family.PBOC).max_amount_fen == amount


MEDICAL = (
    CITY.replace("[wallet", "[medical")
    .replace('aid = "A00000000386980701"\n', "")
    .replace('factors = "city-serial"\nfiles = ["public-cjt166-30", "log"]\n', "")
    + '[social_security]\ncard = "ssc-2.0"\nversions = ["2.0"]\n'
)


def test_medical_amounts_end_below_the_largest_number(tmp_path: Path) -> None:
    assert load_product(write(tmp_path, "some-city.toml", MEDICAL.replace("5000", "4294967294"))).medical
    assert "medical.max_amount_fen" in wrong(tmp_path, MEDICAL.replace("5000", "4294967295"))


def test_off_line_settlements_are_for_cards_that_count_them(tmp_path: Path) -> None:
    """EF06 of a 1.0 card has other items under the same tags (SSC §3.2)."""
    offline = MEDICAL.replace("confirmed = false", "confirmed = false\ntemporary_offline = true")
    for content, expected in ((MEDICAL, False), (offline, True)):
        medical = load_product(write(tmp_path, "some-city.toml", content)).medical
        assert medical is not None
        assert medical.temporary_offline is expected
    assert "temporary_offline" in wrong(tmp_path, offline.replace("2.0", "1.0"))


def test_id_must_be_the_name_of_the_file(tmp_path: Path) -> None:
    assert ": id: " in wrong(tmp_path, CITY, "other-city.toml")


def test_what_is_not_toml_is_said_with_its_line(tmp_path: Path) -> None:
    assert "line 3" in wrong(tmp_path, CITY.replace("[title]", "[title"))


def test_what_is_not_utf8_is_said(tmp_path: Path) -> None:
    file = tmp_path / "some-city.toml"
    file.write_bytes(CITY.encode("gbk"))
    with pytest.raises(ProductInvalid, match=r"some-city\.toml: .*utf-8"):
        load_product(file)


def test_one_wrong_file_keeps_the_catalogue_from_loading(tmp_path: Path) -> None:
    write(tmp_path / "city", "some-city.toml", CITY.replace("levels", "level"))
    with pytest.raises(ProductInvalid, match=r"some-city\.toml: wallet\.sam\.level"):
        Catalogue.load(tmp_path / "city")
