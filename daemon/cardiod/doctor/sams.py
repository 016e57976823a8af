"""Whether there are keys for purchases."""

from __future__ import annotations

from cardio.cli.doctor.findings import Finding, Text, failed_with, ok, warn
from cardio.errors import ReaderError, SamAbsent
from cardio.readers.sam import find_sam
from cardio.transport.channel import ReaderDriver
from cardiod.doctor.site import Site


def psam(driver: ReaderDriver, site: Site) -> Finding:
    """Whether a PSAM answers; a running service has it, and nobody else may talk to it."""
    name = "psam"
    if site.holder() is not None:
        return ok(name, Text("由运行中的服务使用，见/readyz", "the running service has it: see /readyz"))
    insert = Text("把PSAM卡插入读卡器", "put the PSAM into a reader; sam names the reader, if it must be a certain one")
    try:
        found = find_sam(driver, site.settings.sam or None)
    except (SamAbsent, ReaderError) as error:
        if site.settings.hsm is None and site.settings.keyring is None:
            return failed_with(name, error, insert)
        others = Text("未找到PSAM，使用加密机或密钥文件", "no PSAM; keys of the HSM or keyring serve")
        return warn(name, others, insert)
    return ok(name, Text("PSAM终端号", "PSAM, terminal number") + f"{found.terminal_number} ({found.reader})")
