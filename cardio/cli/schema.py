"""JSON Schema of `cardio read --json`, from the declarations; published as `docs/schema/read.schema.json`."""

from __future__ import annotations

from typing import Any

from cardio.applications.answers import ERROR_SCHEMA
from cardio.applications.card_files import Standing
from cardio.files.record import Record
from cardio.files.social_security.environment import IssuerData
from cardio.files.wallet.registry import WALLET_FILES
from cardio.products.group_reading import Genuineness
from cardio.products.groups import FLAT, GROUP_TITLES, QUESTIONS, Group

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FEN: Schema = {"type": "integer", "minimum": 0, "description": "fen"}
BOTH_LANGUAGES: Schema = {
    "type": "object",
    "properties": {"zh": TEXT, "en": TEXT},
    "required": ["zh", "en"],
    "additionalProperties": False,
}


def read_schema() -> Schema:
    """The schema of the whole document."""
    groups = {group.value: _group(group) for group in Group}
    stats = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
    return {
        "$schema": DIALECT,
        "title": "cardio read --json",
        "description": "Groups that were asked for; each has its data, an error, or both where it was read in part.",
        "type": "object",
        "properties": {**groups, "stats": {**stats, "description": "Commands to the card by name, with --stats."}},
        "additionalProperties": False,
    }


def _group(group: Group) -> Schema:
    zh, en = GROUP_TITLES[group]
    return {
        "title": f"{zh} {en}",
        "type": "object",
        "properties": {"data": _data(group), "error": ERROR_SCHEMA},
        "additionalProperties": False,
    }


def _data(group: Group) -> Schema:
    match group:
        case Group.CARD:
            return _card()
        case Group.WALLET:
            return _wallet()
        case Group.FILES:
            return {"type": "object", "additionalProperties": _file()}
        case Group.HOLDER:
            return {"anyOf": [_flat(group), *_records("holder")]}
        case Group.WALLET_LOG:
            return {"type": "array", "items": {"anyOf": _records("log")}}
        case Group.TRIPS:
            return {"type": "array", "items": {"anyOf": _records("trips")}}
        case _ if group in FLAT:
            return _flat(group)
    questions = {question.name: question.json_schema() for question in QUESTIONS[group]}
    return {"type": "object", "properties": questions, "additionalProperties": False}


def _flat(group: Group) -> Schema:
    (question,) = QUESTIONS[group]
    facts = question.facts.json_schema()
    if question.many:
        return {"type": "array", "items": facts}
    if group is not Group.MEDICAL:
        return facts
    year = {"type": "integer", "minimum": 0, "maximum": 9999}
    account = {"balance_fen": FEN, "yearly_self_paid_fen": FEN, "yearly_pool_fen": FEN, "payment_year": year}
    return {**facts, "properties": {**facts["properties"], **account}}


def _records(kind: str) -> list[Schema]:
    """Schemas of the record classes that the wallet files of one kind may have."""
    classes: dict[type[Record], None] = {}
    for name, file in WALLET_FILES.items():
        if name.split("-")[0] == kind:
            classes |= dict.fromkeys(file.record_classes)
    return [cls.json_schema() for cls in classes]


def _card() -> Schema:
    described: Schema = {
        "product": TEXT,
        "title": BOTH_LANGUAGES,
        "reasons": {"type": "array", "items": BOTH_LANGUAGES},
    }
    genuine = {
        "type": "object",
        "properties": {"status": {"enum": [one.value for one in Genuineness]}, "error": ERROR_SCHEMA},
        "required": ["status"],
        "additionalProperties": False,
    }
    (management,) = _records("management")
    wallets = [
        {
            **public,
            "properties": {**public["properties"], **described, "management": management, "authenticity": genuine},
        }
        for public in _records("public")
    ]
    issuer = IssuerData.json_schema()
    properties = {**issuer["properties"], **described, "authenticity": genuine, "wallet": {"anyOf": wallets}}
    return {"anyOf": [{**issuer, "properties": properties, "required": ["product", "title", "reasons"]}, *wallets]}


def _wallet() -> Schema:
    day = {"type": "string", "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$"}
    properties = {"balance_fen": FEN, "starts": day, "ends": day, "max_amount_fen": FEN}
    required = ["balance_fen", "max_amount_fen"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _file() -> Schema:
    """Any file: the names of its values are those of `cardio profile show`, as a city may have files of its own."""
    return {
        "type": "object",
        "properties": {
            "title": BOTH_LANGUAGES,
            "status": {"enum": [standing.value for standing in Standing]},
            "records": {"type": "array", "items": {"type": "object"}},
            "error": ERROR_SCHEMA,
        },
        "required": ["title", "status"],
        "additionalProperties": False,
    }
