"""Unblocking, reloading and blocking: the commands are those of SSC §9 and of the vectors of EW §10, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardio.applications.authority import Authority
from cardio.applications.card_files import CardFiles
from cardio.applications.card_maintenance import SocialSecurityMaintenance, WalletMaintenance
from cardio.applications.pin import PinPresenter
from cardio.applications.protected_commands import ProtectedCommands
from cardio.crypto.ciphers import Algorithm
from cardio.errors import (
    ApplicationBlocked,
    AuthenticationBlocked,
    CardError,
    MaintenanceRefused,
    PinUnblockRefused,
    PinUnset,
)
from cardio.files.reading import FileReader
from cardio.files.social_security.trees import SSC_2_0
from cardio.products.maintenance import open_environment
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family
from cardio.security.maintenance import MaintenanceKey, ReloadMac
from cardio.virtual.products import example_card
from tests.applications.maintaining import (
    SHIPPED,
    give,
    listened,
    sources,
    use_up_tries,
)
from tests.applications.presenting import NAMING
from tests.purse.scripted import scripted
from tests.virtual.ldt import FACTORS, LdtCard
from tests.virtual.test_ldt_vectors import COLUMNS, RELOAD_CHALLENGE, Column, card_of
from tests.virtual.vectors import Exchange, entries

VECTORS = {entry["id"]: entry for entry in entries()}
PUK_CHALLENGE = "E4A30F837E2CAFEC"
"""Of the published trace (SSC §9.2)."""


# ---- the specification's bytes: social security ------------------------------------------------------------------


class VectorCipher:
    """What the keys of the vector's card depend on."""

    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm = algorithm

    def algorithm(self) -> Algorithm:
        return self._algorithm

    def factors(self) -> tuple[bytes, ...]:
        return tuple(FACTORS)


def vector_maintenance(column: Column) -> tuple[SocialSecurityMaintenance, LdtCard, list[str]]:
    """Maintenance of the card of SSC §9.3 by its own card keys, the card, and what is sent to it."""
    card = card_of(column)
    connection, sent = listened(card.card)
    card_keys = {one.name: RootKey(one.keys[0], 0) for keys in card.security.keys.values() for one in keys}
    keys = Keyring("vector", card_keys, test=True)
    cipher = VectorCipher(column.algorithm)
    authority = Authority(connection, PinPresenter(connection, None, caller_pin=False), keys, NAMING, cipher)
    files = CardFiles(connection, FileReader(connection), SSC_2_0.root, authority, selected="")
    commands = ProtectedCommands(connection, keys, Family.LDT, column.algorithm, cipher.factors())
    return SocialSecurityMaintenance(commands, files, authority), card, sent


each_cipher = pytest.mark.parametrize("column", COLUMNS, ids=[str(column.algorithm) for column in COLUMNS])


@each_cipher
def test_pin_unblock_is_that_of_ssc_9_3(column: Column) -> None:
    maintenance, card, sent = vector_maintenance(column)
    use_up_tries(card.card)
    give(card.card, PUK_CHALLENGE, RELOAD_CHALLENGE)
    maintenance.unblock_pin()
    assert sent[-1] == column.unblock
    assert sent[-3].startswith("0082000610")
    assert card.security.pin is not None
    assert card.security.pin.tries_left == 6


@each_cipher
def test_pin_reload_is_that_of_ssc_9_3(column: Column) -> None:
    maintenance, card, sent = vector_maintenance(column)
    give(card.card, PUK_CHALLENGE, RELOAD_CHALLENGE)
    maintenance.reload_pin("123456")
    assert sent[-1] == column.reload


def test_blocks_are_those_of_ssc_9_3() -> None:
    maintenance, card, sent = vector_maintenance(COLUMNS[0])
    give(card.card, PUK_CHALLENGE, RELOAD_CHALLENGE, PUK_CHALLENGE, RELOAD_CHALLENGE)
    maintenance.block_application("DF03", forever=True)
    assert sent[-1] == "841E0001047A103B76"
    maintenance.block_card(forever=True)
    assert sent[-1] == "841600000419437F5D"


