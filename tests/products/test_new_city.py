"""A new city by TOML alone: other DF name, other key numbers, files and a directory of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cardio.cli.main import app
from cardio.products.catalogue import load_product
from cardio.products.checking import check_product

CITY = """\
id = "new-city"

[title]
zh = "新城市民卡"
en = "citizen card of a new city"

[social_security]
card = "ssc-2.0"
name = "7378392E4E4557204349545900"        # another DF name than SSSE's
versions = ["2.0"]
regions = ["9999"]
local_files = ["payment-state"]

[social_security.keys.RK1DF03]              # another key number on card and PSAM
kid = 0x9C
psam_id = 0x6C

[social_security.keys.RKCITY]               # a key of the city's own
application = "DF0A"
kid = 0x84
psam_id = 0x7C
psam_kind = 8
authority = "province"

[[social_security.directories]]
label = "DF0A"
identifier = "DF0A"
title = { zh = "地方信息区", en = "local data" }

[[social_security.files]]
application = "DF03"
identifier = "EF0D"
title = { zh = "地方参保文件", en = "local participation" }
structure = "V"
read = ["PIN", "RK1DF03"]
update = ["UK3DF03"]

[[social_security.files.items]]
tag = "9A"
name = "level"
form = "an"
size = 1
title = { zh = "档次", en = "level" }
codes = { "1" = ["一档", "first"], "2" = ["二档", "second"] }

[[social_security.files.items]]
tag = "9B"
name = "since"
form = "date"
title = { zh = "起始日期", en = "since" }

[[social_security.files.items]]
tag = "9C"
name = "guardian"
form = "an"
size = 20
personal = "name"
title = { zh = "监护人", en = "guardian" }

[[social_security.files.items]]
tag = "9D"
name = "grants"
form = "B-TLV"
count = 2
title = { zh = "补贴", en = "grants" }
items = [
  { tag = "9E", name = "amount_fen", form = "fen", size = 4, title = { zh = "金额", en = "amount" } },
  { tag = "9F", name = "month", form = "month", title = { zh = "月份", en = "month" } },
]

[[social_security.files]]
application = "DF0A"
identifier = "EF0C"
title = { zh = "自行车租用记录", en = "bicycle log" }
structure = "C"
records = 5
read = ["RKCITY"]
update = ["never"]
items = [
  { name = "station", form = "cn", size = 3, title = { zh = "站点", en = "station" } },
  { name = "time", form = "time", title = { zh = "时间", en = "time" } },
  { name = "fee_fen", form = "binary-fen", size = 4, title = { zh = "费用", en = "fee" } },
]

[[vectors]]
file = "DF03/EF0D"
bytes = "9A01329B04202601059C14B2E2CAD4B1FB0000000000000000000000000000\
9D0B9E04000123459F032026019D0B9E04FFFFFFFF9F03FFFFFF"

[vectors.values]
level = { code = "2", zh = "二档", en = "second" }
since = "2026-01-05"
guardian = "测试丙"

[[vectors]]
file = "DF0A/EF0C"
bytes = "1234562026111508301500000096"
values = { station = "123456", fee_fen = 150 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "new-city.toml").write_text(CITY, encoding="utf-8")
    return tmp_path


