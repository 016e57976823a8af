"""Malformed answers of cards: nothing but an error of the catalogue comes out of any decoder.

Answers are valid vectors with bytes turned, cut, added, with wrong lengths and wrong tags, and plain random bytes. What
decodes all the same is shown, put into words and written back. The run is derandomized: every run tries the same.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from cardio.apdu.atr import card_factor, historical_bytes
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import encode_simple, find_ber, iterate_ber, iterate_simple
from cardio.errors import CardDataInvalid, CardioError
from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.nesting import Constructed
from cardio.files.reading import FileReader
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.files.reuse import split_reused
from cardio.files.social_security.pki import CERTIFICATE_SIZE, Certificate
from cardio.transport.channel import CardProtocol, Disclosure
from tests.files.declared import FILES, RECORDS, decode, encode
from tests.summary import SUMMARY

AT_LEAST = 50_000
PER_RECORD, PER_PARSER, PER_FILE = 320, 3000, 120
TRIED: Counter[str] = Counter()
A = TypeVar("A")
FCIS = tuple(
    bytes.fromhex(one)
    for one in (
        "6F15840E315041592E5359532E4444463031A503880101",  # EW §1.3, the master file
        "6F2E8409A00000000386980701A5219F0C1E" + "99990000000000010301" + "00" * 20,  # EW §1.3, PBOC
        "6F318408A000000632010105A5259F080102" + "9F0C1E" + "00" * 30,  # EW §1.3, T-Union
        "6F19840F7378312E73682EC9E7BBE1B1A3D5CFA50688010B9F0C00",  # SSC §2.1, without a template
        "7011610F4F09A0000000038698070150023F01",  # EW §1.3, a DIR record
    )
)
ATRS = tuple(
    bytes.fromhex(one)
    for one in (
        "3B6D00000081008843866533010100ABCD",  # SSC §1.1, contact 1.0
        "3B6D000000814A444686605199000001AC",  # SSC §1.1, contact 3.0
        "3B8D80010081544C9686845101C066677900",  # SSC §1.1, as PC/SC gives a contactless card
    )
)
PATHS = ((0x6F, 0x84), (0x6F, 0xA5, 0x9F0C), (0x6F, 0xA5, 0x9F0C, 0x86), (0x70, 0x61, 0x4F), (0x61, 0x50))

FILLERS = (b"\x00", b"\xff", b" ")
CHANGES = ("turn", "cut", "extend", "insert", "drop", "length", "tag")

# One draw makes one answer: drawing parts one by one takes several times as long.
seeds = st.binary(min_size=8, max_size=64)


def headers(cls: type[Record], raw: bytes, start: int = 0) -> Iterator[int]:
    """Positions of the tags in a valid vector, those inside B-TLV items too."""
    if not issubclass(cls, ItemRecord):
        return
    inner = {spec.tag: spec.codec.record for spec in cls.specs().values() if isinstance(spec.codec, Constructed)}
    for tlv in iterate_simple(raw):
        yield start
        if tlv.tag in inner:
            yield from headers(inner[tlv.tag], tlv.value, start + 2)
        start += 2 + len(tlv.value)


def changed(raw: bytes, at: Sequence[int], seed: bytes) -> bytes:
    """A vector after one to four accidents; `at` are the positions of its tags."""
    found = bytearray(raw)
    for what, high, low, byte in zip(*[iter(seed[:16])] * 4, strict=False):
        where = high << 8 | low
        place = where % (len(found) + 1)
        header = at[where % len(at)] if at else place
        match CHANGES[what % len(CHANGES)]:
            case "cut":
                del found[place:]
            case "extend":
                found += bytes([byte]) * (where % 40 + 1)
            case "insert":
                found.insert(place, byte)
            case "drop":
                del found[place : place + 1]
            case "length" if header + 1 < len(found):
                found[header + 1] = byte
            case "tag" if header < len(found):
                found[header] = byte
            case _ if place < len(found):
                found[place] = byte
    return bytes(found)


def answers_of(cls: type[Record]) -> Callable[[bytes], bytes]:
    """A function from random bytes to an answer that should hold a record of that class."""
    vectors = [bytes.fromhex(vector) for vector in cls.VECTORS]
    places = [list(headers(cls, vector)) for vector in vectors]
    tags = [spec.tag or 0 for spec in cls.specs().values()]

    def answer(seed: bytes) -> bytes:
        kind, which, rest = seed[0] % 8, seed[1] % len(vectors), seed[2:]
        if kind < 5:
            return changed(vectors[which], places[which], rest)
        if kind == 5:
            return rest
        if not issubclass(cls, FixedRecord):  # any values under the right tags
            values = [rest[place : place + 8] for place in range(0, len(rest), 8)]
            return b"".join(encode_simple(tags[value[0] % len(tags)], value[1:]) for value in values)
        if kind == 6:  # filler of two kinds
            first, second = (FILLERS[byte % len(FILLERS)] for byte in rest[:2])
            return (first * (rest[2] * cls.size() // 256)).ljust(cls.size(), second)
        return (rest * (cls.size() // len(rest) + 1))[: cls.size()]

    return answer


def attempts(name: str, examples: int, make: Callable[[bytes], A], decoder: Callable[[A], None]) -> None:
    """Give `examples` answers to a decoder, and count them."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(seeds)
    def attempt(seed: bytes) -> None:
        TRIED[name] += 1
        answer = make(seed)
        note(repr(answer)[:600])
        decoder(answer)

    before = TRIED[name]
    attempt()
    assert TRIED[name] - before >= examples
    SUMMARY["malformed"] = f"malformed answers: {TRIED.total()} tried, derandomized, on {len(TRIED)} decoders"


