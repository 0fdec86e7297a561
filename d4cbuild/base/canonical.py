"""JSON in two fixed forms: canonical (RFC 8785), to be hashed; and pretty, to be committed."""

import json
from typing import Any

from d4cbuild.base.digest import Digest, blake3_of


def canonical_json(value: Any) -> bytes:
    """Return the one RFC 8785 byte string of a JSON value.

    Raises:
        ValueError: for NaN, infinities, integers beyond 2**53 and unpaired surrogates, which have
            no canonical form.
    """
    import rfc8785  # imported late: only hashing needs it

    return rfc8785.dumps(value)


def canonical_digest(value: Any) -> Digest:
    """BLAKE3 of the canonical form of a JSON value."""
    return blake3_of(canonical_json(value))


def pretty_json(value: Any) -> bytes:
    """Return JSON as it is committed: sorted keys, two spaces, UTF-8, one final newline."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def parse_json(data: bytes | str) -> Any:
    """Read JSON strictly: no duplicate keys, no NaN or Infinity.

    Raises:
        ValueError: saying what is wrong.
    """
    return json.loads(data, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise ValueError(f"duplicate key {key!r}")
        record[key] = value
    return record


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
