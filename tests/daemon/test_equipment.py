"""Sections of the configuration about what is connected: what is refused, and that no secret is ever shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cardio.security.keyring import Keyring, RootKey
from cardiod.main import app
from tests.faults.hsm_token import own_token
from tests.security.softhsm import MODULE, PIN, TOKEN
from tests.transport.serial_box import Far

PASSPHRASE = "correct horse"
TEXT = "a secret of the tests"


def check(tmp_path: Path, content: str) -> Any:
    """`cardiod config check` on a file."""
    file = tmp_path / "cardiod.toml"
    file.write_text(f"journal = '{tmp_path / 'journal.db'}'\n{content}", encoding="utf-8")
    return CliRunner().invoke(app, ["config", "check", "--config", str(file)])


def secret(tmp_path: Path, content: str = TEXT, mode: int = 0o600) -> Path:
    """A file with a secret."""
    file = tmp_path / f"secret-{len(list(tmp_path.iterdir()))}"
    file.touch(mode)
    file.write_text(content + "\n", encoding="utf-8")
    return file


def keyring(tmp_path: Path, *, test: bool = True, name: str = "keys") -> str:
    """A keyring file; its section."""
    file = tmp_path / f"{name}.keyring"
    Keyring(name, {"DPK": RootKey(bytes(16), 1)}, test=test).save(file, PASSPHRASE)
    return f"file = '{file}'\npassphrase_file = '{secret(tmp_path, PASSPHRASE)}'\n"


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[str]:
    """A token; its section."""
    folder = tmp_path / "token"
    folder.mkdir()
    with own_token(folder):
        yield f"[hsm]\nmodule = '{MODULE}'\ntoken = '{TOKEN}'\npin_file = '{secret(tmp_path, PIN)}'\n"


# ---- all is well -----------------------------------------------------------------------------------------------


def test_what_is_connected_is_opened_and_shown_without_its_secrets(tmp_path: Path, hsm: str) -> None:
    with closing(Far()) as box, closing(Far()) as display:
        result = check(
            tmp_path,
            f"""
            log_level = "warning"
            [terminal]
            number = "000000000042"
            key_indexes = {{ pboc = 3 }}
            {hsm}
            [hsm.keys]
            DPK = {{ label = "our-DPK", levels = 2 }}
            [keyring]
            {keyring(tmp_path)}
            [load_host]
            adapter = "software"
            max_amount_fen = 100000
            [load_host.keyring]
            {keyring(tmp_path, name="host")}
            [[serial_readers]]
            port = "{box.device}"
            slots = [{{ name = "SAM box", slot = 1 }}, {{ name = "SAM box 2", interface = 2, polled = false }}]
            [display]
            port = "{display.device}"
            """,
        )
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["terminal"] == {"number": "000000000042", "key_indexes": {"pboc": 3}}
    assert shown["hsm"]["keys"] == {"DPK": {"label": "our-DPK", "levels": 2}}
    assert [slot["name"] for slot in shown["serial_readers"][0]["slots"]] == ["SAM box", "SAM box 2"]
    assert shown["load_host"]["max_amount_fen"] == 100000
    assert shown["display"]["kind"] == "text"
    for one in (PIN, PASSPHRASE):
        assert one not in result.output


def test_a_secret_may_be_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = keyring(tmp_path)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "words").write_text(PASSPHRASE)  # with a mode that an access list would show
    content = f"[keyring]\nfile = '{tmp_path / 'keys.keyring'}'\npassphrase_file = 'credential:words'\n"
    assert section
    without = check(tmp_path, content)
    assert without.exit_code == 2
    assert "LoadCredential=words:" in without.output
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert check(tmp_path, content).exit_code == 0


def test_a_variable_replaces_a_whole_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDIO_TERMINAL", '{"number": "000000000007"}')
    result = check(tmp_path, "[terminal]\nnumber = '000000000042'")
    assert json.loads(result.stdout)["terminal"]["number"] == "000000000007"


def test_the_state_folder_of_systemd_holds_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "cardiod.toml").write_text("")
    result = CliRunner().invoke(app, ["config", "check", "--config", str(tmp_path / "cardiod.toml")])
    assert json.loads(result.stdout)["journal"] == str(tmp_path / "journal.db")


# ---- secrets that are not kept -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", [f"pin = '{TEXT}'", f"pin_file = '{TEXT}'", f"pin_file = 'credential:{TEXT}/x'", f"pin_file = ['{TEXT}']"]
)
def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    result = check(tmp_path, f"[hsm]\nmodule = '{MODULE}'\ntoken = 'x'\n{line}\n")
    assert result.exit_code == 2
    assert "hsm.pin" in result.output
    assert TEXT not in result.output


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = secret(tmp_path)
    file.chmod(mode)
    result = check(tmp_path, f"[keyring]\nfile = '/none'\npassphrase_file = '{file}'")
    assert result.exit_code == 2
    assert "0600" in result.output


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"\xff\xfe", "not text"), (None, "No such file")])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = secret(tmp_path)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    result = check(tmp_path, f"[keyring]\nfile = '/none'\npassphrase_file = '{file}'")
    assert result.exit_code == 2
    assert said in result.output


def test_a_key_for_tls_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    file = secret(tmp_path)
    file.chmod(0o644)
    files = f"tls_certificate = '{file}'\ntls_key = '{file}'\ntls_client_ca = '{file}'"
    result = check(tmp_path, f"tls_listen = '127.0.0.1:0'\n{files}")
    assert result.exit_code == 2
    assert "tls_key" in result.output
    assert "0660" in result.output


# ---- keys --------------------------------------------------------------------------------------------------------


def test_a_wrong_pin_of_the_hsm_is_6_and_not_shown(tmp_path: Path, hsm: str) -> None:
    wrong = secret(tmp_path, "00000000")
    result = check(tmp_path, f"{hsm}".replace(hsm.split("pin_file = ")[1].strip(), f"'{wrong}'"))
    assert result.exit_code == 6
    assert "hsm.failed" in result.output
    assert "00000000" not in result.output


@pytest.mark.parametrize(
    ("lines", "said"),
    [("module = '/none.so'\ntoken = 'x'", "/none.so"), (f"module = '{MODULE}'\ntoken = 'elsewhere'", "elsewhere")],
)
def test_an_hsm_that_is_not_there_is_6(tmp_path: Path, hsm: str, lines: str, said: str) -> None:
    result = check(tmp_path, f"[hsm]\n{lines}\npin_file = '{secret(tmp_path)}'")
    assert result.exit_code == 6
    assert said in result.output


def test_a_wrong_passphrase_is_6_and_not_shown(tmp_path: Path) -> None:
    keyring(tmp_path)
    wrong = secret(tmp_path)
    result = check(tmp_path, f"[keyring]\nfile = '{tmp_path / 'keys.keyring'}'\npassphrase_file = '{wrong}'")
    assert result.exit_code == 6
    assert "keyring.invalid" in result.output
    assert TEXT not in result.output


def test_test_keys_and_others_do_not_mix(tmp_path: Path, hsm: str) -> None:
    result = check(tmp_path, f"{hsm}\n[keyring]\n{keyring(tmp_path, test=False)}")
    assert "keys.test-only" in result.output
    assert result.exit_code == 4


# ---- load hosts --------------------------------------------------------------------------------------------------

ADAPTER = """
class Host:
    name, test = "mine", False
    def __init__(self, options): self.options = options

