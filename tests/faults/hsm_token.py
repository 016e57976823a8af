"""The HSM of the fault loop: a SoftHSM2 token with the roots of the purse keys, one for each run of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, WALLET_ROOT, test_root
from tests.security.softhsm import configuration, make_token

VARIABLE = "SOFTHSM2_CONF"


@contextmanager
def own_token(folder: Path, made_by: str = __name__) -> Iterator[None]:
    """A token for this process and those that it starts.

    Made by another process: a PKCS#11 library that was loaded here would be loaded in every process that is forked from
    this one.

    Args:
        folder: Where it lies.
        made_by: Module that makes it there when it is run; this one puts the roots of the purse keys in.
    """
    former = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(configuration(folder))
    try:
        subprocess.run([sys.executable, "-m", made_by, str(folder)], check=True, cwd=Path(__file__).parents[2])
        yield
    finally:
        if former is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = former


if __name__ == "__main__":
    make_token(
        Path(sys.argv[1]),
        {"DPK": test_root(SOCIAL_SECURITY_ROOT, "DPK"), "WALLET-DPK": test_root(WALLET_ROOT, "DPK")},
        readable={},
    )
