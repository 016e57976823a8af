"""Code tables of labour capacity and work injury (SSC §4.4, §4.8)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

APPRAISAL_MATTER = CodeTable(
    "SSC §4.8 L",
    {
        "10": ("工伤职工劳动能力鉴定", "labour capacity after a work injury"),
        "20": ("延长停工留薪期确认", "extension of paid leave"),
        "30": ("辅助器具配置确认", "assistive device"),
        "40": ("工伤康复确认", "rehabilitation"),
        "50": ("工伤直接导致疾病确认", "disease caused by the injury"),
        "60": ("旧伤复发确认", "relapse of an old injury"),
        "70": ("其他", "other"),
        "80": ("因工死亡职工供养亲属劳动能力鉴定", "labour capacity of dependants of a killed worker"),
        "90": ("因病或非因工伤残劳动能力鉴定", "labour capacity after illness or a non-work injury"),
    },
)

DISABILITY_GRADE = CodeTable(
    "SSC §4.8 G",
    {
        "01": ("一级", "grade 1"),
        "02": ("二级", "grade 2"),
        "03": ("三级", "grade 3"),
        "04": ("四级", "grade 4"),
        "05": ("五级", "grade 5"),
        "06": ("六级", "grade 6"),
        "07": ("七级", "grade 7"),
        "08": ("八级", "grade 8"),
        "09": ("九级", "grade 9"),
        "10": ("十级", "grade 10"),
        "11": ("未达等级", "below grade"),
    },
)

SELF_CARE = CodeTable(
    "SSC §4.8 C",
    {
        "1": ("生活完全不能自理", "complete impairment"),
        "2": ("生活大部分不能自理", "impairment in large part"),
        "3": ("生活部分不能自理", "impairment in part"),
        "4": ("未达等级", "below grade"),
    },
)

CAPACITY_LOSS = CodeTable(
    "SSC §4.4, item 49",
    {
        "0": ("未完全丧失劳动能力", "not completely lost"),
        "1": ("完全丧失劳动能力", "completely lost"),
    },
)

CONFIRMATION_RESULT = CodeTable(
    "SSC §4.4, item 14",
    {
        "0": ("不予确认", "refused"),
        "1": ("予以确认", "accepted"),
    },
)

INJURY_RESULT = CodeTable(
    "SSC §4.4, item 3D",
    {
        "1": ("认定工伤", "work injury"),
        "2": ("视同工伤", "deemed a work injury"),
        "3": ("不认定工伤", "not a work injury"),
        "4": ("不视同工伤", "not deemed a work injury"),
    },
)
