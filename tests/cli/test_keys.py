"""`cardio keys`: ceremonies at the prompt, transport between two keyrings, no secret but under a passphrase."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from typer.testing import Result

from cardio.crypto.check_values import KeyAlgorithm
from cardio.security import keyring
from cardio.security.key_components import KeyComponent, combine
from cardio.security.key_quality import odd_parity
from cardio.security.keyring import Keyring
from tests.cli.test_cli import cardio

DES = KeyAlgorithm.TRIPLE_DES
SECRET = "correct horse battery"
PARTS = [
    KeyComponent("Li", DES, odd_parity(bytes.fromhex("9D7A25C1F4B0637E2A4CDE9114F83B60"))),
    KeyComponent("Wang", DES, odd_parity(bytes.fromhex("31C8E0547B96AD027FE3190A6D42B8F5"))),
]
KEY = combine(PARTS, 0)
PURPOSE = ("--purpose", "issue 2026")
PERSONS = ("--person", "Li", "--person", "Wang", *PURPOSE)


def kcv(key: bytes) -> str:
    return KeyComponent("", DES, odd_parity(key)).kcv.hex().upper()


def typed(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture(autouse=True)
def _passphrases_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file says itself what its passphrase costs; here not the tenth of a second that a guesser shall pay."""
    monkeypatch.setitem(keyring.COST, "n", 2**10)


@pytest.fixture
def ring(tmp_path: Path) -> str:
    file = str(tmp_path / "city.keys")
    assert cardio("keys", "new", file, "--name", "city", stdin=typed(SECRET, SECRET)).exit_code == 0
    return file


def enter(ring: str, name: str, *answers: str, options: tuple[str, ...] = ()) -> Result:
    custodians = ("--custodian", "Li", "--custodian", "Wang")
    arguments = ("keys", "ceremony", ring, name, "--levels", "0", *PURPOSE, *custodians, *options)
    return cardio(*arguments, stdin=typed(SECRET, *answers))


def good_answers() -> list[str]:
    first, second = PARTS
    return [first.value.hex(), kcv(first.value), second.value.hex().upper(), kcv(second.value), kcv(KEY.key)]


def names(ring: str) -> list[str]:
    listed = cardio("keys", "list", ring, "--json", stdin=typed(SECRET))
    return [key["name"] for key in json.loads(listed.stdout)["keys"]]


def test_two_persons_enter_a_key_and_the_log_tells_it(ring: str) -> None:
    done = enter(ring, "KEK", *good_answers())
    assert (done.exit_code, f"KEK KCV {kcv(KEY.key)}" in done.stdout) == (0, True)
    listed = cardio("keys", "list", ring, stdin=typed(SECRET))
    for text in ("keyring:city", "正式密钥 production keys", "KEK", kcv(KEY.key)):
        assert text in listed.stdout
    made, entered = json.loads(cardio("keys", "log", ring, "--json").stdout)
    assert (made["kind"], made["keys"]) == ("keyring.made", {})
    assert (entered["kind"], entered["subject"], entered["kcv"]) == ("key.entered", "KEK", kcv(KEY.key))
    assert (entered["custodians"], entered["checker"]) == (["Li", "Wang"], "Li")
    page = cardio("keys", "log", ring)
    assert "custodians=Li, Wang" in page.stdout


def test_components_come_from_their_custodians_files(ring: str, tmp_path: Path) -> None:
    check_values, options = [], list[str]()
    for name in ("Li", "Wang"):
        file = str(tmp_path / f"{name}.part")
        made = cardio("keys", "component", file, "--custodian", name, stdin=typed(name, name))
        check_values.append(made.stdout.split()[-1])
        options += ["--component", file]
    arguments = ("keys", "ceremony", ring, "BATCH", "--levels", "0", *PURPOSE, *options)
    answers = typed(SECRET, "Li", check_values[0], "Wang", check_values[1])
    unknown = cardio(*arguments, stdin=answers + typed("000000"))
    assert (unknown.exit_code, "keys.check-failed" in unknown.stderr, names(ring)) == (4, True, [])
    shown = cardio(*arguments, "--new", stdin=answers + typed("000000"))
    found = shown.stderr.split("KCV of the key ")[1][:6]
    done = cardio(*arguments, "--new", "--checker", "Zhao", stdin=answers + typed(found))
    assert (done.exit_code, names(ring)) == (0, ["BATCH"])


