"""The first page, in both languages, and the page of files that products add."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.cli.manual.cards import file_heading
from cardio.cli.manual.files import file_section
from cardio.cli.manual.markdown import table
from cardio.cli.manual.source import CARDS, additions, item_count, tables
from cardio.cli.manual.words import STRUCTURES, USES, VISIBLE, Language

FORMS = (
    ("an", "文本，GBK，左对齐，右补00", "text in GBK, left aligned, filled with 00"),
    ("cn", "压缩BCD码，左对齐，右补F", "packed decimal digits, left aligned, filled with F"),
    ("b", "二进制，高字节在前", "binary, high byte first"),
    ("B-TLV", "值本身是一串TLV", "the value is a chain of TLVs itself"),
)
SOURCES = (
    ("SSC", "社会保障卡规格", "specification of the social security card"),
    ("EW", "电子钱包规格", "specification of the electronic wallet"),
    ("PERS", "个人化规格", "specification of personalization"),
    ("PC-n", "规格没有公开依据之处的项目约定", "choice of the project where nothing is public"),
)


def index_page() -> Iterator[str]:
    """The first page."""
    yield "# 卡片手册 Manual of cards"
    yield ""
    yield "卡里有哪些目录、文件和数据项，谁能读写，字节怎样解释。由 `cardio manual` 从程序中的声明写成，不要手工修改。"
    yield ""
    yield "Which directories, files and items a card holds, who may read and update them, and what the bytes mean."
    yield "Written by `cardio manual` from the declarations in the program: do not edit it by hand."
    yield ""
    yield "## 卡 Cards"
    yield ""
    rows = []
    for card in CARDS:
        files = [file for _, file in card.files()]
        items = sum(item_count(file) for file in files)
        rows.append(
            (
                card.id,
                str(len(files)),
                str(items),
                card.source,
                f"[{card.zh}]({card.id}.zh.md) [{card.en}]({card.id}.en.md)",
            )
        )
    yield from table(("卡 card", "文件 files", "数据项 items", "来源 source", "手册 manual"), rows)
    others = "[产品可另加的文件](additions.zh.md) [files that products may add](additions.en.md)"
    yield f"- {others}: {len(list(additions()))}"
    yield f"- [代码表](codes.zh.md) [code tables](codes.en.md): {len(tables())}"
    yield ""
    yield "## 怎样读 How to read it"
    yield ""
    yield "数据项在 `cardio read --json` 里用“JSON名称”，代码附中英文含义，金额以分为单位，重复的数据项 `[]` 是数组。"
    yield ""
    yield "Items have their name in JSON in `cardio read --json` too; codes come with their meaning in both languages,"
    yield "amounts are in fen, repeated items `[]` are lists."
    yield ""
    yield "标签、FID、SFI、kid、括号中的长度是十六进制，其余数字是十进制。`00×26` 是 26 个字节 00，"
    yield "`?` 表示没有公开资料。样例中的人是虚构的。"
    yield ""
    yield "Tags, FIDs, SFIs, kids and lengths in brackets are hexadecimal, other numbers decimal. `00×26` is 26"
    yield "bytes 00, `?` is what no public source tells. The persons of the samples are fictional."
    yield ""
    signs = [("结构 structure", key.value, *words) for key, words in STRUCTURES.items()]
    signs += [("状态 use", key.value, *words) for key, words in USES.items()]
    signs += [("格式 form", *words) for words in FORMS]
    signs += [("来源 source", *words) for words in SOURCES]
    yield from table(("", "代号 sign", "中文", "English"), signs)
    yield "屏蔽 Masks: " + ", ".join(f"{zh} {en}" for zh, en in VISIBLE.values())


def additions_page(language: Language) -> Iterator[str]:
    """Files that no standard card has and product files may add."""
    yield f"# {language.pick('产品可另加的文件', 'Files that products may add')}"
    yield ""
    yield language.pick(
        "标准卡里没有、产品文件（TOML）可按名称选用的文件。",
        "Files that no standard card has; a product file (TOML) chooses them by name.",
    )
    yield language.links("additions")
    yield ""
    for name, label, file in additions():
        heading = file_heading(label, file, language)
        yield from file_section(f"`{name}`{language.pick('：', ': ')}{heading}", file, language)
