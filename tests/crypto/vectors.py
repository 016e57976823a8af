"""The published and computed test vectors of electronic purses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[1] / "vectors" / "e-wallet-vectors.json"


@dataclass(frozen=True)
class Step:
    """One operation with its result; values in hex as the file has them."""

    name: str
    operation: str
    fields: Mapping[str, str]

    def bytes(self, field: str) -> bytes:
        return bytes.fromhex(self.fields[field])


@dataclass(frozen=True)
class Vector:
    """One vector: what goes in, every step, what comes out."""

    id: str
    kind: str
    algorithm: str
    inputs: Mapping[str, str | list[str]]
    outputs: Mapping[str, str]
    steps: tuple[Step, ...]

    def input(self, name: str) -> bytes:
        value = self.inputs[name]
        assert isinstance(value, str)
        return bytes.fromhex(value)

    def output(self, name: str) -> bytes:
        return bytes.fromhex(self.outputs[name])

    @property
    def factors(self) -> list[bytes]:
        """Diversification factors, highest authority first."""
        listed = self.inputs.get("factors_in_order_of_use")
        return [bytes.fromhex(factor) for factor in listed] if listed else [self.input("factor")]

    def __str__(self) -> str:
        return self.id


@cache
def all_vectors() -> tuple[Vector, ...]:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        Vector(
            entry["id"],
            entry["kind"],
            entry["alg"],
            entry["inputs"],
            entry["outputs"],
            tuple(Step(step["name"], step["op"], step) for step in entry["steps"]),
        )
        for entry in document["vectors"]
    )


def of_kind(*kinds: str) -> list[Vector]:
    return [vector for vector in all_vectors() if vector.kind in kinds]
