"""Status words, and what each means for the command that received it.

A word has no meaning of its own: `63C2` after VERIFY counts PIN tries, after UPDATE RECORD something else. So every
command carries its own `Outcomes`; words that its table does not know become `card.unexpected`, never a guess.
Source: SSC §5.2, EW §3.3, ISO 7816-4 §5.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cardio import errors
from cardio.errors import CardioError, Source

OK = 0x9000
ErrorType = type[CardioError]


@dataclass(frozen=True)
class Outcomes:
    """The status words of one command.

    Attributes:
        words: Error of each known word.
        tries: Error of `63Cx`; the low nibble is handed over as `tries_left`.
        no_tries: Error of `63C0` where it differs from `tries`.
        layer: Where the answer comes from, for the error's source: `card` or `sam`.
        unknown: Error of every other word.
    """

    words: Mapping[int, ErrorType] = field(default_factory=dict)
    tries: ErrorType | None = None
    no_tries: ErrorType | None = None
    layer: str = "card"
    unknown: ErrorType = errors.CardUnexpected

    def extended(self, words: Mapping[int, ErrorType]) -> Outcomes:
        """The same table with more words, or with other meanings for some."""
        return Outcomes({**self.words, **words}, self.tries, self.no_tries, self.layer, self.unknown)

    def error(self, sw: int, command: str) -> CardioError:
        """The error that `sw`, received from `command`, stands for."""
        source = Source(self.layer, command, f"{sw:04X}")
        if self.tries and sw & 0xFFF0 == 0x63C0:
            left = sw & 0x0F
            kind = self.no_tries if self.no_tries and not left else self.tries
            return kind(source=source, tries_left=left)
        return self.words.get(sw, self.unknown)(source=source)


FILE = Outcomes(
    {
        0x6581: errors.CardMemoryFailed,
        0x6982: errors.AccessDenied,
        0x6A82: errors.FileNotFound,
        0x6A83: errors.RecordNotFound,
        0x9303: errors.ApplicationBlocked,
    }
)
SELECT = FILE.extended(
    {
        0x6283: errors.ApplicationBlocked,
        0x6A81: errors.ApplicationBlocked,
    }
)
VERIFY = Outcomes(
    {
        0x6400: errors.PinTimeout,  # 6400, 6401 and 6403 come from the PIN pad, not from the card (OPS §4.6)
        0x6401: errors.PinCancelled,
        0x6403: errors.PinLength,
        0x6700: errors.PinLength,
        0x6983: errors.PinBlocked,
        0x9303: errors.ApplicationBlocked,
    },
    tries=errors.PinWrong,
    no_tries=errors.PinBlocked,
)
CHANGE_PIN = VERIFY.extended({0x6402: errors.PinMismatch})  # 6402 comes from the PIN pad, too
MAINTENANCE = Outcomes(
    {
        0x6581: errors.CardMemoryFailed,
        0x6982: errors.MaintenanceRefused,
        0x6983: errors.AuthenticationBlocked,
        0x6988: errors.MaintenanceRefused,
        0x6A81: errors.ApplicationBlocked,
        0x6A82: errors.FileNotFound,
        0x6A88: errors.MaintenanceRefused,
        0x9302: errors.MaintenanceRefused,
        0x9303: errors.ApplicationBlocked,
    }
)
"""Commands whose MAC proves the issuer (SSC §5.1, EW §3.3, §3.4)."""
UNBLOCK_PIN = MAINTENANCE.extended({0x6985: errors.PinUnset, 0x6A80: errors.PinUnblockRefused})
EXTERNAL_AUTHENTICATION = Outcomes(
    {
        0x6982: errors.AccessDenied,
        0x6983: errors.AuthenticationBlocked,
        0x6A88: errors.AccessDenied,
        0x9303: errors.ApplicationBlocked,
    },
    tries=errors.AuthenticationFailed,
)
INTERNAL_AUTHENTICATION = Outcomes({0x9303: errors.ApplicationBlocked}, unknown=errors.CardNotGenuine)
"""A card that cannot compute with a key which its product has does not prove itself."""
PURSE = Outcomes(
    {
        0x6581: errors.CardMemoryFailed,
        0x6982: errors.PinRequired,
        0x6A81: errors.ApplicationBlocked,
        0x9302: errors.MacInvalid,
        0x9303: errors.ApplicationBlocked,
        0x9401: errors.FundsInsufficient,
        0x9402: errors.CounterExhausted,
        0x9403: errors.KeyIndexUnsupported,
        0x9406: errors.RecordNotFound,
        0x9407: errors.RecordLocked,
        0x9408: errors.PurseGreyLocked,
    }
)
LOAD = PURSE.extended({0x6985: errors.BalanceLimit, 0x9401: errors.BalanceLimit})
"""INITIALIZE FOR LOAD: money is not wanted but offered (EW §3.3, PC-5)."""
SAM = Outcomes(
    {
        0x6983: errors.SamLocked,
        0x6A80: errors.SamKeyMissing,
        0x6A82: errors.SamKeyMissing,
        0x6A88: errors.SamKeyMissing,
        0x9302: errors.Mac2Invalid,
        0x9403: errors.SamNoPurchase,
    },
    tries=errors.Mac2Invalid,
    layer="sam",
    unknown=errors.SamFailed,
)
