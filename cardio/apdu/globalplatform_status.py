"""What status words mean for the commands of GlobalPlatform cards (PERS §2.1, §2.5)."""

from __future__ import annotations

from cardio import errors
from cardio.apdu.status import Outcomes

MORE_DATA = 0x6310
"""GET STATUS has more to tell."""

INITIALIZE_UPDATE = Outcomes(
    {
        0x6982: errors.AuthenticationBlocked,
        0x6983: errors.AuthenticationBlocked,
        0x6A81: errors.CardBlocked,
        0x6A88: errors.CardContentUnknown,
    }
)
EXTERNAL_AUTHENTICATE = Outcomes(
    {
        0x6300: errors.SecureChannelRefused,
        0x6982: errors.SecureChannelRefused,
        0x6983: errors.AuthenticationBlocked,
        0x6985: errors.SecureChannelRefused,
        0x6988: errors.SecureChannelRefused,
    },
    tries=errors.SecureChannelRefused,
)
CONTENT = Outcomes(
    {
        0x6581: errors.CardMemoryFailed,
        0x6982: errors.AccessDenied,
        0x6985: errors.CardContentRefused,
        0x6A80: errors.CardContentRefused,
        0x6A81: errors.CardBlocked,
        0x6A82: errors.CardContentUnknown,
        0x6A84: errors.CardFull,
        0x6A88: errors.CardContentUnknown,
    }
)
"""DELETE, INSTALL, LOAD, STORE DATA, GET STATUS, SET STATUS and GET DATA."""
PUT_KEY = CONTENT.extended(
    {
        0x6982: errors.KeyCheckFailed,
        0x9484: errors.CardContentRefused,
        0x9485: errors.KeyCheckFailed,
    }
)
