"""The version 1.0 card as a whole (SSC §2, §3.2).

Files of the draft revision whose items are not public are left out: DF03 EF08 (work injury), EF09 (maternity) and EF0A
(rural pension), DF04 EF09 (residents' medical insurance). So is the optional DIR file.
"""

from __future__ import annotations

from cardio.files.declaration import ApplicationDeclaration, CardDeclaration
from cardio.files.social_security.environment import SSSE_NAME
from cardio.files.social_security.version1.employment import DF02_V1
from cardio.files.social_security.version1.environment import EF05_ISSUER_V1, EF06_HOLDER_V1, EF07_FINGERPRINTS_V1
from cardio.files.social_security.version1.insurance import DF03_V1
from cardio.files.social_security.version1.medical import DF04_V1
from cardio.files.social_security.version1.public import DF01_V1

SSSE_V1 = ApplicationDeclaration(
    0xDDF1,
    "社会保障系统环境",
    "social security environment",
    (EF05_ISSUER_V1, EF06_HOLDER_V1, EF07_FINGERPRINTS_V1),
    name=SSSE_NAME,
    label="SSSE",
    applications=(DF01_V1, DF02_V1, DF03_V1, DF04_V1),
    source="SSC §3.2",
)
SSC_1_0 = CardDeclaration(
    "ssc-1.0",
    "社会保障卡（1.0版）",
    "social security card 1.0",
    SSSE_V1,
    source="SSC §3.2, §4.10",
)
