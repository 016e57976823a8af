"""Whether a card may be used today (EW §2.3)."""

from datetime import date

import pytest

from cardio.applications.validity import check_validity
from cardio.errors import CardExpired, CardNotYetValid
from cardio.files.dates import CardDate

FIRST, LAST = CardDate(2026, 6, 1), CardDate(2035, 12, 31)


@pytest.mark.parametrize("today", [date(2026, 6, 1), date(2030, 2, 28), date(2035, 12, 31)])
def test_both_end_days_are_allowed(today: date) -> None:
    check_validity(FIRST, LAST, today)


def test_day_before_the_first_is_too_early() -> None:
    with pytest.raises(CardNotYetValid):
        check_validity(FIRST, LAST, date(2026, 5, 31))


def test_day_after_the_last_is_too_late() -> None:
    with pytest.raises(CardExpired) as caught:
        check_validity(FIRST, LAST, date(2036, 1, 1))
    assert not isinstance(caught.value, CardNotYetValid)


@pytest.mark.parametrize("today", [date(1, 1, 1), date(9999, 12, 31)])
def test_unwritten_dates_limit_nothing(today: date) -> None:
    check_validity(None, None, today)


def test_each_date_limits_on_its_own() -> None:
    check_validity(None, LAST, date(1999, 1, 1))
    check_validity(FIRST, None, date(2099, 1, 1))
    with pytest.raises(CardExpired):
        check_validity(None, LAST, date(2099, 1, 1))
    with pytest.raises(CardNotYetValid):
        check_validity(FIRST, None, date(1999, 1, 1))


def test_bare_years_and_months_last_to_their_ends() -> None:
    """Some 2.0 cards hold only a year (SSC §9.2)."""
    check_validity(CardDate(2026), CardDate(2026), date(2026, 1, 1))
    check_validity(CardDate(2026), CardDate(2026), date(2026, 12, 31))
    with pytest.raises(CardExpired):
        check_validity(CardDate(2026), CardDate(2026), date(2027, 1, 1))
    check_validity(None, CardDate(2028, 2), date(2028, 2, 29))
    with pytest.raises(CardExpired):
        check_validity(None, CardDate(2028, 2), date(2028, 3, 1))
