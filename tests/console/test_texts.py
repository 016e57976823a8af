"""Both catalogues of texts are complete."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from cardio.errors import CardioError, Money
from cardio.ledger.model import State
from cardio.purse.operation import Operation, PurseKind
from cardio.readers.owner import OwnerState
from cardiod.readiness import VITAL

CONSOLE = Path(str(resources.files("cardiod") / "console"))
LANGUAGES = ("zh", "en")
PLACEHOLDER = re.compile(r"\{\w+\}")
LITERAL = re.compile(r'"([^"\n]*)"')
ASKED = re.compile(r'\bt\(\s*"([^"]+)"')
BEGUN = re.compile(r'\bt\(\s*`([^`$]+)\$|\bword\(\s*"([^"]+)",')


def texts(language: str) -> dict[str, str]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert sorted(set(names)) == sorted(names)
        return dict(pairs)

    found: dict[str, str] = json.loads(
        (CONSOLE / "texts" / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=once
    )
    return found


def scripts() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(CONSOLE.rglob("*.js")))


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    zh, en = texts("zh"), texts("en")
    assert list(zh) == list(en)
    for key in zh:
        assert zh[key].strip(), key
        assert en[key].strip(), key
        assert sorted(PLACEHOLDER.findall(zh[key])) == sorted(PLACEHOLDER.findall(en[key])), key


def test_chinese_is_chinese_and_english_is_english() -> None:
    chinese = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
    # The button for the other language is in that language.
    assert [key for key, text in texts("en").items() if chinese.search(text)] == ["bar.language"]
    assert [key for key, text in texts("zh").items() if not chinese.search(text)] == ["bar.language"]


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("state", set(State)),
        ("purse", set(PurseKind)),
        ("operation", set(Operation)),
        ("money", set(Money)),
        ("now.completed", set(Operation)),
        ("now.waiting", set(PurseKind)),
        ("now.resolved", set(Money)),
        ("recovered", {state for state in State if state.final} - {State.DECLINED, State.CANCELLED}),
        ("reader", {OwnerState.POISONED, OwnerState.STOPPED}),
        ("check", {*VITAL, "readers", "sams"}),
        ("sam.kind", {"psam", "hsm", "keyring"}),
        ("evidence", {"journal", "proof", "counter", "log", "balance", "lock"}),
        ("action", {kind.action for kind in CardioError.catalogue.values()}),
        ("problem.money", set(Money) - {Money.NONE}),
        ("bar", {"ready", "degraded", "down", "offline"}),
        *((f"now.{state}", {"debit", "other", "say"}) for state in ("declined", "not_debited", "cancelled")),
    ],
)
def test_every_word_of_the_daemon_has_a_text(group: str, names: set[str]) -> None:
    assert {f"{group}.{name}" for name in names} - set(texts("zh")) == set()


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    known, literals = set(texts("zh")), set(LITERAL.findall(scripts()))
    begun = tuple(text or f"{group}." for text, group in BEGUN.findall(scripts()))
    assert {key for key in known - literals if not key.startswith(begun)} == set()
    assert set(ASKED.findall(scripts())) - known == set()
