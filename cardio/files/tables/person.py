"""Code tables of a person: ethnicity, household, status, education, nationality (SSC §4.8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from cardio.files.codes import Codes, CodeTable

ETHNICITY = CodeTable(
    "GB/T 3304, SSC §4.8",
    {
        "01": ("汉族", "Han"),
        "02": ("蒙古族", "Mongol"),
        "03": ("回族", "Hui"),
        "04": ("藏族", "Zang (Tibetan)"),
        "05": ("维吾尔族", "Uygur"),
        "06": ("苗族", "Miao"),
        "07": ("彝族", "Yi"),
        "08": ("壮族", "Zhuang"),
        "09": ("布依族", "Buyei"),
        "10": ("朝鲜族", "Chosen (Korean)"),
        "11": ("满族", "Man (Manchu)"),
        "12": ("侗族", "Dong"),
        "13": ("瑶族", "Yao"),
        "14": ("白族", "Bai"),
        "15": ("土家族", "Tujia"),
        "16": ("哈尼族", "Hani"),
        "17": ("哈萨克族", "Kazak"),
        "18": ("傣族", "Dai"),
        "19": ("黎族", "Li"),
        "20": ("傈僳族", "Lisu"),
        "21": ("佤族", "Va"),
        "22": ("畲族", "She"),
        "23": ("高山族", "Gaoshan"),
        "24": ("拉祜族", "Lahu"),
        "25": ("水族", "Sui"),
        "26": ("东乡族", "Dongxiang"),
        "27": ("纳西族", "Naxi"),
        "28": ("景颇族", "Jingpo"),
        "29": ("柯尔克孜族", "Kirgiz"),
        "30": ("土族", "Tu"),
        "31": ("达斡尔族", "Daur"),
        "32": ("仫佬族", "Mulao"),
        "33": ("羌族", "Qiang"),
        "34": ("布朗族", "Blang"),
        "35": ("撒拉族", "Salar"),
        "36": ("毛南族", "Maonan"),
        "37": ("仡佬族", "Gelao"),
        "38": ("锡伯族", "Xibe"),
        "39": ("阿昌族", "Achang"),
        "40": ("普米族", "Pumi"),
        "41": ("塔吉克族", "Tajik"),
        "42": ("怒族", "Nu"),
        "43": ("乌孜别克族", "Uzbek"),
        "44": ("俄罗斯族", "Russ (Russian)"),
        "45": ("鄂温克族", "Ewenki"),
        "46": ("德昂族", "Deang"),
        "47": ("保安族", "Bonan"),
        "48": ("裕固族", "Yugur"),
        "49": ("京族", "Gin"),
        "50": ("塔塔尔族", "Tatar"),
        "51": ("独龙族", "Derung"),
        "52": ("鄂伦春族", "Oroqen"),
        "53": ("赫哲族", "Hezhen"),
        "54": ("门巴族", "Monba"),
        "55": ("珞巴族", "Lhoba"),
        "56": ("基诺族", "Jino"),
        "97": ("其他", "other"),
        "98": ("外国血统", "of foreign origin"),
        "99": ("其他", "other"),
    },
)
"""97 and 98 are UNCERTAIN in SSC §4.8; 99 is the notice's own code for others."""

HOUSEHOLD_TYPE = CodeTable(
    "SSC §4.8 H",
    {
        "10": ("非农业户口（城镇）", "non-agricultural"),
        "11": ("本地非农业户口（本地城镇）", "local non-agricultural"),
        "12": ("外地非农业户口（外地城镇）", "non-agricultural from elsewhere"),
        "20": ("农业户口（农村）", "agricultural"),
        "21": ("本地农业户口（本地农村）", "local agricultural"),
        "22": ("外地农业户口（外地农村）", "agricultural from elsewhere"),
        "30": ("港澳台侨人员", "Hong Kong, Macao, Taiwan or overseas Chinese"),
        "31": ("香港特别行政区居民", "Hong Kong resident"),
        "32": ("澳门特别行政区居民", "Macao resident"),
        "33": ("台湾地区居民", "Taiwan resident"),
        "34": ("华侨", "overseas Chinese"),
        "40": ("外国人", "foreigner"),
        "41": ("未取得永久居留权的外国人", "foreigner without permanent residence"),
        "42": ("取得永久居留权的外国人", "foreigner with permanent residence"),
        "50": ("居民户口", "resident household"),
        "51": ("本地居民户口", "local resident household"),
        "52": ("外地居民户口", "resident household from elsewhere"),
    },
)

