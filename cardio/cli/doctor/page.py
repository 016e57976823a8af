"""Findings for people: a line for each, and under it what to do."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from cardio.cli.doctor.findings import Finding, Outcome

MARKS = {Outcome.OK: ("✓", "green"), Outcome.WARN: ("!", "yellow"), Outcome.FAIL: ("✗", "red")}


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print findings in both languages, one below the other."""
    for finding in findings:
        mark, colour = MARKS[finding.outcome]
        console.print(mark, style=colour, end=" ")
        console.print(f"{finding.name}: {finding.text.zh} / {finding.text.en}", markup=False, soft_wrap=True)
        if finding.remedy is not None:
            # A command is the same in both languages.
            for line in dict.fromkeys((finding.remedy.zh, finding.remedy.en)):
                console.print(f"    → {line}", markup=False, soft_wrap=True)
