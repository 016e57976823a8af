"""Whether the clock is kept by somebody: card records and vouchers hold its time (OPS §4.13)."""

from __future__ import annotations

import ctypes
import struct

from cardio.cli.doctor.findings import Finding, Text, ok, warn

NAME = "clock.synchronized"
TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronized."""
TIMEX_BYTES = 256
"""More than `struct timex` has anywhere; zeros ask for nothing to be changed."""
MAXIMUM_ERROR = struct.Struct("@l")
MAXIMUM_ERROR_AT = 3 * MAXIMUM_ERROR.size
"""`maxerror` in µs, behind `modes` and its padding, `offset` and `freq`."""


def synchronized() -> Finding:
    """What the kernel knows about its clock."""
    state, error_us = kernel_clock()
    return judge(state, error_us)


def judge(state: int, error_us: int) -> Finding:
    """A finding from what the kernel answered.

    Args:
        state: State of the clock; negative if the kernel did not answer.
        error_us: Its largest error, µs.
    """
    if state < 0 or state == TIME_ERROR:
        return warn(
            NAME,
            Text("时钟未与时间服务器同步", "the clock is not synchronized with any server"),
            Text(
                "apt-get install systemd-timesyncd; timedatectl set-ntp true",
                "apt-get install systemd-timesyncd; timedatectl set-ntp true",
            ),
        )
    error = f"{error_us / 1e6:.3f}"
    return ok(NAME, Text(f"时钟已同步，误差不超过{error}秒", f"the clock is synchronized, to {error} s"))


def kernel_clock() -> tuple[int, int]:
    """State of the kernel's clock, and its largest error in µs (adjtimex(2))."""
    asked = ctypes.create_string_buffer(TIMEX_BYTES)
    state = ctypes.CDLL(None).adjtimex(asked)
    (error_us,) = MAXIMUM_ERROR.unpack_from(asked, MAXIMUM_ERROR_AT)
    return state, error_us
