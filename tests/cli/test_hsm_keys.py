"""`--hsm`: cards are made by a real SoftHSM2 token as docs/keys.md says, and `--hsm-keys` tells what its keys are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.cli.hsm_keys import load_hsm_keys
from cardio.cli.key_sources import HSM_PIN_FILE
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import InputInvalid
from cardio.personalize.attempts import CardState
from cardio.personalize.example_job import example_job
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.security.hsm import HsmKey
from cardio.security.issuing import CardKeyReference, KeyringIssuingKeys
from cardio.virtual.issuing_keys import issuer_test_keyring
from tests.cli import issuer_token
from tests.cli.issuer_token import CITY_KEY, CITY_LABEL
from tests.cli.test_cli import cardio
from tests.faults.hsm_token import own_token
from tests.security.softhsm import MODULE, PIN, TOKEN

TEST_KEYS = KeyringIssuingKeys(issuer_test_keyring())
CARDIO = Path(sys.executable).with_name("cardio")
HSM = ("--hsm", f"{MODULE}:{TOKEN}")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A token for other processes; their environment."""
    folder = tmp_path_factory.mktemp("token")
    pin = folder / "pin"
    pin.write_text(PIN + "\n")
    with own_token(folder, issuer_token.__name__):
        yield {**os.environ, HSM_PIN_FILE: str(pin)}


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """What the operator says of the token."""
    file = tmp_path / "token.toml"
    file.write_text(f"[{CITY_KEY}]\nlabel = '{CITY_LABEL}'\nlevels = 1\n")
    return file


def run(token: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: a PKCS#11 library knows one configuration in a process."""
    return subprocess.run([CARDIO, *arguments], env=token, cwd=folder, capture_output=True, text=True, check=False)


def job(folder: Path, product: str) -> str:
    """A job of one card."""
    file = folder / "job.jsonl"
    file.write_text(cardio("personalize", "--example", "--product", product, "--cards", "1").stdout)
    return str(file)


def example_factor(product: str) -> bytes:
    """What makes the keys of the first card of an example job: the last 8 bytes of its wallet's number."""
    maker = Personalizer(Catalogue.load()[product], TEST_KEYS)
    serial = example_job(maker.product, maker.layout, 1)[1][0].wallet_serial
    assert serial is not None
    return bytes.fromhex(serial)[-8:]


def states(folder: Path) -> list[CardState]:
    """How far the cards of the register are."""
    register = Register(folder / "cards.db")
    try:
        return [attempt.state for attempt in register.attempts()]
    finally:
        register.close()


def test_a_token_without_any_file_makes_a_wallet(token: dict[str, str], tmp_path: Path) -> None:
    rows = job(tmp_path, "citizen-wallet")
    done = run(token, tmp_path, "personalize", rows, "--product", "citizen-wallet", "--reader", "virtual", *HSM)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == [CardState.FINISHED]
    mailed = run(token, tmp_path, "mailer", rows, "--product", "citizen-wallet", "--out", "mail.csv", *HSM)
    assert mailed.returncode == 0, mailed.stderr


def test_a_token_with_a_citys_key_makes_a_social_security_card(
    token: dict[str, str], tmp_path: Path, told: Path
) -> None:
    arguments = ["personalize", job(tmp_path, "ssc-2.0"), "--product", "ssc-2.0", "--reader", "virtual", *HSM]
    missing = run(token, tmp_path, *arguments)
    assert missing.returncode != 0
    assert CITY_KEY in missing.stderr
    done = run(token, tmp_path, *arguments, "--hsm-keys", str(told))
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == [CardState.FINISHED]


def test_the_commands_for_cards_in_use_get_the_file_too(token: dict[str, str], tmp_path: Path) -> None:
    arguments = ("read", "--reader", "virtual", "--product", "ssc-2.0", "--group", "card", "--json", *HSM)
    (tmp_path / "token.toml").write_text("IRK = { label = 'nowhere' }\n")
    without, with_file = run(token, tmp_path, *arguments), run(token, tmp_path, *arguments, "--hsm-keys", "token.toml")
    proofs = [json.loads(done.stdout)["card"]["data"]["authenticity"] for done in (without, with_file)]
    assert proofs[0] == {"status": "genuine"}
    assert (proofs[1]["status"], proofs[1]["error"]["code"]) == ("unchecked", "sam.key-missing")


@pytest.mark.parametrize(
    "command",
    ["personalize", "verify", "mailer", "pin unblock", "pin reload", "card block", "card block-application", "update"],
)
def test_every_command_with_a_token_takes_the_file(command: str) -> None:
    shown = cardio(*command.split(), "--help").stdout
    assert ("--hsm " in shown, "--hsm-keys" in shown) == (True, True)


def test_keys_that_cards_share_have_level_0_unless_the_file_says_another(tmp_path: Path, told: Path) -> None:
    assert load_hsm_keys(None, ["TRANSPORT"]) == {"TRANSPORT": HsmKey("TRANSPORT", 0)}
    file = tmp_path / "more.toml"
    file.write_text("TRANSPORT.label = 'maker'\nBATCH.levels = 1\nWALLET-DLK.label = 'load'\n")
    assert load_hsm_keys(file, ["TRANSPORT", "BATCH"]) == {
        "TRANSPORT": HsmKey("maker", 0),
        "BATCH": HsmKey("BATCH", 1),
        "WALLET-DLK": HsmKey("load"),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("DLK = 3", "DLK"),
        ("DLK.level = 1", "DLK.level"),
        ("DLK.levels = 4", "DLK.levels"),
        ("DLK.levels = true", "DLK.levels"),
        ("DLK.label = ''", "DLK.label"),
        ("= 1", "token.toml"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_name_and_reason(told: Path, content: str, said: str) -> None:
    told.write_text(content)
    with pytest.raises(InputInvalid, match=said):
        load_hsm_keys(told, [])


def test_a_file_that_is_not_there_or_stands_without_a_token_is_refused(tmp_path: Path, told: Path) -> None:
    with pytest.raises(InputInvalid, match="No such file"):
        load_hsm_keys(tmp_path / "nowhere.toml", [])
    done = cardio("read", "--reader", "virtual", "--hsm-keys", str(told))
    assert (done.exit_code, "--hsm" in done.stderr) == (2, True)


def test_new_keys_come_out_of_the_same_token_by_other_labels(token: dict[str, str], tmp_path: Path) -> None:
    names = [f"WALLET-{name}" for name in ("AMK", "DAMK", "DPUK", "DRPK", "DTK", "DPK", "DLK")]
    new = tmp_path / "new.toml"
    new.write_text("".join(f"[{name}]\nlabel = '{names[at - 1]}'\n" for at, name in enumerate(names)))
    asked = ("card", "replace-keys", "ADF1", "--product", "citizen-wallet", "--reader", "virtual", *HSM)
    done = run(token, tmp_path, *asked, "--new-hsm-keys", str(new), "--json")
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == [CardState.FINISHED]
    suite, factor = PbocSuite(Algorithm.TRIPLE_DES), example_factor("citizen-wallet")
    expected = {
        f"ADF1/{name}": TEST_KEYS.kcv(CardKeyReference(names[at - 1], suite, (factor,))).hex().upper()
        for at, name in enumerate(names)
    }
    assert json.loads(done.stdout)["kcvs"] == expected
