"""Generated tables of every type, and the many ways Arrow has to hold the same values."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from d4cbuild.normalform.declaration import ColumnDeclaration, Declaration
from d4cbuild.normalform.types import arrow_type

from .slow_digest import Column

Tree = dict[str, Any]

YEAR_1 = -62_135_596_800_000_000
YEAR_9999 = 253_402_300_799_999_999
RANGES = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "date": (YEAR_1 // 86_400_000_000, YEAR_9999 // 86_400_000_000),
    "time": (0, 86_399_999_999),
    "timestamp": (YEAR_1, YEAR_9999),
    "timestamp_utc": (YEAR_1, YEAR_9999),
}
SIMPLE = (*RANGES, "boolean", "float32", "float64", "string", "binary")


def decimal_type(precision: int, scale: int) -> Tree:
    return {"kind": "decimal", "precision": precision, "scale": scale}


def simple_types() -> st.SearchStrategy[Tree]:
    decimals = st.integers(1, 38).flatmap(
        lambda precision: st.integers(0, precision).map(
            lambda scale: decimal_type(precision, scale)
        )
    )
    return st.one_of(st.sampled_from(SIMPLE).map(lambda kind: {"kind": kind}), decimals)


def nested(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    keys = st.sampled_from(["string", "int32", "date"]).map(lambda kind: {"kind": kind})
    return st.one_of(
        inner.map(lambda tree: nest("list", element=tree)),
        st.tuples(keys, inner).map(lambda pair: nest("map", key=pair[0], value=pair[1])),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda trees: nest("struct", **{f"f{i}": tree for i, tree in enumerate(trees)})
        ),
    )


def nest(kind: str, **children: Tree) -> Tree:
    return {"kind": kind, "children": [{"name": n, "type": t} for n, t in children.items()]}


def types() -> st.SearchStrategy[Tree]:
    return st.recursive(simple_types(), nested, max_leaves=4)


def values(tree: Tree, nullable: bool = True) -> st.SearchStrategy[Any]:
    present = _present(tree)
    return st.none() | present if nullable else present


def _present(tree: Tree) -> st.SearchStrategy[Any]:
    kind = tree["kind"]
    children = tree.get("children", [])
    if kind in RANGES:
        return st.integers(*RANGES[kind])
    if kind == "decimal":
        limit = 10 ** tree["precision"] - 1
        return st.integers(-limit, limit).map(lambda n: _scaled(n, tree["scale"]))
    if kind in ("float32", "float64"):
        return st.floats(width=int(kind[5:])) | st.just(-0.0)
    if kind == "list":
        return st.lists(values(children[0]["type"]), max_size=3)
    if kind == "map":
        pair = st.tuples(values(children[0]["type"], False), values(children[1]["type"]))
        return st.lists(pair, max_size=3)
    if kind == "struct":
        return st.fixed_dictionaries({c["name"]: values(c["type"]) for c in children})
    simple: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "string": st.text(max_size=6),
        "binary": st.binary(max_size=6),
    }
    return simple[kind]


def _scaled(number: int, scale: int) -> Decimal:
    sign, digits = int(number < 0), tuple(int(d) for d in str(abs(number)))
    return Decimal((sign, digits, -scale))


@st.composite
def columns(draw: st.DrawFn, rows: int, name: str = "c") -> Column:
    tree = draw(types())
    nullable = draw(st.booleans())
    cells = draw(st.lists(values(tree, nullable), min_size=rows, max_size=rows))
    return name, tree, nullable, cells


@st.composite
def tables(draw: st.DrawFn, max_rows: int = 9) -> list[Column]:
    """Columns of any types; the first, ``id``, orders the rows."""
    rows = draw(st.integers(0, max_rows))
    others = [draw(columns(rows, f"c{i}")) for i in range(draw(st.integers(1, 3)))]
    return [("id", {"kind": "int32"}, False, list(range(rows))), *others]


def arrow_table(made: list[Column]) -> pa.Table:
    fields = [pa.field(name, arrow_type(tree), nullable) for name, tree, nullable, _ in made]
    arrays = [
        pa.array(cells, field.type) for field, (_, _, _, cells) in zip(fields, made, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def declared(made: list[Column], sort_by: tuple[str, ...] = ("id",), **more: Any) -> Declaration:
    wanted = tuple(
        ColumnDeclaration(name, tree["kind"], arrow_type(tree), nullable)
        for name, tree, nullable, _ in made
    )
    return Declaration("made", wanted, sort_by, **more)


def storage_variants(arrow: pa.DataType) -> list[pa.DataType]:
    """Types that hold the same values as a plain type, itself first."""
    if pa.types.is_string(arrow):
        large = [pa.large_string(), pa.string_view()]
        return [arrow, *large, *(pa.dictionary(pa.int16(), one) for one in (arrow, large[0]))]
    if pa.types.is_binary(arrow):
        return [arrow, pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int8(), arrow)]
    if pa.types.is_list(arrow):
        inner = arrow.value_type
        makers: list[Callable[[pa.DataType], pa.DataType]] = [
            pa.list_,
            pa.large_list,
            pa.list_view,
            pa.large_list_view,
        ]
        return [make(one) for one in storage_variants(inner) for make in makers]
    if pa.types.is_map(arrow):
        return [pa.map_(arrow.key_type, one) for one in storage_variants(arrow.item_type)]
    if pa.types.is_struct(arrow):
        inner_variants = [storage_variants(field.type) for field in arrow]
        return [
            pa.struct([(f.name, v[i % len(v)]) for f, v in zip(arrow, inner_variants, strict=True)])
            for i in range(max(len(v) for v in inner_variants))
        ]
    if pa.types.is_timestamp(arrow) and arrow.tz:
        return [arrow, pa.timestamp("us", "America/Toronto")]
    if pa.types.is_integer(arrow):
        return [arrow, pa.dictionary(pa.int32(), arrow)]
    return [arrow]


@st.composite
def other_storage(draw: st.DrawFn, made: list[Column]) -> pa.Table:
    """The same table in other storage types, other chunks, and as slices of longer arrays."""
    rows = len(made[0][3])
    edges = [0, *sorted(draw(st.lists(st.integers(0, rows), max_size=3))), rows]
    fields, arrays = [], []
    for name, tree, nullable, cells in made:
        arrow = arrow_type(tree)
        wanted = draw(st.sampled_from(storage_variants(arrow)))
        chunks = [
            _slice_of_longer(cells[start:end], arrow, wanted) for start, end in pairwise(edges)
        ]
        arrays.append(pa.chunked_array(chunks, wanted))
        fields.append(pa.field(name, wanted, nullable))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _slice_of_longer(cells: list[Any], arrow: pa.DataType, wanted: pa.DataType) -> pa.Array:
    before = [*cells[:2], None]
    longer = [*before, *cells, *cells[:1]]
    if pa.types.is_nested(wanted) or pa.types.is_string(wanted):
        array = pa.array(longer, wanted)
    elif pa.types.is_dictionary(wanted):
        array = pa.array(longer, arrow).cast(wanted.value_type).dictionary_encode()
        array = array.cast(pa.dictionary(wanted.index_type, wanted.value_type))
    else:
        array = pa.array(longer, arrow).cast(wanted)
    return array.slice(len(before), len(cells))


def with_garbage(array: pa.Array, mask: list[bool]) -> pa.Array:
    """The fixed-width array with some slots declared null, what they hold left in place."""
    validity = np.packbits([not flag for flag in mask], bitorder="little").tobytes()
    buffers = [pa.py_buffer(validity), *array.buffers()[1:]]
    return pa.Array.from_buffers(array.type, len(array), buffers, -1, array.offset)
