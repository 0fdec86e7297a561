"""Good input, cut, doubled, and changed in places: a strategy for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_TELLING = (
    *(b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"-1", b"9" * 40),
    *(
        b"[" * 60,
        b"{",
        b'"',
        b"'",
        b"\\",
        b"\n",
        b"\r",
        b"../",
        b"/",
        b"\xe2\x80\xae",
        b"\xed\xa0\x80",
    ),
    *(
        b"NaN",
        b"1e999",
        b"\\ud800",
        b"\xef\xbb\xbf",
        b"$(",
        b"\x1b[2J",
        b"=",
        b"#",
        b"*",
        b":",
        b"<",
    ),
)


@st.composite
def changed(draw: Any, seeds: list[bytes]) -> bytes:
    """Some good input with a few changes.

    Args:
        draw: Given by hypothesis.
        seeds: Good inputs.
    """
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, min(64, len(data) - at)))
        kind = draw(st.sampled_from(["cut", "put", "flip", "double", "end"]))
        if kind == "cut":
            del data[at : at + length]
        elif kind == "put":
            with_what = draw(st.one_of(st.sampled_from(_TELLING), st.binary(max_size=8)))
            data[at : at + draw(st.integers(0, length))] = with_what
        elif kind == "flip" and at < len(data):
            data[at] ^= draw(st.integers(1, 255))
        elif kind == "double":
            data[at:at] = data[at : at + length]
        elif kind == "end":
            del data[at:]
    return bytes(data)
