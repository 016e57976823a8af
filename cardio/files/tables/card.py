"""Code tables of issuer, holder and medical items (SSC §4.1, §4.5)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

SEX = CodeTable(
    "GB/T 2261.1",
    {
        "0": ("未知", "unknown"),
        "1": ("男", "male"),
        "2": ("女", "female"),
        "9": ("未说明", "not stated"),
    },
)

CARD_CLASS = CodeTable(
    "SSC §4.1, item 02; 9 is PC-1",
    {
        "1": ("学龄前儿童", "pre-school child"),
        "2": ("学生", "student"),
        "3": ("成人", "adult"),
        "4": ("老年人", "elderly"),
        "9": ("用人单位", "employer"),
    },
)

MEDICAL_CARD_MODE = CodeTable(
    "SSC §4.5, item 8F",
    {"1": ("联机", "on-line"), "2": ("脱机", "off-line")},
)

MEDICAL_RECORD_TYPE = CodeTable(
    "SSC §4.5, EF08",
    {"1": ("划入", "load"), "2": ("结算", "settlement")},
)
