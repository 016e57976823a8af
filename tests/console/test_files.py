"""The files of the console: what serves them, what is in them, and that an installation has them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import httpx
import pytest

from tests.console.desk import Desk

CONSOLE = Path(str(resources.files("cardiod") / "console"))
ROOT = Path(__file__).parents[2]
FILES = sorted(str(file.relative_to(CONSOLE)) for file in CONSOLE.rglob("*") if file.is_file())
NEWER_THAN_CHROME_80 = {
    ".js": [
        r"\?\?=|\|\|=|&&=",  # logical assignment: 85
        r"\.replaceAll\(",  # 85
        r"\.replaceChildren\(",  # 86
        r"\.at\(",  # 92
        r"structuredClone|randomUUID|Object\.hasOwn\(|AbortSignal\.|Promise\.any|WeakRef",  # 84 to 103
        r"^\s*(static )?#|this\.#",  # private methods: 84
        r"^await ",  # at top level: 89
        r"static \{",  # 94
    ],
    ".css": [
        r":(has|is|where|focus-visible)\b",  # 86 to 105
        r"(?<!-)\bgap:",  # in flex containers: 84
        r"\b(inset|aspect-ratio|accent-color|color-scheme):",  # 81 to 93
        r"@(layer|container|property)\b",
        r"^\s+&|color-mix|\bdvh\b",
    ],
}
TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}
DANGEROUS = [
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|javascript:",
    r"https?://(?!www\.w3\.org/2000/svg)",
    r"document\.cookie|XMLHttpRequest|serviceWorker",
]


def get(desk: Desk, path: str) -> httpx.Response:
    return httpx.get(desk.url + path, timeout=30, trust_env=False)


def test_every_file_is_served_with_its_type_and_a_policy_that_lets_nothing_else_in(desk: Desk) -> None:
    for path, name in [("/", "index.html"), *((f"/console/{name}", name) for name in FILES)]:
        answer = get(desk, path)
        assert answer.content == (CONSOLE / name).read_bytes()
        assert answer.headers["content-type"].partition(";")[0] == TYPES[name.rpartition(".")[2]]
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert (policy["frame-ancestors"], policy["base-uri"], policy["object-src"]) == ("'none'",) * 3
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/console/", "/console/none.js", "/console/../api/app.py", "/console/%2e%2e/api/app.py", "/console/texts"]
)
def test_nothing_else_is_served(desk: Desk, path: str) -> None:
    answer = get(desk, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "address.unknown")


def test_the_page_is_behind_the_same_gate_as_everything(desk: Desk) -> None:
    answer = httpx.get(desk.url, headers={"Host": "evil.example"}, timeout=30, trust_env=False)
    assert answer.status_code == 421


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".css"))])
def test_a_browser_of_2020_understands_every_file(name: str) -> None:
    text = (CONSOLE / name).read_text(encoding="utf-8")
    newer = NEWER_THAN_CHROME_80[Path(name).suffix]
    assert [found for pattern in newer for found in re.findall(pattern, text, re.MULTILINE)] == []


@pytest.mark.parametrize("name", FILES)
def test_no_file_makes_markup_of_texts_or_asks_elsewhere(name: str) -> None:
    text = (CONSOLE / name).read_text(encoding="utf-8")
    assert [found for pattern in DANGEROUS for found in re.findall(pattern, text)] == []
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", text if name.endswith("html") else "") == []


def test_no_style_is_left_over() -> None:
    scripts = "\n".join(file.read_text(encoding="utf-8") for file in CONSOLE.rglob("*.js"))
    words = set(re.findall(r"[a-z][\w-]*", scripts))
    for style in CONSOLE.rglob("*.css"):
        for name in re.findall(r"\.([a-z][\w-]*)(?=[^{}]*\{)", style.read_text(encoding="utf-8")):
            base, _, kind = name.partition("--")
            assert name in words or (f"{base}--$" in scripts and kind in words), f"{style.name}: {name}"


def test_a_wheel_has_all_files_of_the_console(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    [wheel] = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert {f"cardiod/console/{name}" for name in FILES} - packed == set()