def stands(record: Record) -> None:
    """Show a decoded record in every way there is, and write it back."""
    for masked in (True, False):
        json.dumps(record.show(masked=masked))
        for _, spec, value in record.values():
            for one in value if spec.count > 1 else (value,):
                if one is not None:
                    assert all(isinstance(spec.text(one, language, masked=masked), str) for language in ("zh", "en"))
                    assert all(isinstance(spec.codec.text(one, language), str) for language in ("zh", "en"))
    assert repr(record)
    assert set(record.malformed()) <= record.specs().keys()
    for _, spec, value in record.values():
        for one in value if spec.count > 1 else (value,):
            if isinstance(one, Record):
                stands(one)
    for name in (
        name for base in type(record).__mro__ for name, one in vars(base).items() if isinstance(one, property)
    ):
        with contextlib.suppress(CardDataInvalid):
            getattr(record, name)
    assert encode(decode(type(record), encode(record))) == encode(record)
    with contextlib.suppress(ValueError):  # what no card could write in its form is refused, and only that
        encode(replace(cast("Any", record), as_read=None))


@pytest.mark.parametrize("cls", RECORDS)
def test_a_malformed_record_is_invalid_or_stands(cls: type[Record]) -> None:
    def decoder(raw: bytes) -> None:
        with contextlib.suppress(CardDataInvalid):
            record = decode(cls, raw)
            stands(record)
            if isinstance(record, FixedRecord):
                assert record.encode() == raw
            else:
                assert sorted(encode(record)) == sorted(raw)

    attempts(cls.__qualname__, PER_RECORD, answers_of(cls), decoder)


