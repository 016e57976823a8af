"""Code tables of social relief, preferential treatment, honours and placement (SSC §4.6)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

RELIEF = CodeTable(
    "SSC §4.6, item E3",
    {
        "01": ("城市居民最低生活保障", "urban minimum allowance"),
        "02": ("农村最低生活保障", "rural minimum allowance"),
        "03": ("农村五保供养", "five guarantees"),
        "04": ("医疗救助", "medical relief"),
        "09": ("其他", "other"),
    },
)

PREFERENTIAL_TREATMENT = CodeTable(
    "SSC §4.6, items C9, CE, D3, D8",
    {
        "01": ("义务兵家属优待", "conscripts' families"),
        "02": ("定期抚恤", "periodic pension"),
        "03": ("生活补助", "living subsidy"),
        "04": ("残疾抚恤（保健）", "disability pension or allowance"),
    },
)

HONOUR_LEVEL = CodeTable(
    "GB/T 8563.2, SSC §4.6, item F1",
    {
        "0": ("国家级", "state"),
        "1": ("省（自治区、直辖市）级", "province"),
        "3": ("部（委）级", "ministry"),
        "5": ("市（地）级", "city"),
        "6": ("县级", "county"),
        "7": ("基层单位", "basic unit"),
        "8": ("国际", "international"),
    },
)

PLACEMENT = CodeTable(
    "SSC §4.6, item F9",
    {
        "1": ("计划分配", "assigned"),
        "2": ("自主择业", "self-chosen"),
        "3": ("复员改转业", "discharge changed"),
        "9": ("其他", "other"),
    },
)
