"""A PKCS#11 token as a source of authentication keys: a real SoftHSM2, made for these tests."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pkcs11
import pytest

from cardio.apdu.connection import CardConnection
from cardio.crypto.ciphers import Algorithm
from cardio.errors import HsmFailed, SamKeyMissing
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.security.hsm import Hsm, HsmKey
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.products import example_card
from tests.cli.test_cli import cardio
from tests.security.softhsm import MODULE, PIN, TOKEN
from tests.security.test_keyring import order

INTERNAL = ("IRK", "32D9E876ADB31BBF", "DBF7A936D0D18C9E", "D37A16ADCA76F60A")


@pytest.mark.parametrize(("label", "levels"), [("spec-root", 3), ("spec-city", 1), ("spec-card", 0)])
def test_authentication_data_are_those_of_the_specification_at_every_level(token: str, label: str, levels: int) -> None:
    key, factor, original, expected = INTERNAL
    hsm = Hsm(MODULE, token, PIN, {key: HsmKey(label, levels)})
    assert hsm.authenticate(order(key, Algorithm.TRIPLE_DES, factor, original)).hex().upper() == expected
    hsm.close()


def test_roots_cannot_be_read_out_of_the_token(token: str) -> None:
    with pkcs11.lib(str(MODULE)).get_token(token_label=token).open(user_pin=PIN) as session:
        (key,) = session.get_objects({pkcs11.Attribute.LABEL: "spec-root"})
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            _ = key[pkcs11.Attribute.VALUE]


def test_a_card_proves_itself_and_opens_its_files_with_the_token(hsm: Hsm) -> None:
    catalogue = Catalogue.load()
    card = CardConnection(EmbeddedReader("counter", example_card(catalogue["ssc-2.0"])).connect())
    readings = CardReading(card, catalogue, keys=hsm).read([Group.CARD, Group.INSURANCE])
    content = readings[Group.CARD].content
    assert isinstance(content, dict)
    assert content["authenticity"] == {"status": "genuine"}
    insurance = readings[Group.INSURANCE].content
    assert isinstance(insurance, dict)
    assert insurance["pension"]["status"] == "known"


def test_the_command_reads_with_the_token(token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    monkeypatch.setenv("CARDIO_HSM_PIN_FILE", str(pin))
    arguments = ("read", "--reader", "virtual", "--product", "ssc-2.0", "--group", "card", "--json")
    done = cardio(*arguments, "--hsm", f"{MODULE}:{token}")
    assert json.loads(done.stdout)["card"]["data"]["authenticity"] == {"status": "genuine"}
    assert cardio(*arguments, "--hsm", "nonsense").exit_code == 2
    assert cardio(*arguments, "--hsm", f"{MODULE}:{token}", "--keyring", str(pin)).exit_code == 2
    missing = cardio(*arguments, "--hsm", f"{MODULE}:atlantis")
    assert (missing.exit_code, "hsm.failed" in missing.stderr) == (6, True)


def test_what_a_token_lacks_is_missing(hsm: Hsm) -> None:
    with pytest.raises(SamKeyMissing, match="3DES only"):
        hsm.authenticate(order("IRK", Algorithm.SM4, "00" * 8, "00" * 8))
    lacking = Hsm(MODULE, TOKEN, PIN, {"IRK": HsmKey("nowhere", 3)})
    with pytest.raises(SamKeyMissing, match="nowhere"):
        lacking.authenticate(order("IRK", Algorithm.TRIPLE_DES, "00" * 8, "00" * 8))
    lacking.close()


@pytest.mark.parametrize(
    ("module", "label", "pin", "said"),
    [
        (Path("/no/such/module.so"), TOKEN, PIN, "cannot be loaded"),
        (MODULE, "atlantis", PIN, "no token is named atlantis"),
        (MODULE, TOKEN, "11112222", "the PIN is wrong"),
    ],
)
def test_a_token_that_cannot_be_opened_says_why_and_no_secret(
    token: str, caplog: pytest.LogCaptureFixture, module: Path, label: str, pin: str, said: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(HsmFailed, match=said) as caught:
        Hsm(module, label, pin)
    assert pin not in str(caught.value) + caplog.text


# The library's search objects complain when the session under them is gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_broke_is_opened_anew(hsm: Hsm) -> None:
    key, factor, original, _ = INTERNAL
    asked = order(key, Algorithm.TRIPLE_DES, factor, original)
    before = hsm.authenticate(asked)
    hsm._session.close()
    with pytest.raises(HsmFailed):
        hsm.authenticate(asked)
    assert hsm.authenticate(asked) == before


def test_several_threads_share_a_token(hsm: Hsm) -> None:
    key, factor, original, _ = INTERNAL
    asked = order(key, Algorithm.TRIPLE_DES, factor, original)
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(hsm.authenticate(asked))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_test_tokens_are_told_by_their_label(hsm: Hsm) -> None:
    assert (hsm.name, hsm.test) == ("hsm:test-city", True)
    assert PIN not in repr(hsm)
