"""What a check found, in two languages, with the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cardio.errors import CardioError, ExitCode


class Outcome(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    """It works, or may be meant; somebody should look at it."""
    FAIL = "fail"


@dataclass(frozen=True)
class Text:
    """One sentence in both languages; no secrets, no personal data."""

    zh: str
    en: str

    def __add__(self, detail: str) -> Text:
        """The same sentence with a technical detail behind it."""
        return Text(f"{self.zh} {detail}", f"{self.en} {detail}") if detail else self


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: Stable name of the check.
        outcome: How it is.
        text: What is so.
        remedy: What to do about it; None where all is well.
    """

    name: str
    outcome: Outcome
    text: Text
    remedy: Text | None = None

    @property
    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        found = {"name": self.name, "outcome": self.outcome.value, "zh": self.text.zh, "en": self.text.en}
        return found if self.remedy is None else {**found, "remedy_zh": self.remedy.zh, "remedy_en": self.remedy.en}


def ok(name: str, text: Text) -> Finding:
    """All is well."""
    return Finding(name, Outcome.OK, text)


def warn(name: str, text: Text, remedy: Text) -> Finding:
    """It works, or may be meant."""
    return Finding(name, Outcome.WARN, text, remedy)


def fail(name: str, text: Text, remedy: Text) -> Finding:
    """It does not work."""
    return Finding(name, Outcome.FAIL, text, remedy)


def failed_with(name: str, error: CardioError, remedy: Text) -> Finding:
    """It does not work, as an error of the catalogue says."""
    detail = f"({error.detail})" if error.detail else ""
    return fail(name, Text(error.text("zh"), error.text("en")) + detail, remedy)


def examine(checks: Iterable[Callable[[], Finding]]) -> list[Finding]:
    """Do all checks; one that breaks is a finding, too, and keeps nobody from the others."""
    return [_examined(check) for check in checks]


def _examined(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a broken machine breaks checks in ways that nobody has thought of
        text = Text("此项检查无法完成", "this check could not be done") + f"({type(error).__name__})"
        return fail("doctor", text, Text("请把此行报告给维护人员", "report this line to the maintainers"))


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """6 if anything fails; warnings alone are 0."""
    broken = any(finding.outcome is Outcome.FAIL for finding in findings)
    return ExitCode.UNAVAILABLE if broken else ExitCode.DONE
