"""Issuer keys in a hardware security module, reached through PKCS#11 (PERS §3.4).

Card keys are derived inside the token, level by level, and used there: cryptograms, MACs and check values come out,
keys do not. One thing a generic token cannot do: the block of WRITE KEY is the encryption of a header and the card's
key, and no mechanism joins the two inside. So a card's key that is written leaves the token for the moment in which its
block is made; Python cannot wipe it afterwards. The roots never leave.

What the token needs:

* roots are DES2 keys with CKA_DERIVE, and CKM_DES3_ECB_ENCRYPT_DATA works;
* an 8-byte key, as a transport key, is a DES2 key with two equal halves, which computes the same;
* a key of level 0 that makes MACs has its left half, twice, as a second key with `-LEFT` behind its label: PKCS#11 has
  no single DES chain that ends in 3DES;
* a key of level 0 that is itself written to cards (a batch key) may be read (CKA_SENSITIVE false).

What it cannot do: JavaCards. A secure channel makes its session keys by mechanisms that PKCS#11 does not have (SCP02:
the MAC chain of single DES that ends in 3DES; SCP03: a KDF over CMAC, under a key that is used by CMAC alone), and PUT
KEY wraps the card's keys under them. Static keys would have to leave the token for every card, so they are refused.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pkcs11 import Attribute, KeyType, MechanismFlag
from pkcs11.constants import DEFAULT
from pkcs11.exceptions import AttributeSensitive
from pkcs11.mechanisms import Mechanism

from cardio.crypto.check_values import SIZE as CHECK_VALUE_SIZE
from cardio.crypto.ciphers import complement, pad80, xor
from cardio.crypto.globalplatform.keys import CardKeySource
from cardio.crypto.suites import LdtSuite, with_length
from cardio.errors import SamKeyMissing
from cardio.security.hsm import Hsm
from cardio.security.issuing import (
    AUTHENTICATION_CHALLENGE,
    LINE_CHALLENGE,
    MAC_SIZE,
    CardKeyReference,
    IssuingKeys,
    KeySetReference,
    check_challenge,
)

BLOCK = 8
LEFT = "-LEFT"
"""Behind the label of a key: its left half, twice."""


class HsmIssuingKeys(IssuingKeys):
    """Issuer keys of a token; safe for use from several threads. 3DES only.

    Args:
        hsm: The token.
    """

    def __init__(self, hsm: Hsm) -> None:
        self._hsm = hsm

    @property
    def name(self) -> str:
        """`hsm:` and the token's label."""
        return self._hsm.name

    @property
    def test(self) -> bool:
        """Whether the token's label begins with `test`."""
        return self._hsm.test

    def kcv(self, key: CardKeyReference) -> bytes:
        """Check value of the card's key, 3 bytes."""
        return self._encrypt(key, bytes(BLOCK))[:CHECK_VALUE_SIZE]

    def cryptogram(self, key: CardKeyReference, challenge: bytes) -> bytes:
        """Data of EXTERNAL AUTHENTICATE."""
        check_challenge(challenge, AUTHENTICATION_CHALLENGE)
        return self._encrypt(key, challenge.ljust(BLOCK, b"\0"))

    def line_mac(self, key: CardKeyReference, challenge: bytes, message: bytes) -> bytes:
        """MAC of a protected command: a chain under the left half, the last block under the whole key (EW §4.1)."""
        check_challenge(challenge, LINE_CHALLENGE)
        padded, chained = pad80(message, BLOCK), challenge.ljust(BLOCK, b"\0")
        before, last = padded[:-BLOCK], padded[-BLOCK:]
        if before:
            with self._left_half(key) as half:
                chain = half.encrypt(before, mechanism=Mechanism.DES3_CBC, mechanism_param=chained)
            chained = bytes(chain)[-BLOCK:]
        return self._encrypt(key, xor(chained, last))[:MAC_SIZE]

    def authentication(self, key: CardKeyReference, session_factor: bytes, original: bytes) -> bytes:
        """Authentication data of social security cards; the session key leaves the token (SSC §5.5)."""
        return LdtSuite(key.suite.algorithm).authentication(self._encrypt(key, session_factor), original)

    def key_set(self, reference: KeySetReference) -> CardKeySource:
        """Refused: PKCS#11 cannot compute a secure channel, and static keys do not leave the token."""
        raise SamKeyMissing(
            f"{self.name}: {reference.enc}, {reference.mac}, {reference.dek}: a token cannot compute the secure"
            " channels of JavaCards; keep their key sets in a keyring"
        )

    def _line_encrypt(self, key: CardKeyReference, data: bytes) -> bytes:
        return self._encrypt(key, with_length(data, BLOCK))

    def _value(self, key: CardKeyReference) -> bytes:
        label, factors = self._hsm.place(key.name, key.suite, key.factors)
        with self._hsm.token() as find:
            if not factors:
                return self._readable(find(label), label)
            with self._derived(find(label), label, [_whole(factor) for factor in factors[:-1]]) as above:
                return _ecb(above, _whole(factors[-1]))

    def _encrypt(self, key: CardKeyReference, data: bytes) -> bytes:
        """3DES under a card's key inside the token."""
        label, factors = self._hsm.place(key.name, key.suite, key.factors)
        with (
            self._hsm.token() as find,
            self._derived(find(label), label, [_whole(factor) for factor in factors]) as card_key,
        ):
            return _ecb(card_key, data)

    @contextmanager
    def _left_half(self, key: CardKeyReference) -> Iterator[Any]:
        """A token's key that is the left half of a card's key, twice: with it, 3DES is single DES."""
        label, factors = self._hsm.place(key.name, key.suite, key.factors)
        with self._hsm.token() as find:
            if not factors:
                yield find(label + LEFT)
                return
            blocks = [*(_whole(factor) for factor in factors[:-1]), factors[-1] * 2]
            with self._derived(find(label), label, blocks) as half:
                yield half

    @contextmanager
    def _derived(self, root: Any, label: str, blocks: list[bytes]) -> Iterator[Any]:
        """The key that derivation through some blocks gives; it stays in the token and is gone afterwards."""
        made: list[Any] = []
        try:
            key = root
            for block in blocks:
                if not key[Attribute.DERIVE]:
                    raise SamKeyMissing(f"{self.name}: {label} may not derive keys (CKA_DERIVE)")
                key = _derive(key, block)
                made.append(key)
            yield key
        finally:
            for one in made:
                one.destroy()

    def _readable(self, key: Any, label: str) -> bytes:
        try:
            return bytes(key[Attribute.VALUE])
        except AttributeSensitive:
            raise SamKeyMissing(f"{self.name}: {label} may not leave the token (CKA_SENSITIVE)") from None


def _whole(factor: bytes) -> bytes:
    """The block whose encryption is the key of the next level (EW §4.2)."""
    return factor + complement(factor)


def _ecb(key: Any, data: bytes) -> bytes:
    return bytes(key.encrypt(data, mechanism=Mechanism.DES3_ECB))


def _derive(key: Any, block: bytes) -> Any:
    """C_DeriveKey: the encryption of 16 bytes becomes a DES2 key of this session."""
    data = ctypes.create_string_buffer(block, len(block))
    attributes = {
        Attribute.TOKEN: False,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        # python-pkcs11 sends the length by itself, and tokens refuse it for DES2, whose length is known (PERS §3.4).
        Attribute.VALUE_LEN: DEFAULT,
    }
    return key.derive_key(
        KeyType.DES2,
        len(block) * 8,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DERIVE,
        mechanism=Mechanism.DES3_ECB_ENCRYPT_DATA,
        # CK_KEY_DERIVATION_STRING_DATA: pointer and length.
        mechanism_param=struct.pack("@PL", ctypes.addressof(data), len(block)),
        template=attributes,
    )
