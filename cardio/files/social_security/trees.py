"""What social security cards can hold: versions 2.0 and 3.0, the employer card, all kinds by name (SSC §2, §10.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, any_of
from cardio.files.social_security.employer import DF0A, EF06_UNIT
from cardio.files.social_security.employment import DF02
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, EF07_FINGERPRINTS, EF08_PHOTO, SSSE
from cardio.files.social_security.health import DF05
from cardio.files.social_security.insurance import DF03
from cardio.files.social_security.medical import DF04
from cardio.files.social_security.personnel import DF07
from cardio.files.social_security.pki import PKI
from cardio.files.social_security.public import DF01, EF09_EMPLOYER
from cardio.files.social_security.relief import DF06
from cardio.files.social_security.version1.tree import SSC_1_0

_APPLICATIONS = (DF01, DF02, DF03, DF04, DF05, DF06, DF07)
_EF06_3_0 = EF06_HOLDER.readable_with(any_of("RKSSSE"))

SSC_2_0 = CardDeclaration(
    "ssc-2.0",
    "社会保障卡（2.0版）",
    "social security card 2.0",
    replace(SSSE, applications=_APPLICATIONS),
    source="SSC §2, §3.1",
)
SSC_3_0 = CardDeclaration(
    "ssc-3.0",
    "社会保障卡（3.0版）",
    "social security card 3.0",
    ApplicationDeclaration(
        0x3F00,
        "主控文件",
        "master file",
        (),
        label="MF",
        applications=(
            replace(SSSE, files=(EF05_ISSUER, _EF06_3_0, EF07_FINGERPRINTS, EF08_PHOTO), applications=_APPLICATIONS),
            PKI,
        ),
        source="SSC §2",
    ),
    source="SSC §2, §2.4, PC-9",
)
SSC_EMPLOYER = CardDeclaration(
    "ssc-employer",
    "社会保障（用人单位）卡",
    "social security card of an employer",
    replace(
        SSSE,
        files=(EF05_ISSUER, EF06_UNIT),
        applications=(replace(DF01, files=(EF09_EMPLOYER,)), DF0A),
        source="SSC PC-1",
    ),
    source="SSC PC-1",
)

SOCIAL_SECURITY_CARDS: Mapping[str, CardDeclaration] = {
    card.id: card for card in (SSC_1_0, SSC_2_0, SSC_3_0, SSC_EMPLOYER)
}
"""Every kind of social security card, by its identifier; product files choose from it."""