def broken(samples: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """A function from random bytes to a sample after accidents, or to these bytes."""

    def answer(seed: bytes) -> bytes:
        return seed[2:] if seed[0] % 4 == 0 else changed(samples[seed[1] % len(samples)], [], seed[2:])

    return answer


def _every_object(raw: bytes) -> None:
    for tlv in iterate_ber(raw):
        assert tlv.value in raw


def _every_path(raw: bytes) -> None:
    for path in PATHS:
        found = find_ber(raw, *path)
        assert found is None or found in raw


def _every_item(raw: bytes) -> None:
    assert b"".join(encode_simple(tlv.tag, tlv.value) for tlv in iterate_simple(raw)) == raw


def _historical_bytes(raw: bytes) -> None:
    assert len(historical_bytes(raw)) <= 15
    assert len(card_factor(raw)) == 8


@pytest.mark.parametrize(
    ("name", "samples", "parser"),
    [
        ("iterate_ber", FCIS, _every_object),
        ("find_ber", FCIS, _every_path),
        ("iterate_simple", tuple(bytes.fromhex(cls.VECTORS[0])[:200] for cls in RECORDS), _every_item),
        ("historical_bytes", ATRS, _historical_bytes),
    ],
)
def test_a_parser_gives_what_lies_in_the_answer_or_calls_it_invalid(
    name: str, samples: Sequence[bytes], parser: Callable[[bytes], None]
) -> None:
    def decoder(raw: bytes) -> None:
        with contextlib.suppress(CardDataInvalid):
            parser(raw)

    attempts(name, PER_PARSER, broken(samples), decoder)


class RandomCard:
    """A channel that answers what it was given, whatever the command, and then that there is no more."""

    reader = "random"
    virtual = True
    atr = ATRS[0]

    def __init__(self, protocol: CardProtocol, answers: list[bytes]) -> None:
        self.protocol = protocol
        self._answers = answers

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        return self._answers.pop(0) if self._answers else b"\x6a\x83"

    def close(self) -> None:
        """Nothing to give up."""

    def __repr__(self) -> str:
        return f"RandomCard({self.protocol}, {self._answers})"


STATUS_WORDS = [
    bytes.fromhex(sw) for sw in ("9000", "9000", "9000", "9000", "6108", "6C05", "6A82", "6A83", "6A86", "6282", "6B00")
]


def cards(file: FileDeclaration) -> Callable[[bytes], RandomCard]:
    """A function from random bytes to a card that answers malformed records of this file and any status word."""
    kinds = [answers_of(cls) for cls in file.record_classes]

    def card(seed: bytes) -> RandomCard:
        protocol = list(CardProtocol)[seed[0] % 2]
        parts = [part for part in (seed[place : place + 16] for place in range(1, len(seed), 16)) if len(part) >= 6]
        answers = []
        for part in parts:
            which = part[0] % (len(STATUS_WORDS) + 1)
            sw = part[1:3] if which == len(STATUS_WORDS) else STATUS_WORDS[which]
            data = b"" if part[1] % 16 == 0 else kinds[part[2] % len(kinds)](part[1:])
            answers.append(data[:256] + sw)
        return RandomCard(protocol, answers)

    return card


def read(card: RandomCard, file: FileDeclaration) -> Iterator[Record]:
    """Everything that a file holds, as the readings of `cardio` take it."""
    reader = FileReader(CardConnection(card))
    if file.structure is Structure.TRANSPARENT:
        yield decode(file.content, reader.read_binary(file))
    elif issubclass(file.content, ItemRecord):
        items = reader.read_tlvs(file)
        if file.reuse is not None:
            items, new = split_reused(items, file.reuse)
            yield file.reuse.content.decode(new)
        yield file.content.decode(items)
    else:
        for raw in reader.read_records(file):
            yield decode(file.layout(raw), raw)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.label} {file.en}")
def test_a_file_of_a_senseless_card_is_refused_or_stands(file: FileDeclaration) -> None:
    def decoder(card: RandomCard) -> None:
        with contextlib.suppress(CardioError):
            for record in read(card, file):
                stands(record)

    attempts(f"file {file.identifier:04X} {file.content.__qualname__}", PER_FILE, cards(file), decoder)


def test_a_certificate_file_of_filler_holds_no_certificate() -> None:
    assert Certificate.decode(b"\xff".ljust(CERTIFICATE_SIZE, b"\x00")).der is None


def test_fifty_thousand_answers_are_planned() -> None:
    assert PER_RECORD * len(RECORDS) + PER_PARSER * 4 + PER_FILE * len(FILES) >= AT_LEAST
