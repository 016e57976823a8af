"""Bodies of requests: they are read whole, within a size and a time, before anything else happens (OPS §4.7)."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from cardio.errors import BodyTooLarge, RequestTimeout

BODY_LIMIT = 64 * 1024
"""Bytes; the largest request of ours has less than a tenth of it."""
BODY_SECONDS = 10.0
"""Until the body must be there."""
PATIENCE_LIMIT = 16 * BODY_LIMIT
"""Bytes of a body that is too large which we take and drop: who still sends does not read our refusal."""


async def whole_body(headers: Headers, receive: Receive) -> Receive | None:
    """Read the body, and give a `receive` that hands it out again; None if the caller has hung up meanwhile.

    Raises:
        BodyTooLarge: It has more bytes than any request of ours; the connection must be closed.
        RequestTimeout: It did not come in time; the connection must be closed.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > BODY_LIMIT and "expect" in headers:
        raise BodyTooLarge(f"{announced} bytes; the limit is {BODY_LIMIT}")
    body = bytearray()
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more and size <= PATIENCE_LIMIT:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
                if size <= BODY_LIMIT:
                    body += message.get("body", b"")
    except TimeoutError:
        raise RequestTimeout("the body of the request") from None
    if size > BODY_LIMIT:
        raise BodyTooLarge(f"the limit is {BODY_LIMIT} bytes")
    handed_out = False

    async def again() -> Message:
        nonlocal handed_out
        if handed_out:
            return await receive()
        handed_out = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return again
