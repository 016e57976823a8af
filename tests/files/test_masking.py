"""Personal values as they are shown where they may not be shown in full."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.files.dates import CardDate
from cardio.files.masking import HIDDEN, Mask


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (Mask.NAME, "张三", "张*"),
        (Mask.NAME, "欧阳修远", "欧***"),
        (Mask.NAME, "张", "张*"),
        (Mask.NAME, "", "*"),
        (Mask.ID_NUMBER, "110105194912310025", "110***********0025"),
        (Mask.ID_NUMBER, "12345678", "123*5678"),
        (Mask.ID_NUMBER, "1234567", HIDDEN),
        (Mask.CARD_NUMBER, "B00000131", "****0131"),
        (Mask.CARD_NUMBER, "12345", "****2345"),
        (Mask.CARD_NUMBER, "1234", HIDDEN),
        (Mask.DATE, CardDate(1990, 1, 2), "1990"),
        (Mask.DATE, CardDate(1990), "1990"),
        (Mask.HIDDEN, "330100", HIDDEN),
        (Mask.HIDDEN, b"\x01\x02", HIDDEN),
    ],
)
def test_a_mask_shows_only_its_part(mask: Mask, value: object, shown: str) -> None:
    assert mask.apply(value) == shown


@given(st.text(min_size=8, max_size=40))
def test_an_id_number_hides_all_but_the_first_three_and_last_four(number: str) -> None:
    shown = Mask.ID_NUMBER.apply(number)
    assert len(shown) == len(number)
    assert shown[3:-4] == "*" * (len(number) - 7)


@pytest.mark.parametrize("mask", [Mask.ID_NUMBER, Mask.CARD_NUMBER, Mask.HIDDEN])
@given(number=st.text("0123456789", max_size=4))
def test_a_number_too_short_to_be_masked_is_hidden(mask: Mask, number: str) -> None:
    assert mask.apply(number) == HIDDEN
