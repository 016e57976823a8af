"""Code tables of health data (SSC §4.6)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

HEALTH_STATE = CodeTable(
    "SSC §4.6, item A0",
    {
        "1": ("健康或良好", "good"),
        "2": ("一般或较弱", "fair"),
        "3": ("有慢性病", "chronic disease"),
        "4": ("残疾", "disabled"),
    },
)

DISABILITY_CLASS = CodeTable(
    "SSC §4.6, item A1",
    {
        "1": ("视力残疾", "sight"),
        "2": ("听力残疾", "hearing"),
        "3": ("言语残疾", "speech"),
        "4": ("肢体残疾", "limb"),
        "5": ("智力残疾", "intellectual"),
        "6": ("精神残疾", "mental"),
        "7": ("多重残疾", "multiple"),
        "9": ("其他残疾", "other"),
    },
)

DISABILITY_LEVEL = CodeTable(
    "SSC §4.6, item B9",
    {
        "1": ("一级", "level 1"),
        "2": ("二级", "level 2"),
        "3": ("三级", "level 3"),
        "4": ("四级", "level 4"),
    },
)

RHESUS = CodeTable(
    "SSC §4.6, item A9",
    {
        "01": ("阴性", "negative"),
        "02": ("阳性", "positive"),
        "03": ("不详", "unknown"),
    },
)

MEDICAL_ALERT = CodeTable(
    "SSC §4.6, items AC to BC",
    {
        "0": ("否", "no"),
        "1": ("是", "yes"),
        "2": ("不详", "unknown"),
    },
)
