"""GET RESPONSE, wrong lengths and counting, over a scripted card."""

import pytest

from cardio.apdu.command import Command, Response, select_name
from cardio.apdu.connection import MAX_ANSWER, CardConnection
from cardio.apdu.status import PURSE
from cardio.errors import CardDataInvalid, CardRemoved, CardUnexpected, FundsInsufficient, LinkCorrupt, ReaderError
from cardio.transport.channel import CardProtocol, Disclosure
from tests.apdu.script import ScriptedChannel

READ = Command("READ RECORD", 0x00, 0xB2, 0x01, 0x2C, le=0)
DEBIT = Command("DEBIT", 0x80, 0x54, 0x01, 0x00, data=b"\xaa\xbb", le=8, outcomes=PURSE, repeatable=False)


def test_an_answer_is_passed_on_as_it_is() -> None:
    channel = ScriptedChannel(("00B2012C00", "01029000"))
    card = CardConnection(channel)
    assert card.send(READ) == Response(b"\x01\x02", 0x9000)
    assert card.atr == bytes.fromhex("3B00")
    assert channel.finished


def test_an_announced_answer_is_fetched() -> None:
    channel = ScriptedChannel(("00A4040002AABB", "6103"), ("00C0000003", "0102039000"))
    assert CardConnection(channel).call(select_name(b"\xaa\xbb")) == b"\x01\x02\x03"
    assert channel.finished


def test_a_chain_of_announcements_is_put_together_in_order() -> None:
    channel = ScriptedChannel(
        ("80540100 02AABB", "01 6102"),
        ("00C0000002", "0203 6100"),
        ("00C0000000", "0405 6101"),
        ("00C0000001", "06 9000"),
    )
    assert CardConnection(channel).call(DEBIT) == bytes.fromhex("010203040506")
    assert channel.finished


def test_a_refusal_at_the_end_of_a_chain_is_the_answer() -> None:
    channel = ScriptedChannel(("8054010002AABB", "6102"), ("00C0000002", "9401"))
    with pytest.raises(FundsInsufficient):
        CardConnection(channel).call(DEBIT)


@pytest.mark.parametrize("sw", ["6985", "6D00", "6F00", "6400"])
def test_a_refusal_to_hand_out_an_announced_answer_is_a_lost_answer(sw: str) -> None:
    channel = ScriptedChannel(("8054010002AABB", "6102"), ("00C0000002", sw))
    with pytest.raises(LinkCorrupt, match=sw):
        CardConnection(channel).send(DEBIT)


def test_a_wrong_length_is_repeated_once_with_the_right_one() -> None:
    channel = ScriptedChannel(("00B2012C00", "6C03"), ("00B2012C03", "0102039000"))
    assert CardConnection(channel).call(READ) == b"\x01\x02\x03"
    assert channel.finished


def test_a_length_of_zero_in_the_announcement_means_256() -> None:
    channel = ScriptedChannel(("00B2012C04", "6C00"), ("00B2012C00", "07" * 256 + "9000"))
    assert CardConnection(channel).call(READ.with_le(4)) == b"\x07" * 256


def test_a_wrong_length_is_not_repeated_twice() -> None:
    channel = ScriptedChannel(("00B2012C00", "6C03"), ("00B2012C03", "6C04"))
    with pytest.raises(CardUnexpected) as caught:
        CardConnection(channel).call(READ)
    assert caught.value.source is not None
    assert caught.value.source.raw == "6C04"
    assert channel.finished


def test_a_command_that_moves_money_is_never_repeated() -> None:
    channel = ScriptedChannel(("8054010002AABB08", "6C04"), protocol=CardProtocol.T1)
    assert CardConnection(channel).send(DEBIT) == Response(b"", 0x6C04)
    assert channel.finished


def test_the_answer_of_a_command_that_moves_money_is_fetched_again_with_the_right_length() -> None:
    channel = ScriptedChannel(("8054010002AABB", "6104"), ("00C0000004", "6C08"), ("00C0000008", "11" * 8 + "9000"))
    assert CardConnection(channel).call(DEBIT) == b"\x11" * 8
    assert channel.finished


def test_a_repeated_command_may_still_announce_its_answer() -> None:
    channel = ScriptedChannel(("00B2012C00", "6C02"), ("00B2012C02", "6102"), ("00C0000002", "0A0B9000"))
    assert CardConnection(channel).call(READ) == b"\x0a\x0b"
    assert channel.finished


class EndlessCard(ScriptedChannel):
    """Announces more whatever it is asked."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        del command, disclosure
        self.asked += 1
        return self.answer


@pytest.mark.parametrize("data", [b"", bytes(1), bytes(256)])
def test_an_endless_answer_ends_in_a_typed_error(data: bytes) -> None:
    card = EndlessCard(data + b"\x61\x10")
    with pytest.raises(CardDataInvalid, match=r"READ RECORD: .*endless"):
        CardConnection(card).send(READ)
    assert card.asked <= MAX_ANSWER + 2


def test_a_card_that_only_corrects_lengths_is_not_asked_for_ever() -> None:
    card = EndlessCard(b"\x6c\x10")
    assert CardConnection(card).send(READ).sw == 0x6C10
    assert card.asked == 2


def test_commands_are_counted_without_the_repeats_of_t0() -> None:
    channel = ScriptedChannel(
        ("00B2012C00", "6C02"),
        ("00B2012C02", "00009000"),
        ("00B2012C00", "6A83"),
        ("8054010002AABB", "6101"),
        ("00C0000001", "009000"),
    )
    card = CardConnection(channel)
    for command in (READ, READ, DEBIT):
        card.send(command)
    assert dict(card.counts) == {"READ RECORD": 2, "DEBIT": 1}


def test_a_command_whose_answer_was_lost_is_counted() -> None:
    class TornCard(ScriptedChannel):
        def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
            raise CardRemoved(f"before {command.hex()} with {disclosure}")

    card = CardConnection(TornCard())
    with pytest.raises(ReaderError):
        card.send(DEBIT)
    assert card.counts["DEBIT"] == 1


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_a_status_word_is_a_lost_answer(answer: str) -> None:
    with pytest.raises(LinkCorrupt):
        CardConnection(ScriptedChannel(("00B2012C00", answer))).send(READ)


def test_fetched_answers_are_disclosed_as_the_command_declares() -> None:
    closed = ScriptedChannel(("00B2012C00", "6102"), ("00C0000002", "6C01"), ("00C0000001", "009000"))
    CardConnection(closed).send(READ)
    assert closed.disclosures == [Disclosure.HEADER] * 3
    opened = ScriptedChannel(("00A4040001AA", "6102"), ("00C0000002", "6F009000"))
    CardConnection(opened).send(select_name(b"\xaa"))
    assert opened.disclosures == [Disclosure.ALL] * 2


@pytest.mark.parametrize(("protocol", "contact"), [(CardProtocol.T0, True), (CardProtocol.T1, False)])
def test_contact_cards_are_told_by_their_protocol(protocol: CardProtocol, contact: bool) -> None:
    assert CardConnection(ScriptedChannel(protocol=protocol)).contact is contact
