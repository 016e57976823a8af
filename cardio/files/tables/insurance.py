"""Code tables of social insurance items (SSC §4.4, §4.5, §4.8, §4.9, PC-2)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

INSURANCE_SCHEME = CodeTable(
    "SSC §4.8 X",
    {
        "110": ("企业职工基本养老保险", "enterprise employees' pension"),
        "120": ("机关事业单位养老保险", "public-sector pension"),
        "150": ("新型农村社会养老保险", "new rural pension"),
        "160": ("城镇居民社会养老保险", "urban residents' pension"),
        "170": ("城乡居民社会养老保险", "urban and rural residents' pension"),
        "210": ("失业保险", "unemployment insurance"),
        "310": ("职工基本医疗保险", "employees' medical insurance"),
        "340": ("离休人员医疗保障", "medical care of retired veteran cadres"),
        "360": ("老红军医疗保障", "medical care of red army veterans"),
        "380": ("新型农村合作医疗", "new rural co-operative medical care"),
        "390": ("城乡居民基本医疗保险", "urban and rural residents' medical insurance"),
        "391": ("城镇居民基本医疗保险", "urban residents' medical insurance"),
        "410": ("工伤保险", "work-injury insurance"),
        "510": ("生育保险", "maternity insurance"),
    },
)

INSURED_CLASS = CodeTable(
    "SSC §4.8 B",
    {
        "11": ("在职", "working"),
        "21": ("退休", "retired"),
        "22": ("退休异地安置", "retired, living elsewhere"),
        "31": ("离休", "retired veteran cadre"),
        "32": ("老红军", "red army veteran"),
        "33": ("二等乙级以上革命伤残军人", "disabled soldier of grade 2B or above"),
        "34": ("医疗照顾人员", "person with special medical care"),
        "91": ("其他", "other"),
    },
)

DEPENDANT_RELATION = CodeTable(
    "SSC §4.4, item 76",
    {
        "01": ("配偶", "spouse"),
        "02": ("子女", "child"),
        "04": ("孙子女或外孙子女", "grandchild"),
        "05": ("父母", "parent"),
        "06": ("祖父母或外祖父母", "grandparent"),
        "07": ("兄弟姐妹", "sibling"),
    },
)

SETTLEMENT_CLASS = CodeTable(
    "SSC §4.5, EF15",
    {
        "1": ("工伤", "work injury"),
        "2": ("生育", "maternity"),
        "3": ("医疗救助", "medical assistance"),
        "9": ("其他", "other"),
    },
)

PAYMENT_STATE = CodeTable(
    "SSC PC-2",
    {
        "0": ("未参保", "not enrolled"),
        "1": ("正常缴费", "paying"),
        "2": ("暂停缴费或欠费", "suspended or in arrears"),
        "3": ("终止", "ended"),
        "9": ("未知", "unknown"),
    },
)

BENEFIT_STATE = CodeTable(
    "SSC §4.9, Hubei",
    {
        "1": ("正常", "normal"),
        "2": ("暂停", "suspended"),
        "3": ("终止", "ended"),
        "4": ("待审核", "awaiting review"),
        "5": ("审核未通过", "review failed"),
    },
)