@pytest.mark.parametrize(
    ("place", "answer", "code", "exit_code"),
    [
        (0, "not hexadecimal", "keys.rejected", 4),
        (0, PARTS[0].value.hex()[:-2], "keys.rejected", 4),
        (0, "40" * 16, "keys.rejected", 4),
        (1, "000000", "keys.check-failed", 4),
        (1, "0000", "input.invalid", 2),
        (2, PARTS[0].value.hex(), "keys.check-failed", 4),
        (4, "000000", "keys.check-failed", 4),
    ],
)
def test_a_wrong_answer_ends_the_ceremony_and_nothing_is_written(
    ring: str, place: int, answer: str, code: str, exit_code: int
) -> None:
    before, answers = Path(ring).read_bytes(), good_answers()
    answers[place] = answer
    done = enter(ring, "KEK", *answers)
    assert (done.exit_code, code in done.stderr) == (exit_code, True)
    assert "未写入" in done.stderr or exit_code == 2
    assert Path(ring).read_bytes() == before
    assert len(json.loads(cardio("keys", "log", ring, "--json").stdout)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("ceremony", "{ring}", "KEK", "--levels", "0", *PURPOSE), "input.invalid", 2),
        (("ceremony", "{ring}", "KEK", "--levels", "4", *PURPOSE, "--custodian", "Li"), "", 2),
        (("kcv", "{ring}", "NOWHERE"), "sam.key-missing", 6),
        (("kcv", "{ring}", "KEK", "--factor", "00"), "input.invalid", 2),
        (("export", "{ring}", "NOWHERE", "--kek", "KEK", *PERSONS), "sam.key-missing", 6),
        (("export", "{ring}", "NOWHERE", "--kek", "KEK", "--person", "Li", *PURPOSE), "input.invalid", 2),
        (("import", "{ring}", "nowhere.json", "--kek", "KEK", *PERSONS), "input.invalid", 2),
        (("new", "{ring}.2", "--test", "--transport", "FF"), "input.invalid", 2),
        (("new", "{ring}.2", "--transport", "FF"), "input.invalid", 2),
        (("list", "nowhere.keys"), "keyring.invalid", 6),
    ],
)
def test_wrong_use_is_told(ring: str, arguments: tuple[str, ...], code: str, exit_code: int) -> None:
    done = cardio("keys", *(argument.format(ring=ring) for argument in arguments), stdin=typed(SECRET))
    assert (done.exit_code, code in done.stderr) == (exit_code, True)
    assert not Path(f"{ring}.2").exists()


def test_a_keyring_is_not_overwritten_and_opens_with_its_passphrase_only(ring: str) -> None:
    again = cardio("keys", "new", ring, stdin=typed(SECRET, SECRET))
    assert (again.exit_code, "exists" in again.stderr) == (6, True)
    wrong = cardio("keys", "list", ring, stdin=typed("guess"))
    assert (wrong.exit_code, "passphrase is wrong" in wrong.stderr) == (6, True)


def test_a_changed_log_is_told(ring: str) -> None:
    log = Path(f"{ring}.log")
    log.write_bytes(log.read_bytes().replace(b'"test":false', b'"test":true '))
    done = cardio("keys", "log", ring)
    assert (done.exit_code, "the chain does not hold at row 1" in done.stderr) == (6, True)


