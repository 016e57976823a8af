"""Secure channels reproduce, at both ends, what other programs and real cards sent (sources in `traces`)."""

from __future__ import annotations

import pytest

from cardio.crypto.globalplatform.scp02 import Scp02Options, Scp02Session
from cardio.crypto.globalplatform.scp03 import Scp03Options, Scp03Session, card_challenge
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.errors import SecureChannelBroken
from tests.globalplatform.channels import data_of, header_of
from tests.globalplatform.traces import SCP02, SCP03, Trace

BOTH = pytest.mark.parametrize("trace", [*SCP02, *SCP03], ids=lambda trace: trace.source.split()[-1])


def session_of(trace: Trace) -> tuple[Session, bytes]:
    """A session before EXTERNAL AUTHENTICATE, and the card's cryptogram."""
    host = data_of(bytes.fromhex(trace.initialize_update[0]))
    answer = bytes.fromhex(trace.initialize_update[1])
    if answer[11] == 0x02:
        sequence = int.from_bytes(answer[12:14], "big")
        return Scp02Session(trace.keys, host, sequence, answer[14:20], Scp02Options(trace.i)), answer[20:28]
    return Scp03Session(trace.keys, host, answer[13:21], Scp03Options(answer[12])), answer[21:29]


@BOTH
def test_the_terminal_sends_what_the_source_sent(trace: Trace) -> None:
    session, cryptogram = session_of(trace)
    assert session.card_cryptogram == cryptogram
    authenticate = bytes.fromhex(trace.external_authenticate)
    level = SecurityLevel(authenticate[2])
    sent = session.protect(bytes([0x80, 0x82, level, 0x00]), session.host_cryptogram)
    assert sent == (header_of(authenticate), data_of(authenticate))
    assert session.allows(level)
    session.begin(level)
    answers = {number: (received, opened) for number, received, opened in trace.answers}
    for number, (plain, protected) in enumerate(trace.commands):
        command, expected = bytes.fromhex(plain), bytes.fromhex(protected)
        assert session.protect(header_of(command), data_of(command)) == (header_of(expected), data_of(expected))
        if number in answers:
            received, opened = (bytes.fromhex(answer) for answer in answers[number])
            assert session.open(received, 0x9000) == opened


@BOTH
def test_the_card_takes_what_the_source_sent(trace: Trace) -> None:
    session, _ = session_of(trace)
    authenticate = bytes.fromhex(trace.external_authenticate)
    _, cryptogram = session.unprotect(header_of(authenticate), data_of(authenticate))
    assert cryptogram == session.host_cryptogram
    session.begin(SecurityLevel(authenticate[2]))
    answers = {number: (received, opened) for number, received, opened in trace.answers}
    for number, (plain, protected) in enumerate(trace.commands):
        command, sent = bytes.fromhex(plain), bytes.fromhex(protected)
        assert session.unprotect(header_of(sent), data_of(sent)) == (header_of(command), data_of(command))
        if number in answers:
            received, opened = (bytes.fromhex(answer) for answer in answers[number])
            assert session.seal(opened, 0x9000) == received


@BOTH
def test_a_trace_with_one_changed_bit_is_refused(trace: Trace) -> None:
    session, _ = session_of(trace)
    authenticate = bytearray.fromhex(trace.external_authenticate)
    authenticate[-1] ^= 0x01
    with pytest.raises(SecureChannelBroken):
        session.unprotect(header_of(bytes(authenticate)), data_of(bytes(authenticate)))


# The cards of these traces have known security domains: kaoh's tests name A000000151000000, pysim's card answered as
# the ISD-R of an eUICC (SGP.02), whose AID gives exactly its challenges. Of the card with the echoes it is not known.
ISD, ISD_R = "A000000151000000", "A0000005591010FFFFFFFF8900000100"
COUNTED = [
    *((trace, ISD_R) for trace in SCP03 if "pysim" in trace.source),
    *((trace, ISD) for trace in SCP03 if "kaoh" in trace.source and "rmac" not in trace.source),
]


@pytest.mark.parametrize(("trace", "security_domain"), COUNTED, ids=lambda value: getattr(value, "source", ""))
def test_pseudo_random_challenges_of_scp03_are_those_of_the_cards(trace: Trace, security_domain: str) -> None:
    answer = bytes.fromhex(trace.initialize_update[1])
    sequence = int.from_bytes(answer[29:32], "big")
    assert card_challenge(trace.keys, sequence, bytes.fromhex(security_domain)) == answer[13:21]
