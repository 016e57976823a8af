"""Every vector of EW §10 is replayed on a virtual card or PSAM, or is named here with the reason why not."""

from tests.summary import SUMMARY
from tests.virtual import test_fmcos_vectors, test_psam_cipher, test_wallet_vectors, test_write_key_vectors
from tests.virtual.settlements import SETTLEMENTS
from tests.virtual.vectors import entries

MAINTENANCE = {
    *test_fmcos_vectors.VECTORS,
    "pub-external-auth-fmcos",
    "pub-internal-auth-fmcos",
} - test_fmcos_vectors.WRITE_KEY
"""`test_fmcos_vectors`."""
REPLAYED = {
    "money": {*test_wallet_vectors.MONEY, *test_wallet_vectors.CRYPTOGRAMS},
    "PSAM": {*test_psam_cipher.PSAM_VECTORS},
    "maintenance": MAINTENANCE,
    "personalization": {*test_write_key_vectors.VECTORS},
}
"""What the parametrized tests of the four modules run over."""
BY_SUITE_ONLY = {
    # Bare operations: no card command has them alone. tests/crypto.
    *(entry["id"] for entry in entries() if entry["kind"] in {"mac", "diversify", "cipher"}),
    # Ciphertexts whose commands were not published. test_published_line_encryption_is_undone.
    *(entry["id"] for entry in entries() if entry["kind"] == "line-encryption"),
    # WRITE KEY of a PSAM, which no virtual PSAM has. test_line_protection_of_write_key.
    "pub-write-key-psam-c",
    # The other reading of the manual's wording, which PC-10 does not follow. tests/crypto.
    "3des-overdraft-update-dtk-direct",
}


def test_every_vector_is_replayed_on_the_card_side_or_named() -> None:
    everything = [*BY_SUITE_ONLY, *(name for names in REPLAYED.values() for name in names)]
    overlapping = REPLAYED["PSAM"] & REPLAYED["maintenance"]
    assert overlapping == {"3des-psam-app-block", "sm4-psam-app-block"}, "these are of PSAM and card"
    assert len(everything) == len(set(everything)) + len(overlapping)
    assert set(everything) == {entry["id"] for entry in entries()}
    replayed = set().union(*REPLAYED.values())
    counts = ", ".join(f"{name} {len(names)}" for name, names in REPLAYED.items())
    SUMMARY["wallet vectors"] = (
        f"e-wallet vectors on virtual cards and PSAMs: {len(replayed)} of {len(entries())} ({counts}), "
        f"{len(BY_SUITE_ONLY)} by the suites alone"
    )


def test_every_vector_with_commands_is_replayed() -> None:
    replayed = set().union(*REPLAYED.values())
    left = {entry["id"] for entry in entries() if entry.get("apdus")} - replayed
    assert left == {"pub-write-key-psam-c"}


def test_settlement_has_both_ciphers_and_the_load_the_one_that_is_printed() -> None:
    """SSC §9.3."""
    assert {name: vector.load_macs is not None for name, vector in SETTLEMENTS.items()} == {"3des": True, "sm4": False}
