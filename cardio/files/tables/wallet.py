"""Code tables of wallets and transit cards (EW §2, §4.6). Codes are hexadecimal, as the cards store them."""

from __future__ import annotations

from cardio.files.codes import CodeTable

TRANSACTION_TYPE = CodeTable(
    "EW §4.6",
    {
        "01": ("电子存折圈存", "passbook load"),
        "02": ("电子钱包圈存", "purse load"),
        "03": ("圈提", "unload"),
        "04": ("电子存折取款", "passbook cash withdrawal"),
        "05": ("电子存折消费", "passbook purchase"),
        "06": ("电子钱包消费", "purse purchase"),
        "07": ("电子存折修改透支限额", "passbook overdraft update"),
        "08": ("信用消费", "credit purchase"),
        "09": ("复合应用消费", "composite purchase"),
        "91": ("电子存折灰锁", "passbook grey lock"),
        "92": ("电子钱包灰锁", "purse grey lock"),
        "93": ("电子存折解扣", "passbook debit for unlock"),
        "94": ("电子钱包解扣", "purse debit for unlock"),
        "95": ("电子存折联机解扣", "passbook online unlock"),
        "96": ("电子钱包联机解扣", "purse online unlock"),
    },
)

TRADE_KIND = CodeTable(
    "EW §2.8",
    {
        "00": ("初始值", "initial value"),
        "01": ("电子现金进站或上车", "electronic-cash entry"),
        "02": ("电子现金出站或下车", "electronic-cash exit"),
        "03": ("电子钱包进站或上车", "purse entry or boarding"),
        "04": ("电子钱包出站或下车", "purse exit or alighting"),
        "05": ("电子现金单次消费", "electronic-cash single purchase"),
        "06": ("电子钱包单次消费", "purse single purchase"),
        "07": ("电子现金补票", "electronic-cash make-up charge"),
        "08": ("电子钱包补票", "purse make-up charge"),
        "09": ("电子现金充值", "electronic-cash load"),
        "0A": ("电子钱包充值", "purse load"),
    },
)

INDUSTRY = CodeTable(
    "EW §2.8",
    {
        "01": ("地铁", "metro"),
        "02": ("公交", "bus"),
        "03": ("城市水上客运", "urban water transport"),
        "04": ("出租汽车", "taxi"),
        "05": ("租赁汽车", "rental car"),
        "06": ("公共自行车", "public bicycle"),
        "07": ("停车收费", "parking"),
        "08": ("长途客运", "coach"),
        "09": ("轮渡", "ferry"),
        "0A": ("城际高速铁路", "intercity rail"),
        "0B": ("民航", "civil aviation"),
        "0C": ("高速公路收费", "motorway toll"),
        "0E": ("市郊城铁", "suburban rail"),
    },
)

CARD_KIND = CodeTable(
    "EW §2.6",
    {
        "01": ("普通卡", "ordinary"),
        "02": ("学生卡", "student"),
        "03": ("老人卡", "old people"),
        "04": ("测试卡", "test"),
        "05": ("军人卡", "military"),
    },
)

INTEROPERABLE = CodeTable("EW §2.6", {"0000": ("非互通卡", "no"), "0001": ("互通卡", "yes")})

ENABLE_FLAG = CodeTable(
    "EW §2.3",
    {"00": ("未启用", "not enabled"), "01": ("启用", "enabled"), "02": ("停用", "stopped")},
)

IDENTITY_TYPE = CodeTable("EW §2.4", {"00": ("身份证", "identity card")})

COMPOSITE_RECORD = CodeTable(
    "EW §2.9; 01 to 0A are one region's",
    {
        "01": ("公交", "bus"),
        "02": ("轨道交通", "rail"),
        "03": ("旅游", "tourism"),
        "04": ("公共自行车", "public bicycle"),
        "05": ("停车收费", "parking"),
        "06": ("出租车（杭州为地铁）", "taxi (metro in Hangzhou)"),
        "07": ("长途客运", "coach"),
        "08": ("轮渡", "ferry"),
        "09": ("城际铁路", "intercity rail"),
        "0A": ("高速公路", "motorway"),
        "AA": ("高速公路电子收费", "electronic motorway toll"),
    },
)

TUNION_RECORD = CodeTable(
    "EW §2.9; 2706 is PC-19",
    {
        "2701": ("轨道交通", "metro"),
        "2702": ("公共汽车", "bus"),
        "2706": ("公共自行车", "public bicycle"),
    },
)

LOCK_FLAG = CodeTable("EW §2.9", {"00": ("未锁定", "open"), "01": ("锁定", "locked")})

VALID_FLAG = CodeTable("EW §2.9", {"01": ("有效", "valid")})

TRADE_FLAG = CodeTable(
    "EW §2.9",
    {"01": ("分段扣费或复合消费", "segment fare or composite"), "02": ("预授权消费", "pre-authorisation")},
)

TRIP_STATE = CodeTable(
    "EW §2.9",
    {"00": ("初始值", "initial"), "01": ("已进站或上车", "entered"), "02": ("已出站或下车", "left")},
)

DIRECTION = CodeTable("EW §2.9", {"AB": ("未知", "unknown")})

EXTENSION_KIND = CodeTable(
    "EW §2.9 [MZT]",
    {"01": ("成人月票", "adult monthly ticket"), "02": ("学生优惠", "student discount")},
)

DISCOUNT_KIND = CodeTable("EW §2.9 [MZT]", {"00": ("金额优惠", "amount"), "01": ("次数优惠", "count")})

COUNT_KIND = CodeTable("EW §2.9 [MZT]", {"00": ("钱包计次", "by the purse"), "01": ("文件计次", "by a file")})

PERIOD_KIND = CodeTable("EW §2.9 [MZT]", {"00": ("日", "day"), "01": ("月", "month")})
