"""Whether exported months are whole, and follow each other: needs nothing but the files, and a public key to trust."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cardio.errors import InputInvalid, JournalBroken
from cardio.ledger.chain import StoredRow, canonical, checked
from cardio.ledger.export import JOURNAL, MANIFEST, SIGNATURE, VOUCHERS, Manifest, months, sha256
from cardio.security.device_keys import verified


def check_export(path: Path, key: bytes | None = None) -> list[Manifest]:
    """Check one exported month, or all in a folder.

    Args:
        path: Folder of a month, its manifest, or the folder of all months.
        key: Public key of the terminal. Without it the key of the manifest is taken: then somebody could have signed
            changed files with a key of his own, so compare the key with the terminal's.

    Returns:
        The manifests, oldest first.

    Raises:
        InputInvalid: Nothing was exported there.
        JournalBroken: Something was changed, taken away or put in; the detail says where.
        OSError: A file cannot be read.
    """
    folder = path.parent if path.name == MANIFEST else path
    found = [folder] if (folder / MANIFEST).exists() else months(folder)
    if not found:
        raise InputInvalid(f"{path} holds no export")
    manifests: list[Manifest] = []
    for one in found:
        manifest = Manifest.read(one / MANIFEST)
        try:
            _check_signature(one, manifest, key)
            heads = _check_rows(one / JOURNAL, manifest)
            _check_vouchers(one / VOUCHERS, manifest, heads)
        except (ValueError, KeyError, TypeError) as error:
            raise JournalBroken(f"{manifest.month} is malformed") from error
        if manifests:
            _check_order(found[len(manifests) - 1], manifests[-1], manifest)
        manifests.append(manifest)
    return manifests


def _check_signature(folder: Path, manifest: Manifest, key: bytes | None) -> None:
    """Signature and hashes: all that follows is about what was signed."""
    public = key or bytes.fromhex(manifest.key)
    if not verified((folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes(), public):
        raise JournalBroken(f"{manifest.month}: the signature of the manifest does not hold")
    for name in (JOURNAL, VOUCHERS):
        if sha256(folder / name) != manifest.files.get(name):
            raise JournalBroken(f"{manifest.month}: {name} was changed")


def _check_order(folder: Path, before: Manifest, manifest: Manifest) -> None:
    """A month follows the one before it: no row is between them, and its manifest is as it was."""
    follows = (before.last_seq + 1, before.head) == (manifest.first_seq, manifest.previous_head)
    if not follows or manifest.previous_manifest not in {None, sha256(folder / MANIFEST)}:
        raise JournalBroken(f"{manifest.month} does not follow {before.month}")


def _check_rows(file: Path, manifest: Manifest) -> dict[int, str]:
    """The rows are a piece of the chain, from one hash to the other; returns the hash of each."""
    seq, head = manifest.first_seq - 1, manifest.previous_head
    heads: dict[int, str] = {}
    for row in checked(_chain_rows(file)):
        if row.seq == manifest.first_seq and row.previous.hex() != head:
            raise JournalBroken(f"{manifest.month}: its rows do not follow the head before them")
        seq, head = row.seq, row.hash.hex()
        heads[seq] = head
    if (seq, head, len(heads)) != (manifest.last_seq, manifest.head, manifest.rows):
        raise JournalBroken(f"{manifest.month}: its rows do not end where the manifest says")
    return heads


def _check_vouchers(file: Path, manifest: Manifest, heads: dict[int, str]) -> None:
    """The vouchers were signed by this terminal, for rows of this month."""
    count = 0
    for line in _lines(file):
        count += 1
        document, signature = line["document"].encode("utf-8"), bytes.fromhex(line["signature"])
        place = json.loads(document)["journal"]
        signed = verified(document, signature, bytes.fromhex(manifest.key))
        if not signed or heads.get(place["seq"]) != place["head"]:
            raise JournalBroken(f"{manifest.month}: the voucher of {line['subject']} does not hold")
    if count != manifest.vouchers:
        raise JournalBroken(f"{manifest.month}: it holds {count} vouchers, and the manifest says {manifest.vouchers}")


def _chain_rows(file: Path) -> Iterator[StoredRow]:
    for line in _lines(file):
        hashes = {name: bytes.fromhex(line[name]) for name in ("previous", "hash")}
        yield StoredRow(**{**line, "payload": canonical(line["payload"]), **hashes})


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