def test_reload_has_the_form_of_the_published_trace_of_a_third_generation_card() -> None:
    """SSC §9.2: two challenges of 8 bytes, PUK with kid 06, then Lc 14; the keys of that card are not known."""
    card, sent = listened(example_card(SHIPPED["ssc-3.0"]))
    maintenance = open_environment(card, SHIPPED, sources()).maintenance
    sent.clear()
    maintenance.reload_pin("123456")
    published = "84240001142bc19c17ae974cd2427039c301cff79ffd937aa7"
    assert [(command[:10].upper(), len(command)) for command in sent] == [
        ("0084000008", 10),
        ("0082000610", len("008200061050C45431554CBADC1B0D7286F2DC77AF")),
        ("0084000008", 10),
        (published[:10].upper(), len(published)),
    ]


# ---- the specification's bytes: wallets --------------------------------------------------------------------------


def vector_wallet(name: str, *script: Exchange) -> tuple[WalletMaintenance, Callable[[], None]]:
    """Maintenance of a vector's wallet over its script, and the check that all of it was sent."""
    inputs, algorithm = VECTORS[name]["inputs"], Algorithm.TRIPLE_DES
    if VECTORS[name]["alg"] == "SM4":
        algorithm = Algorithm.SM4
    (master,) = (value for field, value in inputs.items() if field.startswith("master_"))
    root = RootKey(bytes.fromhex(master), 1)
    keys = Keyring("vector", {key.value: root for key in MaintenanceKey}, test=True)
    exchanges = [Exchange(apdu["command"], apdu["response"]) for apdu in VECTORS[name]["apdus"]]
    connection, channel = scripted(*script, *exchanges)
    commands = ProtectedCommands(connection, keys, Family.PBOC, algorithm, (bytes.fromhex(inputs["factor"]),))
    rule = ReloadMac.WHOLE_COMMAND if "whole-command" in name else ReloadMac.PIN_ONLY
    return WalletMaintenance(commands, rule), channel.assert_finished


@pytest.mark.parametrize("name", ["3des-sm-pin-unblock-6", "sm4-sm-pin-unblock-6"])
def test_pin_unblock_is_that_of_the_vector(name: str) -> None:
    maintenance, finished = vector_wallet(name)
    maintenance.unblock_pin("123456")
    finished()


@pytest.mark.parametrize("name", [name for name in VECTORS if "-reload-pin-" in name])
def test_reload_pin_is_that_of_the_vector(name: str) -> None:
    maintenance, finished = vector_wallet(name)
    maintenance.reload_pin(VECTORS[name]["inputs"]["pin"])
    finished()


@pytest.mark.parametrize("cipher", ["3des", "sm4"])
@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("app-block-temporary", lambda one: one.block_application(forever=False)),
        ("app-block-permanent", lambda one: one.block_application(forever=True)),
        ("app-unblock", lambda one: one.unblock_application()),
    ],
)
def test_blocks_of_a_wallet_are_those_of_the_vectors(
    cipher: str, name: str, act: Callable[[WalletMaintenance], None]
) -> None:
    maintenance, finished = vector_wallet(f"{cipher}-sm-{name}")
    act(maintenance)
    finished()


@pytest.mark.parametrize("cipher", ["3des", "sm4"])
def test_card_block_is_that_of_the_vector(cipher: str) -> None:
    maintenance, finished = vector_wallet(f"{cipher}-sm-card-block", Exchange("00A40000023F0000", "9000"))
    maintenance.block_card(forever=True)
    finished()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6988", MaintenanceRefused),
        ("9302", MaintenanceRefused),
        ("6983", AuthenticationBlocked),
        ("6982", MaintenanceRefused),
        ("6A80", PinUnblockRefused),
        ("6985", PinUnset),
        ("9303", ApplicationBlocked),
    ],
)
def test_a_refusal_has_a_name_and_is_not_repeated(status: str, error: type[CardError]) -> None:
    card, script = scripted(
        Exchange("0084000004", "8F3A5C219000"),
        Exchange("842400000C6A8D79EDE5E77C35407E7C8E", status),
    )
    vector = VECTORS["3des-sm-pin-unblock-6"]["inputs"]
    keys = Keyring("vector", {MaintenanceKey.PIN_UNBLOCK: RootKey(bytes.fromhex(vector["master_DPUK"]), 1)}, test=True)
    commands = ProtectedCommands(card, keys, Family.PBOC, Algorithm.TRIPLE_DES, (bytes.fromhex(vector["factor"]),))
    with pytest.raises(error):
        WalletMaintenance(commands, ReloadMac.PIN_ONLY).unblock_pin("123456")
    script.assert_finished()
