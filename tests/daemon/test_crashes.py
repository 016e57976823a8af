"""What a crash leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys

SECRET = "the PIN is 907153"
PROGRAM = f"""
import asyncio, ctypes, gc, resource, threading
from cardiod.crashes import leave_nothing_behind, on_loop_error
from cardiod.logs import configure_logging

def fail(*_):
    raise RuntimeError("{SECRET}")

class Careless:
    __del__ = fail

async def fail_later():
    fail()

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(on_loop_error)
    loop.call_soon(fail, "{SECRET}")
    loop.create_task(fail_later())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Careless()

leave_nothing_behind()
configure_logging()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
asyncio.run(main())
fail()
"""


def test_bugs_are_told_by_kind_and_place_and_no_memory_is_dumped() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "(0, 0) 0\n")
    assert SECRET not in done.stderr
    bugs = [json.loads(line) for line in done.stderr.splitlines()]
    place = f"<string>:{PROGRAM.splitlines().index('def fail(*_):') + 2}"
    assert [(bug["kind"], bug["at"]) for bug in bugs] == [("RuntimeError", place)] * 5
