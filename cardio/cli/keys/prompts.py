"""What `cardio keys` asks people for; what is secret is typed without echo, and prompts go to standard error."""

from __future__ import annotations

from pathlib import Path

import typer

from cardio.crypto.check_values import KeyAlgorithm
from cardio.personalize.ceremony import parse_kcv
from cardio.personalize.key_store import KeyStore
from cardio.security.key_components import KeyComponent


def open_store(file: Path) -> KeyStore:
    """Open a keyring file with its passphrase.

    Raises:
        KeyringInvalid: It cannot be read, or the passphrase is wrong.
    """
    return KeyStore.open(file, _secret(f"{file.name}: 密钥文件口令 keyring passphrase"))


def new_passphrase(file: Path) -> str:
    """The passphrase of a file that is made, typed twice."""
    return _secret(f"{file.name}: 新口令 new passphrase", confirm=True)


def typed_component(custodian: str, algorithm: KeyAlgorithm) -> KeyComponent:
    """A component that its custodian has on paper.

    Raises:
        KeyRejected: What was typed is none.
    """
    return KeyComponent.typed(custodian, algorithm, _secret(f"{custodian}: 密钥分量 component (hex)"))


def filed_component(file: Path, algorithm: KeyAlgorithm) -> KeyComponent:
    """A component that its custodian has in a file.

    Raises:
        KeyringInvalid: It cannot be read, or the passphrase is wrong.
        SamError: It is no file of a component.
    """
    return KeyComponent.load(file, _secret(f"{file.name}: 分量文件口令 component passphrase"), algorithm)


def component_kcv(custodian: str) -> bytes:
    """Check value of a component, from its custodian.

    Raises:
        InputInvalid: It is none.
    """
    return parse_kcv(_shown(f"{custodian}: 分量校验值 KCV of the component"))


def key_kcv(checker: str) -> bytes:
    """Check value of the whole key, from the person who checks it.

    Raises:
        InputInvalid: It is none.
    """
    return parse_kcv(_shown(f"{checker}: 密钥校验值 KCV of the key"))


def _secret(question: str, *, confirm: bool = False) -> str:
    answer: str = typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def _shown(question: str) -> str:
    answer: str = typer.prompt(question, err=True)
    return answer
