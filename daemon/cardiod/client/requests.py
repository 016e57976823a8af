"""Requests that move money: each has a key, made and written down before it is sent (design §3, OPS §4.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import uuid6

from cardio.errors import InputInvalid
from cardiod.api.schemas.requests import NOT_IN_FINGERPRINT

KEY_PATTERN = re.compile(r"[!-~]{1,255}")
"""What fits into the header: printable ASCII without spaces."""


@dataclass(frozen=True)
class Request:
    """What is asked, and under which key; the same key with the same body never moves money twice.

    Attributes:
        operation: Path below `/v1`, for example `debit`.
        key: Idempotency-Key.
        body: What must be the same whenever the key is used: all but `reader`, `wait_s` and `pin`.
    """

    operation: str
    key: str
    body: dict[str, Any]


def new_request(operation: str, body: dict[str, Any], key: str | None) -> Request:
    """A request; without a key it gets a new one, a UUIDv7.

    Raises:
        InputInvalid: The key is not 1 to 255 printable ASCII characters.
    """
    if key is not None and not KEY_PATTERN.fullmatch(key):
        raise InputInvalid("a key is 1 to 255 printable ASCII characters without spaces")
    kept = {name: value for name, value in body.items() if name not in NOT_IN_FINGERPRINT}
    return Request(operation, str(uuid6.uuid7()) if key is None else key, kept)
