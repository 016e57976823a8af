"""Key ceremonies and key transport: who may do what, what is written, and that nothing is told (PERS §3.2, §3.3)."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.crypto.check_values import KeyAlgorithm
from cardio.errors import InputInvalid, KeyCheckFailed, KeyRejected, KeyringInvalid, SamKeyMissing
from cardio.ledger.chain_log import ChainLog
from cardio.personalize.ceremony import Ceremony, parse_kcv
from cardio.personalize.key_store import KeyStore, log_file, two_persons
from cardio.personalize.key_transport import Form, Transport, export_key, import_key
from cardio.security import keyring
from cardio.security.key_components import KeyComponent
from cardio.security.keyring import Keyring, RootKey

DES = KeyAlgorithm.TRIPLE_DES
KEK = bytes.fromhex("EFE0853B256B583D868F251CE99EA1D9")
LOAD = bytes.fromhex("76A3AD667AEF097106B796C1C74A204E")
PERSONS = ["Li", "Wang"]


@pytest.fixture(autouse=True)
def _passphrases_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file says itself what its passphrase costs; here not the tenth of a second that a guesser shall pay."""
    monkeypatch.setitem(keyring.COST, "n", 2**10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "city.keys"


@pytest.fixture
def store(path: Path) -> KeyStore:
    roots = {"KEK": RootKey(KEK, 0), "WALLET-DLK": RootKey(LOAD, 1)}
    return KeyStore.create(path, "secret", Keyring("city", roots, test=False))


def parts(*custodians: str) -> list[KeyComponent]:
    return [KeyComponent.generate(custodian, DES) for custodian in custodians]


def begun(store: KeyStore, components: list[KeyComponent]) -> Ceremony:
    ceremony = Ceremony(store, "BATCH", 0, DES, "issue 2026")
    for component in components:
        ceremony.add(component, component.kcv)
    return ceremony


def test_a_key_of_three_components_is_in_the_file_and_in_the_log(store: KeyStore, path: Path) -> None:
    components = parts("Li", "Wang", "Zhao")
    ceremony = begun(store, components)
    ceremony.finish("Wang", ceremony.kcv())
    written = KeyStore.open(path, "secret").keyring
    assert written.check_values("BATCH")[DES] == ceremony.kcv()
    row = ChainLog(log_file(path)).rows()[-1]
    assert (row.kind, row.subject) == ("key.entered", "BATCH")
    assert row.payload == {
        "purpose": "issue 2026",
        "algorithm": "3des",
        "levels": 0,
        "custodians": ["Li", "Wang", "Zhao"],
        "component_kcvs": [component.kcv.hex().upper() for component in components],
        "checker": "Wang",
        "kcv": ceremony.kcv().hex().upper(),
    }


def test_a_wrong_check_value_ends_it_and_nothing_is_written(store: KeyStore, path: Path) -> None:
    before, components = path.read_bytes(), parts("Li", "Wang")
    ceremony = Ceremony(store, "BATCH", 0, DES, "issue 2026")
    with pytest.raises(KeyCheckFailed, match="component 1"):
        ceremony.add(components[0], bytes(3))
    ceremony = begun(store, components)
    with pytest.raises(KeyCheckFailed) as caught:
        ceremony.finish("Li", bytes(3))
    assert ceremony.kcv().hex().upper() not in str(caught.value)
    assert path.read_bytes() == before
    assert [row.kind for row in ChainLog(log_file(path)).rows()] == ["keyring.made"]


@pytest.mark.parametrize("checker", ["Wang", "wang ", ""])
def test_whoever_entered_the_last_component_does_not_check_the_key(store: KeyStore, checker: str) -> None:
    ceremony = begun(store, parts("Li", "Wang"))
    with pytest.raises(InputInvalid, match="two different persons"):
        ceremony.finish(checker, ceremony.kcv())


def test_nobody_enters_two_components_and_one_component_is_no_key(store: KeyStore) -> None:
    with pytest.raises(InputInvalid, match="two different persons"):
        begun(store, parts("Li", " LI"))
    with pytest.raises(KeyRejected, match="two components"):
        begun(store, parts("Li")).finish("Wang", bytes(3))


def test_a_name_that_is_taken_is_refused_before_anybody_types(store: KeyStore) -> None:
    with pytest.raises(KeyRejected, match="already"):
        Ceremony(store, "WALLET-DLK", 1, DES, "again")


def test_a_key_that_the_keyring_has_is_refused(store: KeyStore, path: Path) -> None:
    components = parts("Li", "Wang")
    ceremony = begun(store, components)
    ceremony.finish("Li", ceremony.kcv())
    again = Ceremony(store, "BATCH-2", 0, DES, "again")
    for component in components:
        again.add(component, component.kcv)
    before = path.read_bytes()
    with pytest.raises(KeyRejected, match="the same key as BATCH"):
        again.finish("Li", again.kcv())
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_says_so_in_the_log(store: KeyStore, path: Path) -> None:
    path.with_name(path.name + ".new").mkdir()
    before, ceremony = path.read_bytes(), begun(store, parts("Li", "Wang"))
    with pytest.raises(KeyringInvalid, match="directory"):
        ceremony.finish("Li", ceremony.kcv())
    assert path.read_bytes() == before
    assert [row.kind for row in ChainLog(log_file(path)).rows()][1:] == ["key.entered", "key.not-written"]
    assert "BATCH" not in store.keyring.names()


def test_two_ceremonies_at_one_file_both_have_their_keys_in_it(path: Path) -> None:
    """Both opened the file before either ended."""
    KeyStore.create(path, "x", Keyring("city", {}, test=False))
    begun = []
    for name in ("WALLET-DPK", "WALLET-DLK", "WALLET-DPK"):
        ceremony = Ceremony(KeyStore.open(path, "x"), name, 1, KeyAlgorithm.TRIPLE_DES, "issue")
        for component in parts("Li", "Wang"):
            ceremony.add(component, component.kcv)
        begun.append(ceremony)
    for ceremony in begun[:2]:
        ceremony.finish("Li", ceremony.kcv())
    with pytest.raises(KeyRejected):
        begun[2].finish("Li", begun[2].kcv())
    assert KeyStore.open(path, "x").keyring.names() == ["WALLET-DLK", "WALLET-DPK"]
    assert [row.subject for row in ChainLog(log_file(path)).rows()] == ["keyring:city", "WALLET-DPK", "WALLET-DLK"]


def test_keys_of_several_processes_are_all_in_the_file(store: KeyStore, path: Path) -> None:
    adding = """
import sys
from pathlib import Path
from cardio.personalize.key_store import ENTERED, KeyStore
from cardio.security import keyring
keyring.COST["n"] = 2**10
store = KeyStore.open(Path(sys.argv[1]), "secret")
for number in range(8):
    name, key = f"{sys.argv[2]}-{number}", keyring.RootKey(sys.argv[2].encode() * 2 + bytes(13) + bytes([number]), 0)
    store.change(lambda now: now.with_key(name, key), ENTERED, name, {})
"""
    running = [subprocess.Popen([sys.executable, "-c", adding, str(path), letter]) for letter in "AB"]
    assert [process.wait(60) for process in running] == [0, 0]
    names = KeyStore.open(path, "secret").keyring.names()
    assert names == [*(f"{letter}-{number}" for letter in "AB" for number in range(8)), "KEK", "WALLET-DLK"]
    assert len(ChainLog(log_file(path)).rows()) == 17


def test_a_folder_that_cannot_be_synced_is_told_and_the_key_is_there(
    store: KeyStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceremony, synced = begun(store, parts("Li", "Wang")), os.fsync

    def failing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(KeyringInvalid, match="is written, but a power loss"):
        ceremony.finish("Li", ceremony.kcv())
    assert "BATCH" in KeyStore.open(path, "secret").keyring.names()
    assert [row.kind for row in ChainLog(log_file(path)).rows()] == ["keyring.made", "key.entered"]


def test_what_a_program_that_died_left_behind_is_no_hindrance(store: KeyStore, path: Path) -> None:
    left = path.with_name(path.name + ".new")
    left.write_text("half a keyring")
    left.chmod(0o644)
    ceremony = begun(store, parts("Li", "Wang"))
    ceremony.finish("Li", ceremony.kcv())
    assert not left.exists()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("names", [[], ["Li"], ["Li", "li"], ["Li", " "], ["Li", "Wang", "Li"]])
def test_two_persons_are_two(names: list[str]) -> None:
    with pytest.raises(InputInvalid):
        two_persons(names)
    assert two_persons([" Li ", "Wang"]) == PERSONS


@pytest.mark.parametrize("text", ["", "12345", "1234567", "xyzxyz", "12345678"])
def test_a_check_value_has_three_bytes(text: str) -> None:
    with pytest.raises(InputInvalid):
        parse_kcv(text)
    assert parse_kcv("f0 43 ff") == parse_kcv("F043FF")


# ---- transport ---------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "other.keys", "other", Keyring("other", {"KEK": RootKey(KEK, 0)}, test=False))


@pytest.mark.parametrize("form", list(Form))
def test_a_key_travels_with_its_name_levels_and_check_value(
    store: KeyStore, receiver: KeyStore, path: Path, form: Form
) -> None:
    sent = export_key(store, "WALLET-DLK", "KEK", form, DES, PERSONS, "to the bureau")
    assert (sent.name, sent.levels, sent.kcv) == ("WALLET-DLK", 1, "F043FF")
    taken = import_key(receiver, sent, "KEK", PERSONS, "from the issuer")
    assert (taken.name, taken.levels, taken.kcv) == ("WALLET-DLK", 1, "F043FF")
    assert receiver.keyring.check_values("WALLET-DLK") == store.keyring.check_values("WALLET-DLK")
    exported, imported = (ChainLog(log_file(one)).rows()[-1] for one in (path, path.with_name("other.keys")))
    expected = {"persons": PERSONS, "kek": "KEK", "form": form.value, "kcv": "F043FF"}
    assert exported.payload == {"purpose": "to the bureau", **expected}
    assert imported.payload == {"purpose": "from the issuer", "levels": 1, **expected}


def test_nothing_travels_for_one_person_or_without_its_key(store: KeyStore, receiver: KeyStore, path: Path) -> None:
    with pytest.raises(InputInvalid, match="two different"):
        export_key(store, "WALLET-DLK", "KEK", Form.TR31_AES, DES, ["Li"], "alone")
    with pytest.raises(SamKeyMissing):
        export_key(store, "NOWHERE", "KEK", Form.TR31_AES, DES, PERSONS, "missing")
    assert len(ChainLog(log_file(path)).rows()) == 1
    sent = export_key(store, "WALLET-DLK", "KEK", Form.TR31_AES, DES, PERSONS, "to the bureau")
    with pytest.raises(InputInvalid, match="two different"):
        import_key(receiver, sent, "KEK", ["Li", "Li"], "alone")
    assert receiver.keyring.names() == ["KEK"]


def test_a_wrong_or_missing_check_value_keeps_a_key_out(store: KeyStore, receiver: KeyStore) -> None:
    sent = export_key(store, "WALLET-DLK", "KEK", Form.ECB, DES, PERSONS, "to the bureau")
    bare = Transport(Form.ECB, sent.block, DES, "DLK", 1)
    with pytest.raises(InputInvalid, match="--kcv"):
        import_key(receiver, bare, "KEK", PERSONS, "without")
    with pytest.raises(KeyCheckFailed):
        import_key(receiver, Transport(Form.ECB, sent.block, DES, "DLK", 1, "000000"), "KEK", PERSONS, "wrong")
    block = export_key(store, "WALLET-DLK", "KEK", Form.TR31_AES, DES, PERSONS, "to the bureau").block
    with pytest.raises(KeyCheckFailed):
        import_key(receiver, Transport.parse(block, kcv="000000"), "KEK", PERSONS, "wrong")
    assert receiver.keyring.names() == ["KEK"]
    assert import_key(receiver, Transport.parse(block, name="DLK"), "KEK", PERSONS, "right").name == "DLK"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "{",
        "A0072P0TE00E0000",
        '{"form": "ecb"}',
        '{"form": "ecb", "block": 5}',
        '{"form": "ecb", "block": "00", "levels": 4}',
        '{"form": "ecb", "block": "00", "key": "00"}',
    ],
)
def test_what_is_no_wrapped_key_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match=r"cardio keys export"):
        Transport.parse(text)


def test_two_check_values_that_differ_are_refused() -> None:
    with pytest.raises(InputInvalid, match="beside the wrapped key"):
        Transport.parse('{"form": "ecb", "algorithm": "3des", "block": "00", "kcv": "F043FF"}', kcv="000000")
