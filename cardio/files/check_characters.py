"""Check characters of card numbers and citizen ID numbers, and what an ID number tells (SSC §4.7)."""

from __future__ import annotations

import re
from datetime import date

from cardio.files.dates import CardDate

_CARD_NUMBER = re.compile(r"[A-Z][0-9A-Z]{7}")
_CITIZEN_ID = re.compile(r"[0-9]{17}")
_OLD_CITIZEN_ID = re.compile(r"[0-9]{15}")
_CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"


def card_number_check_character(body: str) -> str:
    """Ninth character of a card number: a digit or X.

    Args:
        body: The first 8 characters, a capital letter and then digits or capital letters.

    Raises:
        ValueError: `body` is not of that form.
    """
    if not _CARD_NUMBER.fullmatch(body):
        raise ValueError("a card number begins with a capital letter and 7 digits or capital letters")
    total = sum(int(character, 36) * weight for character, weight in zip(body, _CARD_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def is_card_number(number: str) -> bool:
    """Whether `number` has 9 characters of which the last checks the others."""
    return bool(_CARD_NUMBER.fullmatch(number[:8])) and number[8:] == card_number_check_character(number[:8])


def citizen_id_check_character(body: str) -> str:
    """Eighteenth character of a citizen ID number, GB 11643: a digit or X.

    Args:
        body: The first 17 digits.

    Raises:
        ValueError: `body` is not 17 digits.
    """
    if not _CITIZEN_ID.fullmatch(body):
        raise ValueError("17 decimal digits are needed")
    total = sum(int(digit) * weight for digit, weight in zip(body, _CITIZEN_WEIGHTS, strict=True))
    return _CITIZEN_CHECKS[total % 11]


def is_citizen_id(number: str) -> bool:
    """Whether `number` is an 18-character citizen ID number: its check character fits and its birth date exists."""
    if not _CITIZEN_ID.fullmatch(number[:17]) or number[17:] != citizen_id_check_character(number[:17]):
        return False
    return _day(number[6:14]) is not None


def citizen_id_of_old_number(old: str) -> str:
    """The 18-character number of an old one with 15 digits: the century 19 and the check character come in.

    Raises:
        ValueError: `old` is not 15 digits.
    """
    if not _OLD_CITIZEN_ID.fullmatch(old):
        raise ValueError("15 decimal digits are needed")
    body = f"{old[:6]}19{old[6:]}"
    return body + citizen_id_check_character(body)


def birth_date_of_citizen_id(number: str) -> CardDate | None:
    """Date of birth; None where `number` is no citizen ID number of 18 or 15 characters."""
    full = _full(number)
    return None if full is None else _day(full[6:14])


def sex_of_citizen_id(number: str) -> str | None:
    """Sex as GB/T 2261.1 codes it, "1" male or "2" female; None where `number` is no citizen ID number."""
    full = _full(number)
    return None if full is None else "1" if int(full[16]) % 2 else "2"


def _full(number: str) -> str | None:
    full = citizen_id_of_old_number(number) if _OLD_CITIZEN_ID.fullmatch(number) else number
    return full if is_citizen_id(full) else None


def _day(digits: str) -> CardDate | None:
    try:
        return CardDate.of(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])))
    except ValueError:
        return None
