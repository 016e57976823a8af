"""Code tables of skills, employment, unemployment and support (SSC §4.8)."""

from __future__ import annotations

from cardio.files.codes import CodeTable

TITLE_LEVEL = CodeTable(
    "GB/T 12407, SSC §4.8 T",
    {
        "410": ("高级", "senior"),
        "411": ("正高级", "full senior"),
        "412": ("副高级", "associate senior"),
        "420": ("中级", "intermediate"),
        "430": ("初级", "junior"),
        "434": ("助理级", "assistant"),
        "435": ("员级", "clerk level"),
        "499": ("未定职专业技术人员", "none"),
    },
)

SKILL_LEVEL = CodeTable(
    "GB/T 14946 A.13, SSC §4.8",
    {
        "1": ("职业资格一级（高级技师）", "level 1 (senior technician)"),
        "2": ("职业资格二级（技师）", "level 2 (technician)"),
        "3": ("职业资格三级（高级）", "level 3 (senior worker)"),
        "4": ("职业资格四级（中级）", "level 4 (intermediate worker)"),
        "5": ("职业资格五级（初级）", "level 5 (junior worker)"),
    },
)
"""UNCERTAIN in SSC §4.8: the standard's own text was not seen."""

PROFESSIONAL_QUALIFICATION = CodeTable(
    "SSC §4.8 Q",
    {
        "100": ("执业药师", "licensed pharmacist"),
        "110": ("注册建筑师", "registered architect"),
        "120": ("勘察设计注册工程师", "registered survey and design engineer"),
        "121": ("勘察设计注册工程师（专业121）", "registered survey and design engineer, branch 121"),
        "122": ("勘察设计注册工程师（专业122）", "registered survey and design engineer, branch 122"),
        "123": ("勘察设计注册工程师（专业123）", "registered survey and design engineer, branch 123"),
        "124": ("勘察设计注册工程师（专业124）", "registered survey and design engineer, branch 124"),
        "125": ("勘察设计注册工程师（专业125）", "registered survey and design engineer, branch 125"),
        "126": ("勘察设计注册工程师（专业126）", "registered survey and design engineer, branch 126"),
        "127": ("勘察设计注册工程师（专业127）", "registered survey and design engineer, branch 127"),
        "128": ("勘察设计注册工程师（专业128）", "registered survey and design engineer, branch 128"),
        "130": ("监理工程师", "supervising engineer"),
        "140": ("房地产估价师", "real estate appraiser"),
        "150": ("资产评估师", "asset appraiser"),
        "160": ("造价工程师", "cost engineer"),
        "170": ("珠宝玉石质量检验师", "jewellery quality inspector"),
        "180": ("税务师", "tax agent"),
        "190": ("拍卖师", "auctioneer"),
        "200": ("企业法律顾问", "enterprise legal adviser"),
        "210": ("假肢与矫形器制作师", "prosthesis and orthosis maker"),
        "220": ("矿产储量评估师", "mineral reserve appraiser"),
        "230": ("城市规划师", "urban planner"),
        "240": ("价格鉴证师", "price assessor"),
        "250": ("棉花质量检验师", "cotton quality inspector"),
        "260": ("矿业权评估师", "mining right appraiser"),
        "270": ("咨询工程师", "consulting engineer"),
        "280": ("房地产经纪人", "real estate agent"),
        "290": ("国际商务师", "international business specialist"),
        "300": ("安全工程师", "safety engineer"),
        "310": ("核安全工程师", "nuclear safety engineer"),
        "320": ("建造师", "constructor"),
        "321": ("建造师（分类321）", "constructor, class 321"),
        "322": ("建造师（分类322）", "constructor, class 322"),
        "330": ("土地登记代理人", "land registration agent"),
        "340": ("设备监理师", "equipment supervisor"),
        "350": ("出版专业技术人员", "publishing professional"),
        "360": ("质量专业技术人员", "quality professional"),
        "370": ("环境影响评价工程师", "environmental impact assessment engineer"),
        "380": ("测绘师", "surveyor"),
        "390": ("验船师", "ship surveyor"),
        "400": ("物业管理师", "property manager"),
        "410": ("计量师", "metrologist"),
        "420": ("招标师", "tenderer"),
        "430": ("投资建设项目管理师", "investment project manager"),
        "440": ("管理咨询师", "management consultant"),
        "450": ("地震安全性评价工程师", "seismic safety engineer"),
        "460": ("通信专业技术人员", "telecommunications professional"),
        "470": ("广告专业技术人员", "advertising professional"),
        "480": ("计算机软件专业技术人员", "computer software professional"),
        "490": ("翻译专业人员", "translator"),
        "500": ("社会工作者", "social worker"),
    },
)
"""Branches 121 to 128 and classes 321 and 322 are listed without names in SSC §4.8."""

