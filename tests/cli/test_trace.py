"""`cardio trace`: what a recorded exchange means, and what of it is never shown."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cardio.apdu.command import Command, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import VERIFY
from cardio.cli.main import app
from cardio.cli.trace.apdu import parse_command
from cardio.cli.trace.commands import RULES
from cardio.cli.trace.explainer import explain
from cardio.cli.trace.explanation import Step, Value
from cardio.cli.trace.printing import block
from cardio.cli.trace.source import Reset, parse
from cardio.cli.trace.state import PSAMS, SOCIAL_SECURITY, VERSIONS, WALLETS
from cardio.cli.trace.values import flat
from cardio.errors import InputInvalid
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration, Structure
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, SSSE_NAME, HolderData, IssuerData
from cardio.files.social_security.trees import SSC_EMPLOYER
from cardio.transport.embedded import EmbeddedReader
from cardio.transport.recording import Exchange, record
from cardio.virtual.cards import citizen_card, social_security_card

TRACES = Path(__file__).parent.parent / "vectors" / "traces"
SSSE = f"00A404000F{SSSE_NAME.hex()}"
PIN = "123456"


def cardio(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["trace", *arguments])


def published(name: str, *options: str) -> list[dict[str, Any]]:
    done = cardio(str(TRACES / f"{name}.txt"), "--json", *options)
    assert done.exit_code == 0
    steps: list[dict[str, Any]] = json.loads(done.stdout)
    return steps


def texts(values: list[dict[str, Any]], language: str = "en") -> dict[str, str]:
    """Texts of values and inner values by tag, or by name where there is no tag."""
    found = {}
    for value in values:
        found[value["tag"] or value["name"]] = value["text"][language]
        found.update(texts(value["values"], language))
    return found


def steps_of(*lines: str, masked: bool = True) -> list[Step]:
    return list(explain(parse(list(lines), "text"), masked=masked))


def said(values: tuple[Value, ...]) -> dict[str, str]:
    return {value.tag or value.name: value.text.text("en") for value in flat(values)}


def page(step: Step) -> str:
    return "\n".join(line.plain for line in block(step, "both"))


# ---- published traces --------------------------------------------------------------------------------------------


def test_the_published_1_0_card_is_understood() -> None:
    reset, select, card_id, version, file, sex = published("ssc-1.0")
    assert texts(reset["answer"]["values"])["region"].startswith("3301 ")
    assert texts(reset["answer"]["values"], "zh")["region"] == "3301 浙江杭州市"
    assert texts(reset["answer"]["values"])["factor"] == "866533010100ABCD"
    assert select["exchanges"] == [1, 2]
    assert texts(select["answer"]["values"])["88"] == "0B"
    assert texts(select["answer"]["values"])["card_algorithm"].startswith("DES/3DES (no 9F0C")
    assert texts(card_id["answer"]["values"])["01"] == "330100D1560000050100ABCD00000000"
    assert texts(version["answer"]["values"])["03"] == "1.00"
    assert file["command"]["place"] == "SSSE/EF06"
    assert texts(sex["answer"]["values"]) == {"0A": "1 male"}
    assert texts(sex["answer"]["values"], "zh") == {"0A": "1 男"}


def test_the_published_2_0_card_is_understood() -> None:
    _, verify, _, issuer, master = published("ssc-2.0", "--unmasked")
    assert texts(issuer["answer"]["values"]) == {
        "01": "430299D156000005000000133A05F2E3",
        "02": "3 adult",
        "03": "2.00",
        "04": "9156000002430200430100D5",
        "05": "2012",
        "06": "2022",
        "07": "B00000131",
    }
    assert texts(verify["command"]["parameters"]) == {"pin": "6 digits"}
    assert texts(issuer["command"]["parameters"])["mode"] == "records 1 to the last"
    assert "1PAY.SYS.DDF01" in texts(master["answer"]["values"])["84"]


def test_the_published_3_0_card_is_understood() -> None:
    steps = published("ssc-3.0")
    assert texts(steps[0]["answer"]["values"])["region"] == "5199 Sichuan (provincial)"
    assert texts(steps[1]["answer"]["values"])["card_algorithm"] == "SM4"
    assert texts(steps[4]["answer"]["values"])["03"] == "3.00"
    keys = {
        step["number"]: texts(step["command"]["parameters"])["key"]
        for step in steps
        if step["command"]["name"].endswith("AUTHENTICATION")
    }
    assert keys == {7: "IRK", 10: "RKSSSE (0A)", 13: "PUK (06)"}
    internal = texts(steps[7]["command"]["parameters"])
    assert (internal["factor"], internal["original"]) == ("32D9E876ADB31BBF", "DBF7A936D0D18C9E")
    reload = steps[-1]
    assert reload["command"]["name"] == "PIN RELOAD"
    assert texts(reload["command"]["parameters"]) == {"encrypted_pin": "16 bytes", "mac": "FD937AA7"}
    assert reload["command"]["bytes"] == "8424000114" + "**" * 20


def test_the_pki_environment_is_understood_and_keeps_its_pin() -> None:
    steps = published("ssc-3.0-pki", "--unmasked")
    assert [step["command"]["name"] for step in steps[3:]] == [
        "HASH PIN",
        "GET CHALLENGE",
        "VERIFY",
        "GENERATE KEY PAIR",
        "SELECT",
    ]
    assert steps[2]["command"]["place"] == "SS.CERT.ADF1"
    assert texts(steps[3]["command"]["parameters"]) == {"pin": "6 digits"}
    assert texts(steps[5]["command"]["parameters"])["pin"] == "user PIN"
    assert steps[7]["command"]["place"] == "SS.CERT.ADF1/EF12"
    # The hash and the cryptogram would give the PIN to whoever tries all PINs.
    assert steps[3]["answer"]["bytes"] == "**" * 32 + "9000"
    assert steps[5]["command"]["bytes"] == "0020018110" + "**" * 16


@pytest.mark.parametrize(("trace", "pin"), [("ssc-2.0", "666666"), ("ssc-3.0-pki", PIN)])
@pytest.mark.parametrize("options", [[], ["--unmasked"], ["--json"], ["--unmasked", "--json"], ["--language", "zh"]])
def test_no_pin_digit_ever_appears(trace: str, pin: str, options: list[str]) -> None:
    done = cardio(str(TRACES / f"{trace}.txt"), *options)
    assert done.exit_code == 0
    assert pin not in re.sub(r"\s", "", done.output)


def test_the_page_has_one_language_or_both() -> None:
    trace = str(TRACES / "ssc-1.0.txt")
    assert "规范版本 specification version: 1.00" in cardio(trace).stdout
    chinese = cardio(trace, "--language", "zh").stdout
    assert ("规范版本: 1.00" in chinese, "version" in chinese) == (True, False)
    english = cardio(trace, "--language", "en").stdout
    assert ("specification version: 1.00" in english, "规范" in english) == (True, False)


# ---- personal values ---------------------------------------------------------------------------------------------

HOLDER = (f"> {SSSE}", "< 9000", "> 00B2013500", f"< {HolderData.VECTORS[0]} 9000")
ID_NUMBER = "999999199001010016"


def test_personal_values_are_masked_with_their_bytes() -> None:
    step = steps_of(*HOLDER)[1]
    assert said(step.values) == {
        "08": "999***********0016",
        "09": "测**",
        "4E": "empty",
        "0A": "1 male",
        "0B": "01 Han",
        "0C": "***",
        "0D": "1990",
    }
    assert set(step.answer[:-4]) == {"*"}
    assert ID_NUMBER not in page(step)
    assert ID_NUMBER.encode().hex().upper() not in json.dumps(step.document())


def test_personal_values_are_shown_to_who_asks_for_them() -> None:
    step = steps_of(*HOLDER, masked=False)[1]
    assert (said(step.values)["08"], said(step.values)["09"]) == (ID_NUMBER, "测试甲")
    assert ID_NUMBER.encode().hex().upper() in step.answer


def test_what_nobody_declared_may_be_personal() -> None:
    lines = (f"> {SSSE}", "< 9000", "> 00B201F400", "< 5A04AABBCCDD 9000", "> 00B2013400", "< 7704AABBCCDD 9000")
    masked, open_steps = steps_of(*lines), steps_of(*lines, masked=False)
    assert all("AABB" not in page(step) for step in masked)
    assert all("AABBCCDD" in page(step) for step in open_steps[1:])


@pytest.mark.parametrize(
    ("command", "name", "parameters"),
    [
        ("0020000003123456", "VERIFY", {"pin": "6 digits"}),
        ("002000000312345F", "VERIFY", {"pin": "5 digits"}),
        ("0020000003******", "VERIFY", {"pin": "5 or 6 digits", "hidden": "3 bytes"}),
        ("8020000003123456", "VERIFY", {"pin": "6 digits"}),
        ("805E010007123456FF123456", "CHANGE PIN", {"old_pin": "6 digits", "new_pin": "6 digits"}),
        ("805E010004FF123456", "CHANGE PIN", {"old_pin": "none", "new_pin": "6 digits"}),
        ("805E000007123456AABBCCDD", "RELOAD PIN", {"new_pin": "6 digits"}),
        ("845E010014" + PIN * 6 + "AABB", "CHANGE ADMIN PIN", {"cryptogram": "20 bytes"}),
        ("842400000C0312345680000000AABBCCDD", "PIN UNBLOCK", {"pin": "00", "encrypted_pin": "8 bytes"}),
        ("8424000004E8F2CC3B", "PIN UNBLOCK", {"mac": "E8F2CC3B"}),
        ("80FA0000080312345680000000", "CIPHER DATA", {"operation": "encrypt", "data": "8 bytes"}),
        ("80D401000500123456FF", "WRITE KEY", {"kind": "add", "key": "00", "key_data": "5 bytes"}),
        ("FF820000 06 123456123456", "READER COMMAND", {}),
        ("00200000 08 123456", "VERIFY", {"form": "not a complete APDU"}),
    ],
)
@pytest.mark.parametrize("masked", [True, False])
def test_pins_and_keys_are_never_shown(command: str, name: str, parameters: dict[str, str], masked: bool) -> None:
    # PIN UNBLOCK of the parameter list is the wallet's: without a SELECT a social security card is assumed.
    lines = ("> 00A4040009A00000000386980701", "< 9000", f"> {command}", "< 9000")
    step = steps_of(*lines, masked=masked)[1]
    assert step.name == name
    assert parameters.items() <= said(step.parameters).items()
    assert PIN not in page(step)
    assert PIN not in json.dumps(step.document())


def test_asking_for_the_tries_left_is_no_failure() -> None:
    step = steps_of("> 0020000000", "< 63C6")[0]
    assert (step.outcome.en, step.error) == ("6 tries left", "")
    wrong = steps_of("> 0020000003******", "< 63C5")[0]
    assert (wrong.outcome.en, wrong.error) == ("authentication failed, 5 tries left", "pin.wrong")


ALL_FILES = [
    (card, application, file)
    for card in (*SOCIAL_SECURITY, *WALLETS, *PSAMS)
    for application, file in card.files()
    if file.content.VECTORS
]


@pytest.mark.parametrize(
    ("card", "application", "file"),
    ALL_FILES,
    ids=[f"{card.id}-{application.label}-{file.label}" for card, application, file in ALL_FILES],
)
def test_every_declared_file_is_explained_and_its_personal_values_are_masked(
    card: CardDeclaration, application: ApplicationDeclaration, file: FileDeclaration
) -> None:
    lines = []
    if card in SOCIAL_SECURITY:
        version = next((key for key, tree in VERSIONS.items() if tree is card), "2.00").ljust(4, "0")
        card_class = "0201390304" if card is SSC_EMPLOYER else "0304"
        lines += [f"> {SSSE}", "< 9000", "> 00B2012D00", f"< {card_class}{version.encode().hex()} 9000"]
    if card in PSAMS:
        lines += ["> 8072000000", "< 9000"]
    for directory in _path(card.root, application):
        by_name = bool(directory.name)
        selector = directory.name if by_name else directory.identifier.to_bytes(2, "big")
        lines += [f"> 00A4{4 if by_name else 0:02X}00{len(selector):02X}{selector.hex()}", "< 9000"]
    lines += [f"> 00A4000002{file.identifier:04X}", "< 9000"]
    raw = max(file.content.VECTORS, key=len)
    binary = file.structure is Structure.TRANSPARENT
    lines += [
        "> 00B0000000" if binary else f"> 00B2010{4 if file.structure is Structure.CYCLIC else 5}00",
        f"< {raw} 9000",
    ]
    step, shown = steps_of(*lines)[-1], steps_of(*lines, masked=False)[-1]
    assert step.place == f"{application.label}/{file.label}"
    assert shown.answer == raw.upper() + "9000"
    assert step.values
    assert not any(value.name.startswith("item_") for value in flat(step.values))
    for hidden, clear in zip(flat(step.values), flat(shown.values), strict=True):
        if hidden.personal and not hidden.values and hidden.json is not None:
            assert hidden.json != clear.json
    assert ("*" in step.answer) == any(value.personal for value in step.values)


def _path(root: ApplicationDeclaration, wanted: ApplicationDeclaration) -> list[ApplicationDeclaration]:
    """The directories from the root down to one of them."""
    if root == wanted:
        return [root]
    below = next(one for one in root.applications if wanted in one.walk())
    return [root, *_path(below, wanted)]


# ---- commands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer", "name", "parameters", "values"),
    [
        (  # SSC §9.3
            "B02801011301000000000000271000001F4051990000000116",
            "00003039000000000000000020260005010 0A1B2C3D4".replace(" ", ""),
            "INITIALIZE FOR PURCHASE",
            {"account_fen": "¥0.00", "self_pay_fen": "¥100.00", "pool_fen": "¥80.00", "terminal": "519900000001"},
            {"balance_fen": "¥123.45", "year": "2026", "counter": "5", "random": "A1B2C3D4"},
        ),
        (
            "B02C01000F0000002A20260115093045F01120FD08",
            "731F5CB37A0EC137",
            "DEBIT FOR PURCHASE",
            {"terminal_counter": "42", "time": "2026-01-15 09:30:45", "mac1": "F01120FD"},
            {"tac": "731F5CB3", "mac2": "7A0EC137"},
        ),
        (
            "B02800010B010000C35051990000000110",
            "0000303900030100A1B2C3D41D35AE13",
            "INITIALIZE FOR LOAD",
            {"amount_fen": "¥500.00"},
            {"balance_fen": "¥123.45", "counter": "3", "mac1": "1D35AE13"},
        ),
        (
            "B02A00000B20260115093045E959676204",
            "08E44B1D",
            "CREDIT FOR LOAD",
            {"mac2": "E9596762"},
            {"tac": "08E44B1D"},
        ),
        ("B026000104", "00003039", "GET BALANCE", {"kind": "balance"}, {"balance_fen": "¥123.45"}),
        (
            "B026000206",
            "000027102026",
            "GET BALANCE",
            {"kind": "yearly self-paid total"},
            {"amount_fen": "¥100.00", "year": "2026"},
        ),
        ("B02E0002020005", "1D35AE1308E44B1D", "GET TRANSACTION PROOF", {"number": "5"}, {"tac": "08E44B1D"}),
        ("B0560000020701", "", "UPDATE STARTING DAY", {"day": "0701"}, {}),
        ("805C000204", "00002710", "GET BALANCE", {"kind": "electronic purse (EP)"}, {"balance_fen": "¥100.00"}),
        (
            "805001020B01000000C8112233445566",
            "00002710001100000001 00A1B2C3D4".replace(" ", ""),
            "INITIALIZE FOR PURCHASE",
            {"key_index": "01", "amount_fen": "¥2.00", "terminal": "112233445566"},
            {"balance_fen": "¥100.00", "counter": "17", "overdraft_fen": "¥0.00", "key_version": "01"},
        ),
        ("805A000602 0011", "1D35AE1308E44B1D", "GET TRANSACTION PROVE", {"kind": "EP purchase"}, {"mac": "1D35AE13"}),
        (  # SSC §9.3
            "807001002CA1B2C3D40005000000000000271000001F403220260115093045010086605199000001AC353139393030737808",
            "0000002AF01120FD",
            "INIT SAM FOR PURCHASE",
            {
                "pool_fen": "¥80.00",
                "kind": "32",
                "card_factor": "86605199000001AC",
                "factor": "3531393930307378 “519900sx”",
            },
            {"terminal_counter": "42", "mac1": "F01120FD"},
        ),
        ("8072000004 7A0EC137", "", "CREDIT SAM FOR PURCHASE", {"mac2": "7A0EC137"}, {}),
        (
            "BFDE670A20 86605199000001AC 3531393930307378 3531303030307368 98B4D293D091C331",
            "",
            "DELIVERY SESSION KEY",
            {"purpose": "67 encryption, 3 levels", "key": "0A RKSSSE", "session_factor": "98B4D293D091C331"},
            {},
        ),
        ("801A4502101111111122222222 3531393930307378", "", "DELIVERY KEY", {"card_factor": "****2222"}, {}),
        ("80CA000009", "112233445566778899", "GET AUTHENTICITY CODE", {}, {"code": "112233445566778899"}),
        ("80CA000009112233445566778899", "", "CHECK AUTHENTICITY CODE", {"code": "112233445566778899"}, {}),
        ("BFEC0000 01 51", "", "INITIALIZE ENVIRONMENT", {"region": "51"}, {}),
        (
            "80FA050010 98B4D293D091C331 8424000004800000",
            "E8F2CC3B",
            "CIPHER DATA",
            {"operation": "MAC, initial value leads", "data": "16 bytes"},
            {"mac": "E8F2CC3B"},
        ),
        ("80FA020008 0102030405060708", "11", "CIPHER DATA", {"operation": "encrypt, more blocks follow"}, {}),
        ("80500401070111223344 5566", "", "INITIALIZE FOR UPDATE", {"terminal": "112233445566"}, {}),
        (
            "80540300 0B 20260115093045 E9596762",
            "01020304",
            "DEBIT FOR UNLOAD",
            {"mac2": "E9596762"},
            {"mac3": "01020304"},
        ),
        ("80E03F01 02 3800", "", "CREATE FILE", {"identifier": "3F01", "control": "3800"}, {}),
        ("800E000000", "", "ERASE DF", {}, {}),
        ("80C24000 46 C0020014 CA40" + "5C" * 64, "", "IMPORT PUBLIC KEY", {"file": "0014 encryption public key"}, {}),
        ("80C2C001 26 C2020015 CB20" + "5C" * 32, "", "IMPORT PRIVATE KEY", {"key_data": "38 bytes"}, {}),
        ("80C98280 00", "5C" * 66, "GENERATE KEY PAIR", {}, {"public_key": "5C" * 66}),
        ("804A0210 02 0102", "", "TRANSPORT KEY", {"key_data": "2 bytes"}, {}),
        ("804E0001 07 C2020013C18200", "0102", "PROVE KEY", {"data": "7 bytes"}, {"proof": "2 bytes"}),
        ("841E000004 7A103B76", "", "APPLICATION BLOCK", {"kind": "temporary"}, {}),
        ("8418000004 7A103B76", "", "APPLICATION UNBLOCK", {"mac": "7A103B76"}, {}),
        ("841E000104 7A103B76", "", "APPLICATION BLOCK", {"kind": "permanent", "mac": "7A103B76"}, {}),
        ("8416000004 19437F5D", "", "CARD BLOCK", {"mac": "19437F5D"}, {}),
    ],
)
def test_purse_psam_and_block_commands(
    command: str, answer: str, name: str, parameters: dict[str, str], values: dict[str, str]
) -> None:
    step = steps_of(f"> {command}", f"< {answer} 9000")[0]
    assert step.name == name
    assert parameters.items() <= said(step.parameters).items()
    assert values.items() <= said(step.values).items()


def test_keys_are_named_by_the_directory_they_lie_in() -> None:
    lines = [f"> {SSSE}", "< 9000"]
    for directory in ("DF03", "DF01", "DF04"):
        lines += [f"> 00A4000002{directory}", "< 9000", "> 0082008410" + "11" * 16, "< 9000"]
    found = [said(step.parameters)["key"] for step in steps_of(*lines) if step.name == "EXTERNAL AUTHENTICATION"]
    assert found == ["RK1DF03 (84)", "UK2DF01 (84)", "RK1DF04 (84)"]


def test_a_written_record_is_explained() -> None:
    lines = (f"> {SSSE}", "< 9000", "> 00A4000002DF01", "< 9000", "> 00DC293803290131", "< 9000")
    step = steps_of(*lines)[2]
    assert (step.name, step.place) == ("UPDATE RECORD", "DF01/EF07")
    assert said(step.parameters)["mode"] == "first record of tag 29"
    assert "29" in said(step.parameters)


def test_a_mac_behind_written_data_is_told_apart() -> None:
    lines = (f"> {SSSE}", "< 9000", "> 00A4000002DF01", "< 9000")
    plain = steps_of(*lines, "> 04DC293807290131AABBCCDD", "< 9000")[2]
    assert said(plain.parameters)["mac"] == "AABBCCDD"
    assert "29" in said(plain.parameters)
    encrypted = steps_of(*lines, "> 04DC29380C" + "5C" * 8 + "AABBCCDD", "< 6988")[2]
    assert said(encrypted.parameters)["encrypted"] == "8 bytes"
    assert "5C5C" not in encrypted.command


def test_a_version_1_card_is_read_with_its_own_items_and_with_reused_ones() -> None:
    lines = [f"> {SSSE}", "< 9000", "> 00B2032806", "< 0304312E3030 9000", "> 00A4000002DF02", "< 9000"]
    old = steps_of(*lines, "> 00B24D3006", "< 4D0420130630 9000")[-1]
    assert "2013-06-30" in said(old.values)["4D"]
    # SSC §9.3: a re-used item, region 519900
    reused = steps_of(*lines, "> 00B24D3006", "< 4D04519900EE 9000")[-1]
    assert said(reused.values)["4D"].startswith("519900 ")


def test_a_wallet_announces_its_public_data_and_masks_its_number() -> None:
    public = "999900000000000103010000860000000000012320260601203512315566"
    fci = f"6F2E8409A00000000386980701A5219F0C1E{public}"
    lines = ("> 00A4040009A00000000386980701", f"< {fci} 9000", "> 00B095000A", f"< {public[:20]} 9000")
    select, read = steps_of(*lines)
    assert said(select.values)["serial"] == "****0123"
    assert public not in page(select)
    # The first ten bytes are whole fields.
    assert list(said(read.values)) == ["issuer", "application_type", "application_version"]
    rest = steps_of(*lines[:2], "> 00B0950D04", f"< {public[26:34]} 9000")[1]
    assert said(rest.values) == {"serial": "*** (4 bytes)"}
    part = steps_of(*lines[:2], "> 00B0950204", f"< {public[4:12]} 9000")[1]
    assert said(part.values) == {"issuer": "00000000 (4 bytes)"}


WALLET = ("> 00A4040009A00000000386980701", "< 9000")


def test_keys_of_a_wallet_have_identifiers_only() -> None:
    lines = ("> 0082000108 1122334455667788", "< 9000", "> 0088010208 1122334455667788", "< 8877665544332211 9000")
    external, internal = steps_of(*WALLET, *lines)[1:]
    assert said(external.parameters) == {"key": "01", "cryptogram": "1122334455667788"}
    assert said(internal.parameters) == {"key": "02", "operation": "decrypt", "factor": "1122334455667788"}
    assert said(internal.values) == {"cryptogram": "8877665544332211"}


def test_records_of_a_wallet_are_read_and_written() -> None:
    entry = "0011000000000000C80611223344556620260315090102"  # EW §10, 3des-purchase-ep
    lines = (
        *("> 00B201C5 00", f"< {entry * 2} 9000", f"> 00E200C417{entry}", "< 9000", "> 00DC00C317" + entry, "< 9000"),
        *(
            "> 80DC01FC02 0102",
            "< 9000",
            "> 00B201C6 00",
            "< 6A83",
            "> 00B200C7 00",
            "< 6A86",
            "> 00B200C400",
            "< 6A83",
        ),
    )
    log, appended, added, cache, back, odd, current = steps_of(*WALLET, *lines)[1:]
    assert [value.title.en for value in log.values] == ["record 1", "record 2"]
    assert said(log.values)["number"] == "17"
    assert (appended.name, said(appended.parameters)["number"]) == ("APPEND RECORD", "17")
    assert said(added.parameters)["mode"] == "append a record"
    assert cache.name == "UPDATE CAPP DATA CACHE"
    assert said(back.parameters)["mode"] == "records from the last back to 1"
    assert said(odd.parameters)["mode"] == "undefined mode 7"
    assert said(current.parameters)["mode"] == "current record"


def test_transparent_files_are_written_with_and_without_a_mac() -> None:
    lines = (
        "> 00D6951402 2026",
        "< 9000",
        "> 04D6951408 2026060111223344",
        "< 9000",
        "> 04D6951C07 01020311223344",
        "< 6988",
    )
    plain, secured, beyond = steps_of(*WALLET, *lines)[1:]
    assert said(plain.parameters)["offset"] == "from byte 20"
    assert said(plain.parameters)["starts"] == "2026 (2 bytes)"
    assert (said(secured.parameters)["starts"], said(secured.parameters)["mac"]) == ("2026-06-01", "11223344")
    assert said(beyond.parameters)["encrypted"] == "3 bytes"


def test_the_announced_directory_file_is_read() -> None:
    fci = "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA50388011E"
    record = "610B4F06D15600000503500150"
    step = steps_of(f"> {SSSE}", f"< {fci} 9000", "> 00B201F4 00", f"< {record} 9000")[1]
    assert said(step.values) == {"61": "", "4F": "D15600000503", "50": "50 “P”"}
    broken = steps_of(f"> {SSSE}", f"< {fci} 9000", "> 00B201F4 00", "< 61FF01 9000")[1]
    assert list(said(broken.values).values()) == ["*** (3 bytes)"]
    assert "61FF" not in broken.answer


def test_undeclared_directories_and_hidden_selections_are_followed() -> None:
    bank = steps_of("> 00A4040008A000000333010101", "< 9000", "> 00B2010C00", "< 7002AABB 9000")
    assert "银联应用 UnionPay application" in bank[0].place
    assert said(bank[1].values) == {"data": "*** (4 bytes)"}
    hidden = steps_of("> 00A404000F" + "**" * 15, "< ****9000", "> 00B2032806", "< 0304312E3030 9000")
    assert hidden[1].place.startswith("?")
    assert said(hidden[0].values) == {"hidden": "2 bytes"}
    unknown = steps_of(f"> {SSSE}", "< 9000", "> 00A4020002EFAA", "< 9000", "> 00B2010412", "< 0101AA 9000")
    assert unknown[1].place == "SSSE/EFAA"
    assert said(unknown[2].parameters)["file"] == "EFAA undeclared file"
    below = steps_of("> 00A4040008A000000333010101", "< 9000", "> 00A4000002DDF1", "< 9000")[1]
    assert below.place == "SSSE"
    lost = steps_of(f"> {SSSE}", "< 9000", "> 00A4000002DFAA", "< 9000")[1]
    assert lost.place == "DFAA"


def test_the_next_directory_of_a_name_may_be_asked_for() -> None:
    step = steps_of("> 00A404020D 315041592E5359532E44444630", "< 6A82")[0]
    assert said(step.parameters)["occurrence"] == "next one"


def test_fingerprints_keep_their_bytes_in_every_piece() -> None:
    lines = (f"> {SSSE}", "< 9000", "> 00B08700 04", "< 01010101 9000", "> 00B00004 04", "< 01010101 9000")
    assert all(said(step.values) == {"templates": "*** (4 bytes)"} for step in steps_of(*lines)[1:])


@pytest.mark.parametrize(
    ("command", "size", "whole"),
    [
        ("00D69500 00000C AABB5C5C5C5C5C5C5C5C5C5C", 12, True),
        ("00D69500 000002 AABB 0000", 2, True),
        ("00D69500 000003 AABB", 4, False),
        ("00D6950000" + "**" * 6, 6, True),
        ("00B0950000 0100", 0, True),
        ("00D69500 03 AABB", 2, False),
        ("00D69500 02 AABB 00", 2, True),
        ("00D69500 **", 0, True),
        ("00D69500 ** AABB", 2, False),
    ],
)
def test_short_and_extended_lengths_are_understood(command: str, size: int, whole: bool) -> None:
    parsed = parse_command(command.replace(" ", ""))
    assert (parsed.size, parsed.whole) == (size, whole)
    assert "AABB" not in parsed.text(hidden=True)
    assert len(parsed.text(hidden=True)) == len(command.replace(" ", ""))


def test_the_psam_is_known_by_what_only_it_has() -> None:
    lines = ("> 00A40000023F00", "< 9000", "> 00B0960006", "< 519900000001 9000", "> 00A4000002DF01", "< 9000")
    master, terminal, application = steps_of(*lines)
    assert "519900000001" in said(terminal.values).values()
    assert (master.place, terminal.place, application.place) == ("MF", "MF/EF16", "DF01")
    assert "社会保障应用" in page(application)


def test_what_a_failed_selection_leaves_selected() -> None:
    steps = steps_of(f"> {SSSE}", "< 9000", "> 00A4000002DF03", "< 6A82", "> 00B2032806", "< 0304322E3030 9000")
    assert (steps[1].outcome.en, steps[1].error) == ("file not found", "file.not-found")
    assert said(steps[2].values) == {"03": "2.00"}


def test_answers_in_pieces_and_wrong_lengths_belong_to_their_command() -> None:
    lines = (
        *("> 00B2012800", "< 6C12", "> 00B2012812", "< 6108", "> 00C0000008", "< 0110330100D15600 610A"),
        *("> 00C000000A", "< 00050100ABCD00000000 9000", "> 00C0000004", "< 01020304 9000"),
    )
    read, stray = steps_of(*lines)
    assert (read.exchanges, said(read.values)["01"]) == ((1, 2, 3, 4), "330100D1560000050100ABCD00000000")
    assert (stray.name, stray.exchanges) == ("GET RESPONSE", (5,))


def test_unknown_commands_show_their_bytes_only_to_who_may_see_them() -> None:
    lines = ("> 80EE010203AABBCC", "< 6D00", "> 00", "< 90", "> 80EE0102")
    odd, short, lost = steps_of(*lines)
    assert (odd.title.en, odd.outcome.en, odd.command) == (
        "unknown command",
        "instruction not known",
        "80EE010203" + "**" * 3,
    )
    assert steps_of(*lines, masked=False)[0].command == "80EE010203AABBCC"
    assert (short.name, short.outcome.en) == ("UNKNOWN COMMAND", "the answer has no status word")
    assert (lost.outcome.en, lost.answer) == ("no answer", "")


def test_no_rule_hides_behind_another() -> None:
    hidden = [
        later
        for place, later in enumerate(RULES)
        for earlier in RULES[:place]
        if earlier.ins == later.ins
        and (earlier.cla is None or (later.cla is not None and set(later.cla) <= set(earlier.cla)))
        and earlier.p1 in {None, later.p1}
        and earlier.p2 in {None, later.p2}
    ]
    assert hidden == []


# ---- recordings --------------------------------------------------------------------------------------------------


def recording_of(file: Path, *, reveal: bool = False) -> Path:
    with file.open("w", encoding="ascii") as sink:
        channel = record(EmbeddedReader("reader", social_security_card()).connect(), sink, reveal=reveal)
        card = CardConnection(channel)
        card.send(select_name(SSSE_NAME))
        reader = FileReader(card)
        reader.read_items(EF05_ISSUER, IssuerData)
        reader.read_items(EF06_HOLDER, HolderData)
        card.send(Command("VERIFY", 0x00, 0x20, data=bytes.fromhex(PIN), outcomes=VERIFY))
        card.send(select_file(0xDF04))
        channel.close()
    return file


def test_a_recording_of_a_card_is_explained(tmp_path: Path) -> None:
    done = cardio(str(recording_of(tmp_path / "card.jsonl", reveal=True)), "--unmasked")
    assert done.exit_code == 0
    for text in ("SSSE/EF05", "规范版本 specification version: 2.00", "测试甲", "DF04", "PIN: 6位 6 digits"):
        assert text in done.stdout
    assert PIN not in done.stdout


def test_what_a_recording_hides_stays_hidden(tmp_path: Path) -> None:
    done = cardio(str(recording_of(tmp_path / "card.jsonl")), "--unmasked")
    assert done.exit_code == 0
    assert "轨迹中隐去 hidden in the trace" in done.stdout
    assert "5位或6位" not in done.stdout
    assert "5 or 6 digits" in done.stdout
    assert "测试甲" not in done.stdout


def test_the_time_is_shown_if_the_recording_has_it(tmp_path: Path) -> None:
    file = tmp_path / "card.jsonl"
    lines = [{"atr": "3B00", "protocol": "T=0"}, {"command": "0084000008", "answer": "6D00", "time": "12:34:56.789"}]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="ascii")
    assert "12:34:56.789" in cardio(str(file)).stdout
    assert json.loads(cardio(str(file), "--json").stdout)[1]["time"] == "12:34:56.789"


def test_a_wallet_is_recorded_and_explained() -> None:
    sink = io.StringIO()
    channel = record(EmbeddedReader("reader", citizen_card()).connect(), sink)
    CardConnection(channel).send(select_name(bytes.fromhex("A00000000386980701")))
    entry = json.loads(sink.getvalue().splitlines()[1])
    (step,) = explain([Exchange(entry["command"], entry["answer"])], masked=True)
    assert step.place == "ADF1"


# ---- input -------------------------------------------------------------------------------------------------------


def test_text_may_be_written_in_many_ways() -> None:
    lines = [
        "\ufeff# a comment"[1:],
        "",
        "atr : 3B00",
        "  → 00 84 00 00 08  # challenge",
        "← **** 9000",
        "> reset",
        "< 3B00",
        "> RESET",
    ]
    assert parse(lines, "x") == [
        Reset(b"\x3b\x00"),
        Exchange("0084000008", "****9000"),
        Reset(b"\x3b\x00"),
        Reset(b""),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("00A4000002DF01", "begins with >"),
        ("> 00A", "two hexadecimal digits"),
        ("> 00 XX", "two hexadecimal digits"),
        (">", "without bytes"),
        ("< 9000", "without a command"),
        ("ATR: 3", "ATR is hexadecimal"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "trace.txt"
    file.write_text(f"# first\n\n{line}\n", encoding="utf-8")
    done = cardio(str(file))
    assert done.exit_code == 2
    assert "trace.txt, line 3" in done.stderr
    assert reason in done.stderr
    with pytest.raises(InputInvalid):
        parse([line], "x")


def test_a_wrong_line_of_a_recording_is_named(tmp_path: Path) -> None:
    file = tmp_path / "card.jsonl"
    file.write_text('{"atr": "3B00", "protocol": "T=0"}\n{"command": "00"}\n', encoding="ascii")
    done = cardio(str(file))
    assert (done.exit_code, "line 2: 'answer' is missing" in done.stderr) == (2, True)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = cardio(str(tmp_path / "nothing.txt"))
    assert (done.exit_code, "nothing.txt: No such file" in done.stderr) == (2, True)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "byte 0 is no UTF-8 text" in cardio(str(tmp_path / "bytes")).stderr
    assert cardio(str(tmp_path)).exit_code == 2


def test_an_empty_trace_explains_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    done = cardio(str(tmp_path / "empty"), "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


# ---- anything ----------------------------------------------------------------------------------------------------

HEADERS = st.sampled_from(
    [bytes([(rule.cla or (0x00,))[0], rule.ins, rule.p1 or 0, rule.p2 or 0]) for rule in RULES]
) | st.binary(max_size=4)
BODIES = st.binary(max_size=40) | st.binary(max_size=40).map(lambda data: bytes([len(data)]) + data)
STATUS = st.sampled_from([b"\x90\x00", b"\x61\x08", b"\x6c\x08", b"\x62\x83", b"\x63\xc2"]) | st.binary(max_size=2)
MASKS = st.integers(min_value=0, max_value=60)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    header = bytearray(draw(HEADERS))
    if len(header) == 4 and draw(st.booleans()):
        header[2:] = draw(st.binary(min_size=2, max_size=2))
    command = (bytes(header) + draw(BODIES)).hex().upper()
    answer = (draw(st.binary(max_size=60)) + draw(STATUS)).hex().upper()
    start = 2 * draw(MASKS)
    if draw(st.booleans()):
        command = command[:start] + "*" * len(command[start:])
    if draw(st.booleans()):
        answer = answer[:start] + "*" * len(answer[start:])
    return Exchange(command, answer)


@given(
    st.lists(exchanges() | st.binary(max_size=40).map(Reset), max_size=12),
    st.booleans(),
)
def test_anything_at_all_is_explained(events: list[Exchange | Reset], masked: bool) -> None:
    steps = list(explain(events, masked=masked))
    numbers = [number for step in steps for number in step.exchanges]
    assert numbers == list(range(1, 1 + sum(isinstance(event, Exchange) for event in events)))
    for step in steps:
        assert json.loads(json.dumps(step.document()))
        assert page(step)
