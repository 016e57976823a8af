"""`cardiod serve` with what its file says is connected: keys in an HSM, a load host, a serial SAM box, a display."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cardio.products.catalogue import Catalogue
from cardio.security.keyring import Keyring
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually, wallet_of
from tests.daemon.processes import PATIENCE, post, serving
from tests.faults.hsm_token import own_token
from tests.faults.world import roots
from tests.security.softhsm import MODULE, PIN, TOKEN
from tests.transport.serial_box import SerialBox
from tests.transport.test_serial_display import DisplaySimulator

pytestmark = pytest.mark.pcsc
PASSPHRASE = "correct horse"
SALE = {"purse": "wallet", "amount_fen": 1234, "reference": "sale", "wait_s": 20}


def secret(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.touch(0o600)
    file.write_text(content)
    return file


def configuration(folder: Path, content: str) -> Path:
    file = folder / "cardiod.toml"
    file.write_text(content)
    return file


def test_keys_in_an_hsm_a_load_host_and_a_display_serve_a_citizen_card(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    product = next(one for one in Catalogue.load() if one.id == "citizen-wallet")
    Keyring("host", roots(product), test=True).save(tmp_path / "host.keyring", PASSPHRASE)
    (tmp_path / "hsm").mkdir()
    card = citizen_card(balance_fen=10000)
    with closing(DisplaySimulator()) as display, own_token(tmp_path / "hsm"):
        file = configuration(
            tmp_path,
            f"""
            [terminal]
            number = "000000000042"
            [hsm]
            module = "{MODULE}"
            token = "{TOKEN}"
            pin_file = "{secret(tmp_path, "pin", PIN)}"
            [load_host]
            adapter = "software"
            keyring.file = "{tmp_path / "host.keyring"}"
            keyring.passphrase_file = "{secret(tmp_path, "passphrase", PASSPHRASE)}"
            [display]
            port = "{display.device}"
            """,
        )
        with serving(tmp_path, arguments=["--config", str(file)]), VpcdLink(card, port=pcscd.port(0)):
            eventually(lambda: display.lines == ["欢迎光临", ""], PATIENCE)
            paid = post(tmp_path / "socket", "/v1/debit", SALE, "k").json()
            assert (paid["state"], paid["terminal_number"]) == ("completed", "000000000042")
            eventually(lambda: display.lines == ["已付           12.34", "余额           87.66"])
            refused = post(tmp_path / "socket", "/v1/debit", {**SALE, "amount_fen": 99999}, "l").json()
            assert refused["code"] == "funds.insufficient"
            eventually(lambda: display.lines == ["未扣款", ""])
            load = {**SALE, "amount_fen": 5000, "pin": "123456"}
            assert post(tmp_path / "socket", "/v1/load", load, "m").json()["state"] == "completed"
            eventually(lambda: display.lines == ["请取走卡片", ""])
        eventually(lambda: display.lines == ["", ""])
    assert wallet_of(card).balance == 10000 - 1234 + 5000


def test_a_psam_in_a_serial_box_serves_cards_in_pcsc_readers(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    with closing(SerialBox({(1, 0): psam()})) as box:
        file = configuration(
            tmp_path,
            f"""
            [[serial_readers]]
            port = "{box.device}"
            baud = 115200
            slots = [{{ name = "SAM box" }}]
            """,
        )
        with (
            serving(tmp_path, arguments=["--config", str(file)]),
            VpcdLink(citizen_card(balance_fen=10000), port=pcscd.port(0)),
        ):
            paid: Any = post(tmp_path / "socket", "/v1/debit", SALE, "k").json()
            assert paid["state"] == "completed", paid
            assert box.seen.commands
