"""Where a command takes its keys from: a keyring file, an HSM, or a PSAM."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.hsm_keys import HsmKeysOption, load_hsm_keys
from cardio.cli.selection import ReaderChoice
from cardio.errors import InputInvalid, SamAbsent
from cardio.products.maintenance import MaintenanceSources
from cardio.readers.owner import SamOwner
from cardio.security.authentication import AuthenticationKeys
from cardio.security.hsm import Hsm, HsmKey
from cardio.security.keyring import Keyring
from cardio.security.maintenance import MaintenanceKeys
from cardio.security.psam import Psam
from cardio.virtual.issuing_keys import issuer_test_keyring

HSM_PIN_FILE = "CARDIO_HSM_PIN_FILE"

KeyringOption = Annotated[
    Path | None, typer.Option("--keyring", help="encrypted file with authentication keys", metavar="FILE")
]
HsmOption = Annotated[
    str | None,
    typer.Option(
        "--hsm",
        help=f"token with authentication keys: PKCS#11 library and label; its PIN: {HSM_PIN_FILE} or a prompt",
        metavar="LIBRARY:TOKEN",
    ),
]


@dataclass(frozen=True)
class KeyOptions:
    """A keyring file, or a token; not both."""

    keyring: KeyringOption = None
    hsm: HsmOption = None
    hsm_keys: HsmKeysOption = None

    @contextmanager
    def authentication(self, choice: ReaderChoice, *, wanted: bool = True) -> Iterator[AuthenticationKeys | None]:
        """Authentication keys: the keyring or the token that was named, or a PSAM if there is one.

        Args:
            choice: Readers in which to look for a PSAM.
            wanted: Whether to look for a PSAM.
        """
        with named_keys(self.keyring, self.hsm, self.hsm_keys) as named:
            if named is not None:
                yield named
                return
        try:
            found = choice.sam(None) if wanted else None
        except SamAbsent:
            found = None
        if found is None:
            yield None
            return
        owner = SamOwner(found.reader, choice.driver, virtual=found.virtual)
        try:
            yield Psam(owner)
        finally:
            owner.stop()

    @contextmanager
    def maintenance(self, choice: ReaderChoice) -> Iterator[MaintenanceSources]:
        """Keys that maintain cards: of the keyring or token that was named; for the embedded cards their test keys."""
        if choice.virtual and self.keyring is None and self.hsm is None:
            keyring_of_tests = issuer_test_keyring()
            yield MaintenanceSources(keyring_of_tests, keyring_of_tests)
            return
        with self.authentication(choice) as keys:
            source: object = keys
            yield MaintenanceSources(keys, source if isinstance(source, MaintenanceKeys) else None)


@contextmanager
def named_keys(
    keyring: Path | None, hsm: str | None, token_keys: Path | None = None, shared: Iterable[str] = ()
) -> Iterator[Keyring | Hsm | None]:
    """The keyring of that file, its passphrase from a prompt, or the token of that name; None if neither is named.

    Args:
        keyring: A keyring file.
        hsm: A token, as `open_hsm` takes it.
        token_keys: File that says what the token's keys are.
        shared: Names of keys that are the same for many cards.

    Raises:
        InputInvalid: Both are named, or a file without a token; or as of `open_hsm`.
    """
    if keyring is not None and hsm is not None:
        raise InputInvalid("--keyring and --hsm exclude each other")
    if hsm is None and token_keys is not None:
        raise InputInvalid("--hsm-keys tells of the keys of a token: --hsm")
    if keyring is not None:
        passphrase: str = typer.prompt(f"{keyring.name}: 密钥文件口令 keyring passphrase", hide_input=True, err=True)
        yield Keyring.load(keyring, passphrase)
    elif hsm is not None:
        opened = open_hsm(hsm, load_hsm_keys(token_keys, shared))
        try:
            yield opened
        finally:
            opened.close()
    else:
        yield None


def open_hsm(name: str, keys: Mapping[str, HsmKey]) -> Hsm:
    """The token of `--hsm`, logged in with the PIN from the file of CARDIO_HSM_PIN_FILE, or from a prompt.

    Args:
        name: `LIBRARY:TOKEN`.
        keys: Where it has its keys, as `Hsm` takes it.

    Raises:
        InputInvalid: The name has another form, or the file cannot be read.
        HsmFailed: The token is not there, or the PIN is wrong.
    """
    library, separator, token = name.rpartition(":")
    if not separator or not library or not token:
        raise InputInvalid("--hsm takes LIBRARY:TOKEN")
    file = os.environ.get(HSM_PIN_FILE)
    try:
        pin = (
            Path(file).read_text(encoding="utf-8").strip()
            if file
            else typer.prompt("HSM PIN", hide_input=True, err=True)
        )
    except OSError as error:
        raise InputInvalid(f"{file}: {error.strerror}") from error
    return Hsm(Path(library), token, pin, keys)
