"""The PSAM's side of an authentication: DELIVERY SESSION KEY and CIPHER DATA (SSC §6.4)."""

from __future__ import annotations

from cardio.apdu.command import Command
from cardio.apdu.status import SAM
from cardio.crypto.ciphers import Algorithm, xor
from cardio.errors import SamFailed, SamKeyMissing
from cardio.security.authentication import SIZE, AuthenticationOrder
from cardio.security.psam_exchange import WRONG_LEVELS, Send


def authenticate_with_psam(send: Send, order: AuthenticationOrder) -> bytes:
    """Authentication data of 8 bytes from the PSAM whose application is selected; 2 APDUs.

    The number of levels of the root in the PSAM is not fixed: others are tried while it answers 6A80 (SSC §6.2).

    Args:
        send: Sends a command to the PSAM.
        order: What to compute.

    Raises:
        SamKeyMissing: The PSAM has no such key, or no source says how PSAMs name it.
        SamFailed: It answered nonsense.
    """
    _deliver_session_key(send, order)
    original = _block(order.original, order.algorithm)
    command = Command("CIPHER DATA", 0x80, 0xFA, 0x00, 0x00, data=original, le=0, outcomes=SAM, repeatable=False)
    response = send(command)
    if not response.ok:
        raise SAM.error(response.sw, command.name)
    if len(response.data) == 2 * SIZE:
        return xor(response.data[:SIZE], response.data[SIZE:])
    if len(response.data) != SIZE:
        raise SamFailed(f"{command.name} answered {len(response.data)} bytes")
    return response.data


def _deliver_session_key(send: Send, order: AuthenticationOrder) -> None:
    key = order.key
    if key.psam_id is None:
        raise SamKeyMissing(f"no source says how a PSAM names {key.name}")
    for levels in key.authority.value:
        factors = order.factors[::-1][:levels]
        command = Command(
            "DELIVERY SESSION KEY",
            0xBF,
            0xDE,
            key.purpose(levels),
            key.psam_id,
            data=b"".join(factors) + _block(order.session_factor, order.algorithm),
            outcomes=SAM,
            repeatable=False,
        )
        response = send(command)
        if response.ok:
            return
        if response.sw not in {WRONG_LEVELS, 0x6A88}:
            raise SAM.error(response.sw, command.name)
    raise SamKeyMissing(f"the PSAM has no {key.name} at any level")


def _block(data: bytes, algorithm: Algorithm) -> bytes:
    """Factor and original fill a block of the cipher: 16 bytes under SM4 (SSC §6.4)."""
    return data + bytes(8) if algorithm is Algorithm.SM4 else data