PERSONAL_STATUS = CodeTable(
    "SSC §4.8 E",
    {
        "1": ("就业", "employed"),
        "2": ("离休", "retired as a veteran cadre"),
        "3": ("退休", "retired"),
        "4": ("退职", "resigned with benefit"),
        "5": ("失业", "unemployed"),
        "6": ("无业", "not working"),
        "7": ("从未就业", "never employed"),
        "8": ("其他", "other"),
    },
)

MARITAL = CodeTable(
    "GB/T 2261.2, SSC §4.8 M",
    {
        "1": ("未婚", "single"),
        "2": ("已婚", "married"),
        "3": ("丧偶", "widowed"),
        "4": ("离婚", "divorced"),
        "9": ("未说明的婚姻状况", "not stated"),
    },
)

IDENTITY_CLASS = CodeTable(
    "GB/T 2261.4, SSC §4.8 I",
    {
        "11": ("国家公务员", "civil servant"),
        "12": ("参照公务员法管理人员", "managed like a civil servant"),
        "13": ("专业技术人员", "professional"),
        "17": ("职员", "clerk"),
        "21": ("企业管理人员", "manager"),
        "24": ("工人", "worker"),
        "27": ("农民", "farmer"),
        "31": ("学生", "student"),
        "37": ("现役军人", "soldier"),
        "51": ("自由职业者", "freelance"),
        "54": ("个体经营者", "self-employed"),
        "70": ("无业人员", "not working"),
        "80": ("退（离）休人员", "retired"),
        "90": ("其他", "other"),
    },
)

POLITICAL = CodeTable(
    "GB/T 4762, SSC §4.8 P",
    {
        "01": ("中国共产党党员", "member of the Communist Party of China"),
        "02": ("中国共产党预备党员", "probationary member of the Communist Party of China"),
        "03": ("中国共产主义青年团团员", "member of the Communist Youth League"),
        "04": ("中国国民党革命委员会会员", "member of the Revolutionary Committee of the Chinese Kuomintang"),
        "05": ("中国民主同盟盟员", "member of the China Democratic League"),
        "06": ("中国民主建国会会员", "member of the China National Democratic Construction Association"),
        "07": ("中国民主促进会会员", "member of the China Association for Promoting Democracy"),
        "08": ("中国农工民主党党员", "member of the Chinese Peasants' and Workers' Democratic Party"),
        "09": ("中国致公党党员", "member of the China Zhi Gong Party"),
        "10": ("九三学社社员", "member of the Jiusan Society"),
        "11": ("台湾民主自治同盟盟员", "member of the Taiwan Democratic Self-Government League"),
        "12": ("无党派民主人士", "personage without party"),
        "13": ("群众", "citizen without party"),
    },
)

EDUCATION = CodeTable(
    "GB/T 4658, SSC §4.8 D",
    {
        "11": ("博士研究生", "doctoral studies"),
        "14": ("硕士研究生", "master's studies"),
        "21": ("大学本科", "bachelor course"),
        "31": ("大学专科", "college"),
        "41": ("中等专科", "technical secondary school"),
        "44": ("职业高中", "vocational high school"),
        "47": ("技工学校", "skilled-worker school"),
        "61": ("普通高中", "senior high school"),
        "71": ("初级中学", "junior high school"),
        "81": ("小学", "primary school"),
        "90": ("其他", "other"),
    },
)


class NationalityCodes(Codes):
    """ISO 3166-1 alpha-3, from the public data package `pycountry`."""

    source = "ISO 3166-1 alpha-3"

    def entry(self, code: str) -> tuple[str, str] | None:
        """Chinese and English name of a country, None where the standard has no such code."""
        return _countries().get(code)


@cache
def _countries() -> Mapping[str, tuple[str, str]]:
    """Names by code; loaded on first use, for few cards are those of foreigners."""
    import gettext

    import pycountry

    chinese = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["zh_CN"])
    return {country.alpha_3: (chinese.gettext(country.name), country.name) for country in pycountry.countries}


NATIONALITY = NationalityCodes()
