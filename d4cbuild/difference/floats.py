"""How floats differ: in their last bits, by rounding, or for good."""

from __future__ import annotations

from typing import Any

import numpy as np

LAST_BITS = {8: 4096, 4: 64, 2: 4}
"""By bytes of the float: within so many ULPs, arithmetic in another order explains it."""
_DIGITS = 12
_RANGES = (1, 2, 4, 16, 256, 4096)


def ulps_between(a: Any, b: Any) -> Any:
    """How many floats lie from one to the other, for arrays of floats of one width; uint64."""
    return np.abs(_place(a) - _place(b)).astype(np.float64)


def _place(values: Any) -> Any:
    # Exact to 2**53 places or so, which is far beyond what counts as last bits.
    width = values.dtype.itemsize
    kind: Any = {2: np.int16, 4: np.int32, 8: np.int64}[width]
    whole = values.view(kind).astype(np.int64)
    low = np.int64(np.iinfo(kind).min)
    return np.where(whole < 0, low - whole, whole)


def classify_floats(a: Any, b: Any) -> Any:
    """Name the class of each pair of floats that differ.

    Args:
        a: Floats of A.
        b: Floats of B, as many and of the same width.

    Returns:
        Names of classes, and how many ULPs lie between (NaN where that makes no sense).
    """
    finite = np.isfinite(a) & np.isfinite(b)
    near = finite & ((a >= 0) == (b >= 0))
    ulps = np.full(len(a), np.nan)
    ulps[near] = ulps_between(a[near], b[near])
    names = np.full(len(a), "value", dtype=object)
    rounded = finite & _is_rounded(a, b)
    names[rounded] = "float-rounded"
    if a.dtype.itemsize == 8:
        with np.errstate(over="ignore"):
            narrow_a, narrow_b = a.astype(np.float32), b.astype(np.float32)
        alike = finite & (narrow_a == narrow_b)
        names[alike & ((narrow_a == a) | (narrow_b == b))] = "float-narrowed"
    names[ulps <= LAST_BITS[a.dtype.itemsize]] = "float-bits"
    return names, ulps


def _is_rounded(a: Any, b: Any) -> Any:
    """Whether one is the other without at least two of its decimals."""
    found = np.zeros(len(a), bool)
    with np.errstate(all="ignore"):
        for digits in range(_DIGITS, 0, -1):
            for fine, coarse in ((a, b), (b, a)):
                # Half a step either way: writers round halves up, down or to even.
                near = np.abs(fine - coarse) <= 0.5000001 * 10.0**-digits
                longer = np.round(fine, digits + 1) != fine
                found |= near & longer & (np.round(coarse, digits) == coarse)
    return found


def ulp_ranges(ulps: Any) -> dict[str, int]:
    """How many pairs lie within each range of ULPs."""
    known = ulps[~np.isnan(ulps)]
    found: dict[str, int] = {}
    low = 0
    for high in _RANGES:
        count = int(((known > low) & (known <= high)).sum())
        if count:
            found[str(high) if high - low == 1 else f"{low + 1}–{high}"] = count
        low = high
    return found
