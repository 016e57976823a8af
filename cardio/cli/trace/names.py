"""Directories that cards have besides those that are declared, so that their selection is understood.

Source: EW §1.1, SSC §2.
"""

from __future__ import annotations

from cardio.cli.trace.explanation import Phrase

NAMES: dict[bytes, Phrase] = {
    b"1PAY.SYS.DDF01": Phrase("支付系统环境", "payment system environment"),
    b"1PUB.SYS.DDF01": Phrase("支付系统环境", "payment system environment"),
    b"2PAY.SYS.DDF01": Phrase("非接触支付系统环境", "contactless payment system environment"),
    bytes.fromhex("A000000333010101"): Phrase("银联应用", "UnionPay application"),
    bytes.fromhex("A00000000386980702"): Phrase("建设部第二应用", "second application of MOHURD"),
    bytes.fromhex("A00000000386980703"): Phrase("建设部第三应用", "third application of MOHURD"),
    bytes.fromhex("A000000632010106"): Phrase("交通联合电子现金", "T-Union electronic cash"),
    b"PAY.SZT": Phrase("深圳通", "Shenzhen Tong"),
    b"AP1.WHCTC": Phrase("武汉通", "Wuhan Tong"),
    b"PAY.APPY": Phrase("岭南通", "Lingnan Tong"),
    b"PAY.TICL": Phrase("岭南通钱包", "Lingnan Tong purse"),
    b"SUXIN.DDF01": Phrase("苏州市民卡", "Suzhou citizen card"),
    b"SZPK_ZYY": Phrase("苏州本地应用", "Suzhou local application"),
    bytes.fromhex("D156000015B9ABB9B2D3A6D3C3"): Phrase("公共应用", "public application"),
    bytes.fromhex("91560000144D4F542E424D4143303031"): Phrase("北京交通一卡通", "Beijing transport"),
    bytes.fromhex("B0C4C3C5CDA8C7AEB0FC"): Phrase("澳门通钱包", "Macau Pass"),
}