def test_test_keys_and_a_makers_transport_key(tmp_path: Path) -> None:
    file = str(tmp_path / "test.keys")
    cardio("keys", "new", file, "--test", stdin=typed(SECRET, SECRET))
    assert Keyring.load(Path(file), SECRET).test
    card = cardio("keys", "kcv", file, "WALLET-DLK", "--factor", "8600000000000123", stdin=typed(SECRET))
    assert card.stdout.strip().endswith("B9EC03")
    assert "测试密钥 test keys" in cardio("keys", "list", file, stdin=typed(SECRET)).stdout
    real = str(tmp_path / "real.keys")
    cardio("keys", "new", real, "--name", "city", "--transport", "FF" * 8, stdin=typed(SECRET, SECRET))
    assert not Keyring.load(Path(real), SECRET).test
    assert cardio("keys", "kcv", real, "TRANSPORT", stdin=typed(SECRET)).stdout.strip().endswith("CAAAAF")


@pytest.mark.parametrize("form", ["tr31-b", "tr31-d", "ecb"])
def test_a_key_travels_from_one_keyring_to_another(ring: str, tmp_path: Path, form: str) -> None:
    enter(ring, "KEK", *good_answers())
    travelling = [KeyComponent.generate(name, DES) for name in ("Li", "Wang")]
    first, second = travelling
    told = kcv(combine(travelling, 0).key)
    enter(ring, "BATCH", first.value.hex(), kcv(first.value), second.value.hex(), kcv(second.value), told)
    exported = cardio("keys", "export", ring, "BATCH", "--kek", "KEK", "--form", form, *PERSONS, stdin=typed(SECRET))
    assert exported.exit_code == 0
    wrapped = tmp_path / "batch.json"
    wrapped.write_text(exported.stdout[exported.stdout.index("{") :])
    other = str(tmp_path / "other.keys")
    cardio("keys", "new", other, "--name", "bureau", stdin=typed(SECRET, SECRET))
    enter(other, "KEK", *good_answers())
    arguments = ("keys", "import", other, str(wrapped), "--kek", "KEK", *PERSONS)
    wrong = cardio(*arguments, "--kcv", "000000", stdin=typed(SECRET))
    assert (wrong.exit_code, names(other)) == (2, ["KEK"])
    done = cardio(*arguments, "--kcv", told, stdin=typed(SECRET))
    assert (done.exit_code, f"BATCH KCV {told}" in done.stdout, names(other)) == (0, True, ["BATCH", "KEK"])


def test_no_secret_is_found_where_it_has_no_business(
    ring: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CARDIO_DEBUG", "1")
    told: list[Result] = [enter(ring, "KEK", *good_answers())]
    for place in range(5):
        answers = good_answers()
        answers[place] = answers[place][:-1]
        told.append(enter(ring, "SECOND", *answers))
    told += [
        enter(ring, "TWIN", *good_answers()),
        cardio("keys", "list", ring, stdin=typed(SECRET)),
        cardio("keys", "list", ring, "--json", stdin=typed(SECRET)),
        cardio("keys", "kcv", ring, "KEK", stdin=typed(SECRET)),
        cardio("keys", "export", ring, "KEK", "--kek", "KEK", *PERSONS, stdin=typed(SECRET)),
        cardio("keys", "export", ring, "KEK", "--kek", "KEK", "--form", "ecb", *PERSONS, stdin=typed(SECRET)),
        cardio("keys", "log", ring),
        cardio("keys", "log", ring, "--json"),
    ]
    assert [one.exit_code for one in told] == [0, 4, 2, 4, 2, 2, 4, 0, 0, 0, 0, 0, 0, 0]
    everything = caplog.text + "".join(one.output + one.stderr + repr(one.exception) for one in told)
    everything += "".join(path.read_bytes().hex() + path.read_text("latin-1") for path in tmp_path.iterdir())
    for secret in (PARTS[0].value, PARTS[1].value, KEY.key):
        for half in (secret[:8], secret[8:]):
            assert half.hex() not in everything.lower()
            assert half.decode("latin-1") not in everything
            assert repr(half) not in everything
    assert SECRET not in everything
