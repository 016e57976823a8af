"""Root keys in memory and in an encrypted file; the authentication data they make (SSC §9.3)."""

from pathlib import Path

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import KeyringInvalid, SamKeyMissing
from cardio.security.authentication import AuthenticationOrder
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family, SamApplication

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
FACTORS = (bytes.fromhex("3531303030307368"), bytes.fromhex("3531393930307378"), bytes.fromhex("86605199000001AC"))
SAM = SamApplication(Family.LDT, bytes.fromhex("DF01"), 0x1C, 3)
PASSPHRASE = "correct horse"


def order(key: str, algorithm: Algorithm, factor: str, original: str) -> AuthenticationOrder:
    return AuthenticationOrder(CARD_KEYS[key], SAM, algorithm, FACTORS, bytes.fromhex(factor), bytes.fromhex(original))


@pytest.mark.parametrize(
    ("key", "factor", "original", "triple_des", "sm4"),
    [
        ("IRK", "32D9E876ADB31BBF", "DBF7A936D0D18C9E", "D37A16ADCA76F60A", "8E276A4B66C148E9"),
        ("RKSSSE", "98B4D293D091C331", "E603E2CAADAF02B6", "C19097635C8A7E4A", "E22DF1EADB14A960"),
        ("UK2DF01", "1122334455667788", "0102030405060708", "B444279D30BB1208", "9EE4AB14DC3A3AFE"),
    ],
)
def test_authentication_data_are_those_of_the_specification(
    key: str, factor: str, original: str, triple_des: str, sm4: str
) -> None:
    keyring = Keyring("test", {key: RootKey(ROOT, 3)}, test=True)
    assert keyring.authenticate(order(key, Algorithm.TRIPLE_DES, factor, original)).hex().upper() == triple_des
    assert keyring.authenticate(order(key, Algorithm.SM4, factor, original)).hex().upper() == sm4


@pytest.mark.parametrize(
    ("levels", "root"),
    [
        (3, "0123456789ABCDEFFEDCBA9876543210"),
        (2, "1ECE88D67B41FDA68DD49246736851AE"),
        (1, "A72F39A2C5EC2D76139500193807F79F"),
        (0, "91FA66C7FAEBB77353E749A57FD42676"),
    ],
)
def test_a_root_of_any_level_gives_the_same_card_key(levels: int, root: str) -> None:
    keyring = Keyring("test", {"IRK": RootKey(bytes.fromhex(root), levels)}, test=True)
    asked = order("IRK", Algorithm.TRIPLE_DES, "32D9E876ADB31BBF", "DBF7A936D0D18C9E")
    assert keyring.authenticate(asked).hex().upper() == "D37A16ADCA76F60A"


def test_a_key_that_is_not_there_is_missing() -> None:
    with pytest.raises(SamKeyMissing, match="RKSSSE"):
        Keyring("test", {}, test=True).authenticate(order("RKSSSE", Algorithm.SM4, "00" * 8, "00" * 8))


@pytest.mark.parametrize(("key", "levels"), [(b"short", 1), (ROOT, 4), (ROOT, -1)])
def test_a_root_key_has_a_size_and_a_level(key: bytes, levels: int) -> None:
    with pytest.raises(ValueError, match="root key"):
        RootKey(key, levels)


# ---- the file ----------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    Keyring("city", {"IRK": RootKey(ROOT, 3)}, test=False).save(path, PASSPHRASE)
    return path


def test_a_saved_keyring_is_loaded_with_its_passphrase(file: Path) -> None:
    loaded = Keyring.load(file, PASSPHRASE)
    assert (loaded.name, loaded.test) == ("keyring:city", False)
    asked = order("IRK", Algorithm.TRIPLE_DES, "32D9E876ADB31BBF", "DBF7A936D0D18C9E")
    assert loaded.authenticate(asked).hex().upper() == "D37A16ADCA76F60A"


def test_no_key_stands_in_the_file_or_in_a_repr(file: Path) -> None:
    assert ROOT.hex() not in file.read_text().lower()
    assert ROOT.hex() not in repr(RootKey(ROOT, 3))


def test_the_file_is_the_owners_alone_and_refused_otherwise(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    with pytest.raises(KeyringInvalid, match="0600"):
        Keyring.load(file, PASSPHRASE)


def test_a_wrong_passphrase_is_refused(file: Path) -> None:
    with pytest.raises(KeyringInvalid, match="passphrase"):
        Keyring.load(file, "wrong horse")


@pytest.mark.parametrize(("old", "new"), [('"n": 32768', '"n": 16384'), ('"sealed": "', '"sealed": "00')])
def test_a_changed_file_is_refused(file: Path, old: str, new: str) -> None:
    changed = file.read_text().replace(old, new)
    assert changed != file.read_text()
    file.write_text(changed)
    with pytest.raises(KeyringInvalid):
        Keyring.load(file, PASSPHRASE)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "other"}', '{"format": "cardio-keyring-1"}'])
def test_a_file_that_is_no_keyring_is_refused(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(KeyringInvalid):
        Keyring.load(file, PASSPHRASE)


def test_a_missing_file_is_refused_and_an_existing_one_not_overwritten(file: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="No such file"):
        Keyring.load(tmp_path / "none.json", PASSPHRASE)
    with pytest.raises(KeyringInvalid, match="exists"):
        Keyring("city", {}, test=True).save(file, PASSPHRASE)
