"""`cardio card replace-keys` on virtual cards; on a real pcscd see tests/pcsc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import Result

from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.globalplatform.layout import Protocol
from cardio.personalize.key_store import KeyStore
from cardio.personalize.register import Register
from cardio.security import keyring
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.issuing_keys import issuer_test_keyring
from tests.cli.test_cli import cardio
from tests.personalize.java_cards import layout_text, write_layout

PASSPHRASE = "correct horse battery"
KEYS = ("WALLET-DAMK", "WALLET-DPUK", "WALLET-DRPK", "WALLET-DTK", "WALLET-DPK", "WALLET-DLK", "WALLET-AMK")
"""Those of the wallet's directory, its master last."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(keyring.COST, "n", 2**10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys_in_file(name: str, *, test: bool = True) -> str:
    """A file with new keys for a wallet."""
    roots = {key: RootKey(bytes(range(number, number + 16)), 1) for number, key in enumerate(KEYS, 32)}
    KeyStore.create(Path(name), PASSPHRASE, Keyring(Path(name).stem, roots, test=test))
    return name


def replace(*arguments: str, typed: str = f"{PASSPHRASE}\n", directory: str = "ADF1") -> Result:
    command = ("card", "replace-keys", directory, "--product", "citizen-wallet", "--reader", "virtual", *arguments)
    return cardio(*command, stdin=typed)


def attempts() -> list[Attempt]:
    if not Path("cards.db").exists():
        return []
    register = Register(Path("cards.db"))
    try:
        register.verify()
        return register.attempts()
    finally:
        register.close()


def test_a_virtual_card_gets_new_keys_and_their_check_values_are_shown() -> None:
    done = replace("--new-keyring", keys_in_file("new.keys"))
    assert done.exit_code == 0, done.output
    (attempt,) = attempts()
    assert attempt.state is CardState.FINISHED
    shown = [f"ADF1/{key}: {attempt.kcvs[f'ADF1/{key}']}" for key in KEYS]
    assert done.stdout.splitlines()[-1 - len(shown) : -1] == shown
    assert "7 个密钥已更换 keys replaced" in done.stdout


def test_json_says_the_same_and_one_key_can_be_replaced_alone() -> None:
    new = keys_in_file("new.keys")
    done = replace("--new-keyring", new, "--key", "WALLET-DPK", "--json")
    document = json.loads(done.stdout)
    (attempt,) = attempts()
    assert document == {"job": attempt.job, "attempt": 1, "state": "finished", "kcvs": attempt.kcvs}
    assert set(attempt.kcvs) == {"ADF1/WALLET-DPK", "ADF1/WALLET-AMK"}


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "told"),
    [
        ((), "", 2, "--new-keyring FILE, or --new-hsm-keys FILE"),
        (("--new-keyring", "new.keys", "--new-hsm-keys", "x.toml"), "", 2, "--new-keyring FILE, or --new-hsm-keys"),
        (("--new-hsm-keys", "x.toml"), "", 2, "--new-hsm-keys FILE with --hsm"),
        (("--new-keyring", "none.keys"), "x\n", 6, "none.keys: No such file"),
        (("--new-keyring", "new.keys"), "wrong\n", 6, "keyring.invalid"),
        (("--new-keyring", "new.keys", "--key", "DPK"), f"{PASSPHRASE}\n", 2, "no key DPK; it has WALLET-"),
        (("--new-keyring", "new.keys", "--keyring", "new.keys"), f"{PASSPHRASE}\n{PASSPHRASE}\n", 2, "none is new"),
        (("--new-keyring", "real.keys"), f"{PASSPHRASE}\n", 2, "--operator NAME twice"),
        (("--new-keyring", "new.keys", "--layout", "none.toml"), f"{PASSPHRASE}\n", 2, "none.toml: No such file"),
    ],
)
def test_what_is_wrong_is_told_before_any_card_is_touched(
    arguments: tuple[str, ...], typed: str, code: int, told: str
) -> None:
    keys_in_file("new.keys")
    keys_in_file("real.keys", test=False)
    done = replace(*arguments, typed=typed)
    assert (done.exit_code, told in done.stderr) == (code, True), done.output
    assert (attempts(), PASSPHRASE in done.output) == ([], False)


def test_another_directory_is_told_with_those_that_there_are() -> None:
    done = replace("--new-keyring", keys_in_file("new.keys"), directory="DF04")
    assert (done.exit_code, "it has MF, ADF1" in done.stderr) == (2, True), done.output


def test_a_java_cards_layout_is_refused(tmp_path: Path) -> None:
    layout = write_layout(tmp_path, layout_text(Protocol.SCP03))
    done = replace("--new-keyring", keys_in_file("new.keys"), "--layout", str(layout))
    assert (done.exit_code, "keys of JavaCards are not replaced" in done.stderr) == (2, True), done.output
    assert attempts() == []


def test_keys_of_two_files_are_asked_for_by_the_files_names() -> None:
    KeyStore.create(Path("old.keys"), "another passphrase", issuer_test_keyring())
    new = keys_in_file("new.keys")
    done = replace("--keyring", "old.keys", "--new-keyring", new, typed=f"another passphrase\n{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    assert done.stderr.index("old.keys: ") < done.stderr.index("new.keys: ")