EMPLOYMENT_REGISTRATION = CodeTable(
    "SSC §4.8 R",
    {
        "10": ("就业", "employed"),
        "20": ("终止就业", "ended"),
    },
)

EMPLOYMENT_FORM = CodeTable(
    "SSC §4.8 R",
    {
        "010": ("单位就业", "with an employer"),
        "020": ("自主就业", "on own account"),
        "021": ("个体经营", "self-employed business"),
        "022": ("灵活就业", "flexible employment"),
        "023": ("其他自主就业", "other on own account"),
        "030": ("公益性岗位安置", "public-welfare post"),
        "990": ("其他", "other"),
    },
)

UNEMPLOYMENT_REGISTRATION = CodeTable(
    "SSC §4.8 U",
    {
        "10": ("失业登记", "registered"),
        "20": ("注销失业登记", "cancelled"),
    },
)

UNEMPLOYMENT_REASON = CodeTable(
    "SSC §4.8 U",
    {
        "00": ("不适用", "not applicable"),
        "10": ("年满16周岁，从各类学校毕业、肄业", "left school at 16 or older"),
        "20": ("被企业终止、解除劳动合同", "dismissed by an enterprise"),
        "30": ("被机关事业单位辞退或解除聘用关系", "left a public body"),
        "40": ("由农业户口转为非农业户口并失去承包土地", "lost farmland on becoming non-agricultural"),
        "50": ("军人退出现役", "former soldier"),
        "60": ("刑满释放", "released from prison"),
        "70": ("解除劳动教养", "released from labour re-education"),
        "80": ("个体工商户或私营企业业主停业", "closed own business"),
        "90": ("其他", "other"),
    },
)

UNEMPLOYMENT_CANCELLATION = CodeTable(
    "SSC §4.8 U",
    {
        "00": ("不适用", "not applicable"),
        "10": ("享受基本养老保险待遇或达到退休年龄", "pension or retirement age"),
        "20": ("完全丧失劳动能力", "complete incapacity for work"),
        "30": ("入学、服兵役、移居境外", "study, army or emigration"),
        "40": ("被判刑收监执行", "imprisoned"),
        "50": ("连续3个月未与公共就业服务机构联系", "no contact for three months"),
        "60": ("已有稳定收入", "has a stable income"),
        "70": ("死亡", "death"),
        "90": ("其他", "other"),
    },
)

AID_TYPE = CodeTable(
    "SSC §4.8 A",
    {
        "010": ("国有企业下岗失业人员", "laid off by a state firm"),
        "020": ("国有企业关闭破产需要安置的人员", "of a bankrupt state firm"),
        "030": ("国有企业所办集体企业下岗职工", "laid off by a collective firm"),
        "040": ("享受最低生活保障且长期失业人员", "long-term unemployed on minimum allowance"),
        "050": ("大龄就业困难人员", "older and hard to place"),
        "060": ("残疾人", "disabled"),
        "070": ("零就业家庭成员", "of a family without any employment"),
        "990": ("其他", "other"),
    },
)

SUPPORT_MEASURE = CodeTable(
    "SSC §4.8 S",
    {
        "010": ("公益性岗位补贴", "public post subsidy"),
        "020": ("社会保险补贴", "social insurance subsidy"),
        "030": ("职业介绍补贴", "placement subsidy"),
        "040": ("职业培训补贴", "training subsidy"),
        "050": ("职业技能鉴定补贴", "skill-test subsidy"),
        "060": ("税收减免", "tax relief"),
        "061": ("个体经营税收减免", "tax relief for the self-employed"),
        "062": ("企业吸纳就业税收减免", "tax relief for hiring enterprises"),
        "070": ("行政事业性收费减免", "fee relief"),
        "080": ("小额担保贷款贴息", "interest on guaranteed micro-loans"),
        "990": ("其他", "other"),
    },
)