def make(options):
    if options.get("refuse"):
        raise ValueError(options["refuse"])
    return Host(options)
"""


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's own adapter, installed as any Python package is."""
    site = tmp_path / "site"
    (site / "mine-1.dist-info").mkdir(parents=True)
    (site / "mine_host.py").write_text(ADAPTER)
    (site / "mine-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (site / "mine-1.dist-info" / "entry_points.txt").write_text(
        "[cardio.load_hosts]\nmine = mine_host:make\ngone = mine_host:nothing\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "mine_host", raising=False)


@pytest.mark.usefixtures("adapter")
def test_an_operators_adapter_is_found_and_its_options_are_not_shown(tmp_path: Path) -> None:
    result = check(tmp_path, f"[load_host]\nadapter = 'mine'\n[load_host.options]\naddress = '{TEXT}'")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["load_host"] == {
        "adapter": "mine",
        "keyring": None,
        "max_amount_fen": None,
        "options": {"address": "…"},
    }
    assert TEXT not in result.output


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("adapter = 'other'", "there are: gone, mine, software"),
        ("adapter = 'gone'", "AttributeError"),
        (f"adapter = 'mine'\noptions = {{ refuse = '{TEXT}' }}", "ValueError"),
        ("adapter = 'mine'\nmax_amount_fen = 1", "an adapter takes options"),
        ("adapter = 'software'", "needs keyring"),
    ],
)
def test_a_load_host_that_cannot_be_used_is_2(tmp_path: Path, lines: str, said: str) -> None:
    result = check(tmp_path, f"[load_host]\n{lines}")
    assert result.exit_code == 2
    assert said in result.output
    assert TEXT not in result.output


def test_the_software_host_takes_no_real_keys(tmp_path: Path) -> None:
    section = keyring(tmp_path, test=False)
    result = check(tmp_path, f"[load_host]\nadapter = 'software'\n[load_host.keyring]\n{section}")
    assert result.exit_code == 2
    assert "test keys only" in result.output


# ---- serial ports ------------------------------------------------------------------------------------------------

BOX = "[[serial_readers]]\nport = '/dev/null'\nslots = [{ name = 'SAM' }]\n"


@pytest.mark.parametrize("section", ["[display]\nport = ", "[[serial_readers]]\nslots = [{ name = 'x' }]\nport = "])
def test_a_port_that_is_none_is_3(tmp_path: Path, section: str) -> None:
    (tmp_path / "file").touch()
    for port, said in ((tmp_path / "none", "No such file"), (tmp_path / "file", "no serial port")):
        result = check(tmp_path, f"{section}'{port}'")
        assert result.exit_code == 3
        assert said in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[serial_readers]]\nport = '/dev/null'", "serial_readers.0.slots"),
        ("[[serial_readers]]\nport = '/dev/null'\nslots = []", "serial_readers.0.slots"),
        (BOX + BOX.replace("null", "zero"), "the same name"),
        (BOX + BOX.replace("SAM", "SAM 2"), "the same port"),
        ("[[serial_readers]]\nport = '/dev/null'\nslots = [{ name = 'a', interface = 4 }]", "interface"),
        ("[display]\nport = '/dev/null'\nkind = 'film'", "display.kind"),
        ("[terminal]\nnumber = '42'", "terminal.number"),
        ("[terminal]\nkey_indexes = { pboc = 256 }", "terminal.key_indexes.pboc"),
        ("[hsm]\nmodule = '/x'\ntoken = 'x'\npin_file = '/x'\nkeys = { DPK = { label = 'x', levels = 4 } }", "levels"),
        ("log_level = 'loud'", "log_level"),
    ],
)
def test_a_wrong_section_is_2_and_names_the_key(tmp_path: Path, content: str, said: str) -> None:
    result = check(tmp_path, content)
    assert result.exit_code == 2
    assert said in result.output
