"""Values as a declaration writes them, as values of a column's type.

Dates, times and time stamps are given as ISO 8601 text, decimals as numbers or as text.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation, localcontext
from typing import Any

import pyarrow as pa


class NotApplicable(ValueError):
    """A rule makes no sense for a column's type, or its value is none of that type."""


class OutOfRange(ValueError):
    """A bound lies outside everything the column's type can hold.

    Attributes:
        above: Whether it lies above, else below.
    """

    def __init__(self, above: bool) -> None:
        super().__init__("above" if above else "below")
        self.above = above


def lower_bound(value: Any, arrow: pa.DataType) -> pa.Scalar:
    """Return the smallest value of a type that is not below ``value``.

    Raises:
        NotApplicable: if ``value`` cannot be compared with the type.
        OutOfRange: if the type has no such value, or every value of the type is one.
    """
    return _bound(value, arrow, upward=True)


def upper_bound(value: Any, arrow: pa.DataType) -> pa.Scalar:
    """Return the largest value of a type that is not above ``value``; raises as its opposite."""
    return _bound(value, arrow, upward=False)


def _bound(value: Any, arrow: pa.DataType, upward: bool) -> pa.Scalar:
    if isinstance(value, float) and math.isnan(value):
        raise NotApplicable("NaN is no bound")
    if pa.types.is_boolean(arrow):
        raise NotApplicable("a boolean has no bounds")
    if pa.types.is_integer(arrow):
        return pa.scalar(_whole(value, arrow, upward), arrow)
    if pa.types.is_decimal(arrow):
        return pa.scalar(_decimal(value, arrow, upward), arrow)
    return exact_value(value, arrow)


def _whole(value: Any, arrow: pa.DataType, upward: bool) -> int:
    number = _number(value, arrow)
    bits = arrow.bit_width
    signed = pa.types.is_signed_integer(arrow)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if number > high or number < low:
        raise OutOfRange(above=number > high)
    return math.ceil(number) if upward else math.floor(number)


def _decimal(value: Any, arrow: pa.DataType, upward: bool) -> Decimal:
    number = _number(value, arrow)
    high = Decimal(10) ** (arrow.precision - arrow.scale) - Decimal(10) ** -arrow.scale
    if number.is_infinite() or not -high <= number <= high:
        raise OutOfRange(above=number > 0)
    rounding = ROUND_CEILING if upward else ROUND_FLOOR
    with localcontext(prec=200):
        return number.quantize(Decimal(1).scaleb(-arrow.scale), rounding=rounding)


def _number(value: Any, arrow: pa.DataType) -> Decimal:
    text_allowed = pa.types.is_decimal(arrow)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NotApplicable(f"{value!r} is no number")
    if isinstance(value, str) and not text_allowed:
        raise NotApplicable(f"{value!r} is a text, not a number")
    try:
        # repr() of a float is the number as it was written: 0.1 is a tenth.
        return Decimal(value if isinstance(value, int | str) else repr(value))
    except InvalidOperation as error:
        raise NotApplicable(f"{value!r} is no number") from error


def exact_value(value: Any, arrow: pa.DataType) -> pa.Scalar:
    """Return a declared value as a value of a type.

    Raises:
        NotApplicable: if it is none, or the type has no values that can be written down.
    """
    if pa.types.is_integer(arrow) or pa.types.is_decimal(arrow):
        return _exact_number(value, arrow)
    if pa.types.is_floating(arrow):
        # Held as float64, in which float32 values are compared too.
        return pa.scalar(float(_number(value, arrow)), pa.float64())
    if pa.types.is_boolean(arrow):
        return pa.scalar(_of_kind(value, bool, arrow), arrow)
    if pa.types.is_string(arrow):
        return pa.scalar(_of_kind(value, str, arrow), arrow)
    if pa.types.is_date(arrow):
        return pa.scalar(_iso(value, dt.date.fromisoformat, arrow), arrow)
    if pa.types.is_time(arrow):
        return pa.scalar(_iso(value, dt.time.fromisoformat, arrow), arrow)
    if pa.types.is_timestamp(arrow):
        moment = _iso(value, dt.datetime.fromisoformat, arrow)
        if (moment.tzinfo is None) != (arrow.tz is None):
            need = "no zone" if arrow.tz is None else "a zone, such as Z"
            raise NotApplicable(f"{value!r} needs {need}")
        return pa.scalar(moment, arrow)
    raise NotApplicable(f"values of {arrow} cannot be written in a declaration")


def _exact_number(value: Any, arrow: pa.DataType) -> pa.Scalar:
    low, high = _bound(value, arrow, upward=True), _bound(value, arrow, upward=False)
    if not low.equals(high):
        raise OutOfRange(above=True)  # 1.5 is no integer, so no value of the column equals it
    return low


def _of_kind(value: Any, kind: type, arrow: pa.DataType) -> Any:
    if not isinstance(value, kind):
        raise NotApplicable(f"{value!r} is no {arrow}")
    return value


def _iso(value: Any, parse: Any, arrow: pa.DataType) -> Any:
    if not isinstance(value, str):
        raise NotApplicable(f"{value!r} is no ISO 8601 text")
    try:
        return parse(value)
    except ValueError as error:
        raise NotApplicable(f"{value!r} is no ISO 8601 {arrow}") from error