def cardio(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def test_its_card_is_read_with_its_own_keys_and_files(folder: Path) -> None:
    done = cardio(
        "read", "--reader", "virtual", "--profiles", str(folder), "--product", "new-city", "--group", "files",
        "--group", "card", "--group", "insurance", "--json",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert document["card"]["data"]["product"] == "new-city"
    files = document["files"]["data"]
    (local,) = files["DF03/EF0D"]["records"]
    assert local["guardian"] == "测试丙"
    assert local["grants"] == [{"amount_fen": 12345, "month": "2026-01"}, None]
    (log,) = files["DF0A/EF0C"]["records"]
    assert (log["station"], log["fee_fen"]) == ("123456", 150)
    assert document["insurance"]["data"]["payment_state"]["status"] == "known"


def test_its_page_has_its_own_titles_and_masks(folder: Path) -> None:
    done = cardio(
        "read",
        "--reader",
        "virtual",
        "--profiles",
        str(folder),
        "--product",
        "new-city",
        "--group",
        "files",
        "--masked",
    )
    assert "自行车租用记录" in done.stdout
    assert "监护人" in done.stdout
    assert "测试丙" not in done.stdout


def test_its_card_is_told_from_others_by_name_and_region(folder: Path) -> None:
    found = json.loads(
        cardio(
            "read", "--reader", "virtual", "--profiles", str(folder), "--product", "new-city", "-g", "card", "--json"
        ).stdout
    )
    reasons = [reason["en"] for reason in found["card"]["data"]["reasons"]]
    assert reasons == ["the specification version is 2.0", "the issuing region is 999900"]


def test_profile_check_proves_its_vectors(folder: Path) -> None:
    done = cardio("profile", "check", "new-city", "--profiles", str(folder))
    assert done.exit_code == 0
    assert "0 条不成立" in done.stdout
    checks = json.loads(cardio("profile", "check", "new-city", "--profiles", str(folder), "--json").stdout)["new-city"]
    assert {"DF03/EF0D", "DF0A/EF0C", "DF03/EF0C"} <= {check["file"] for check in checks if check["holds"]}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("fee_fen = 150 }", "fee_fen = 151 }", "fee_fen is 150, not 151"),
        ("1234562026111508301500000096", "12345620261115083015000000", "bytes"),
        ("9B0420260105", "9B0420261399", "since"),
        ("9A01329B04", "9A013200", "cut short"),
    ],
)
def test_profile_check_names_what_does_not_hold(folder: Path, old: str, new: str, problem: str) -> None:
    assert old in CITY
    (folder / "new-city.toml").write_text(CITY.replace(old, new), encoding="utf-8")
    done = cardio("profile", "check", "new-city", "--profiles", str(folder))
    assert done.exit_code == 2
    assert problem in " ".join(done.stdout.split())


def test_a_file_without_a_vector_does_not_pass(folder: Path) -> None:
    file = folder / "new-city.toml"
    file.write_text(CITY[: CITY.rindex("[[vectors]]")], encoding="utf-8")
    problems = [check for check in check_product(load_product(file)) if not check.holds]
    assert [(check.file, check.problem) for check in problems] == [("DF0A/EF0C", "the file has no vector")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('card = "ssc-2.0"', 'card = "ssc-9.9"', "social_security.card: Value error, ssc-9.9 is none of ssc-1.0"),
        ('application = "DF03"\n', 'application = "DF0B"\n', "no directory is named DF0B"),
        ('read = ["RKCITY"]', 'read = ["RKTOWN"]', "no key is named RKTOWN"),
        ('form = "date"', 'form = "data"', "social_security.files.0.items.1.form"),
        ('form = "date"', 'form = "date"\nsize = 4', "form date has no size"),
        ('tag = "9A"\n', "", "items have tags"),
        ('tag = "9A"', 'tag = "9AA"', "social_security.files.0.items.0.tag"),
        ('identifier = "EF0D"', 'identifier = "EF0"', "social_security.files.0.identifier"),
        ("kid = 0x9C", "kid = 0x19C", "social_security.keys.RK1DF03.kid"),
        ('file = "DF0A/EF0C"', 'file = "DF0A/EF0E"', "the product has no file DF0A/EF0E"),
        ('name = "7378392E4E4557204349545900" ', 'name = "73"', "a DF name has 5 to 16 bytes"),
        ('local_files = ["payment-state"]', 'local_files = ["wages"]', "wages is none of"),
        ('structure = "C"', 'structure = "X"', "social_security.files.1.structure"),
        ('application = "DF0A"\nkid', "kid", "RKCITY is not in the standard"),
        ("codes = {", "colours = {", "social_security.files.0.items.0.colours"),
    ],
)
def test_a_wrong_file_names_file_key_and_reason(folder: Path, old: str, new: str, said: str) -> None:
    assert old in CITY
    (folder / "new-city.toml").write_text(CITY.replace(old, new, 1), encoding="utf-8")
    done = cardio("profile", "list", "--profiles", str(folder))
    assert done.exit_code == 2
    error = " ".join(done.stderr.split())
    assert "new-city.toml" in error
    assert said in error
