"""Keys between two issuers' keyrings, wrapped, with check values and two persons (PERS §3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cardio.crypto.check_values import KeyAlgorithm
from cardio.errors import InputInvalid
from cardio.personalize.ceremony import parse_kcv
from cardio.personalize.key_store import EXPORTED, IMPORTED, KeyStore, two_persons
from cardio.security.key_blocks import Tr31Version, ecb_unwrap, ecb_wrap, tr31_unwrap, tr31_wrap
from cardio.security.keyring import MAX_LEVELS


class Form(StrEnum):
    """How a key is wrapped."""

    TR31_AES = "tr31-d"
    TR31_TRIPLE_DES = "tr31-b"
    ECB = "ecb"


VERSIONS = {Form.TR31_AES: Tr31Version.AES, Form.TR31_TRIPLE_DES: Tr31Version.TRIPLE_DES}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Transport:
    """A wrapped key and what is told of it.

    Attributes:
        form: How it is wrapped.
        block: The TR-31 key block, or the encrypted key in hexadecimal digits.
        algorithm: What the key is for; a TR-31 block says it itself.
        name: Name that it gets; empty for the one in its block.
        levels: Factors from it to a card; None for those in its block.
        kcv: Check value, 6 hexadecimal digits; empty where a TR-31 block came without.
    """

    form: Form
    block: str
    algorithm: KeyAlgorithm = KeyAlgorithm.TRIPLE_DES
    name: str = ""
    levels: Annotated[int, Field(ge=0, le=MAX_LEVELS)] | None = None
    kcv: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON carries it."""
        return asdict(self)

    @classmethod
    def parse(cls, text: str, *, name: str | None = None, levels: int | None = None, kcv: str | None = None) -> Self:
        """What `document` made, or a TR-31 key block alone.

        Args:
            text: JSON or key block.
            name: Name that the key gets instead of its own.
            levels: Levels instead of its own.
            kcv: Check value that came another way; one in the document must be the same.

        Raises:
            InputInvalid: It is neither, or two check values differ.
        """
        found = cls._document(text) if text.lstrip().startswith("{") else cls(cls._form(text.strip()), text.strip())
        if kcv is not None and found.kcv and parse_kcv(kcv) != parse_kcv(found.kcv):
            raise InputInvalid("the check value is not the one that stands beside the wrapped key")
        return replace(
            found,
            name=found.name if name is None else name,
            levels=found.levels if levels is None else levels,
            kcv=found.kcv if kcv is None else kcv,
        )

    @classmethod
    def _document(cls, text: str) -> Self:
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError:
            raise InputInvalid("this is no wrapped key as `cardio keys export` prints it") from None

    @staticmethod
    def _form(block: str) -> Form:
        forms = {version.value: form for form, version in VERSIONS.items()}
        try:
            return forms[block[:1]]
        except KeyError:
            raise InputInvalid("this is neither a document of `cardio keys export` nor a TR-31 key block") from None


def export_key(
    store: KeyStore,
    name: str,
    kek: str,
    form: Form,
    algorithm: KeyAlgorithm,
    persons: Sequence[str],
    purpose: str,
) -> Transport:
    """Wrap a key under another one, and log it before it is told.

    Raises:
        InputInvalid: It takes two persons.
        SamKeyMissing: The keyring does not have one of the keys.
        KeyRejected: One of them does not fit.
        StoreError: The log cannot be written.
    """
    named, keyring = two_persons(persons), store.keyring
    if form is Form.ECB:
        block = ecb_wrap(keyring, name, kek, algorithm).hex().upper()
    else:
        block = tr31_wrap(keyring, name, kek, VERSIONS[form], algorithm)
    kcv = keyring.check_values(name)[algorithm].hex().upper()
    store.record(EXPORTED, name, _payload(purpose, named, kek, form, kcv))
    return Transport(form, block, algorithm, name, keyring.levels(name), kcv)


def import_key(store: KeyStore, transport: Transport, kek: str, persons: Sequence[str], purpose: str) -> Transport:
    """Unwrap a key and put it into the keyring; return it as it was taken, with name, levels and check value.

    Raises:
        InputInvalid: It takes two persons; or nobody says its name, or its check value where it must be known.
        SamKeyMissing: The keyring does not have the KEK.
        KeyRejected: The block was changed, or the key is weak, or the keyring has it already.
        KeyCheckFailed: Its check value is another.
        StoreError: The log cannot be written.
        KeyringInvalid: The file cannot be written.
    """
    named, keyring = two_persons(persons), store.keyring
    if transport.form is Form.ECB:
        if not transport.kcv:
            raise InputInvalid("a key in this form is taken only with its check value: --kcv")
        arrival = ecb_unwrap(keyring, kek, _bytes(transport.block), transport.algorithm, parse_kcv(transport.kcv))
    else:
        arrival = tr31_unwrap(keyring, kek, transport.block)
        if transport.kcv:
            arrival.check(parse_kcv(transport.kcv))
    name = transport.name or arrival.name
    levels = transport.levels if transport.levels is not None else arrival.levels
    if not name:
        raise InputInvalid("the block does not say the name of its key: --name and --levels")
    kcv = arrival.kcv.hex().upper()
    store.change(
        lambda present: arrival.accepted(present, name, levels),
        IMPORTED,
        name,
        {"levels": levels, **_payload(purpose, named, kek, transport.form, kcv)},
    )
    return replace(transport, algorithm=arrival.algorithm, name=name, levels=levels, kcv=kcv)


def _payload(purpose: str, persons: list[str], kek: str, form: Form, kcv: str) -> dict[str, Any]:
    return {"purpose": purpose, "persons": persons, "kek": kek, "form": form.value, "kcv": kcv}


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputInvalid("the encrypted key consists of hexadecimal digits") from None
