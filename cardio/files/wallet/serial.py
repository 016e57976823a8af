"""The application serial number of CJ/T 166 cards (EW §2.3, §2.5)."""

from __future__ import annotations

from cardio.files.codecs import Digits, Number
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, optional


class ApplicationSerialNumber(FixedRecord):
    """应用序列号, 8 bytes: packed digits and a binary serial (EW §2.3). They are the diversification factor."""

    city: str | None = optional(Digits(2), "城市代码", "city code")
    main_type: str | None = optional(Digits(1, zero_is_value=True), "卡主类型", "card main type")
    sub_type: str | None = optional(Digits(1, zero_is_value=True), "卡子类型", "card sub type")
    serial: int | None = optional(Number(4), "卡流水号", "serial", personal=Mask.CARD_NUMBER)

    VECTORS = ("9999010000BC614E",)

    @property
    def digits(self) -> str:
        """All of it as 16 hexadecimal digits, as readers print it."""
        return self.encode().hex().upper()
