"""One table from several engines, stored and cut at random; run by one release of pyarrow.

``python -m tests.normalform.sameness_matrix FILE.arrow …`` prints, for each file, the digests of
the files in normal form that came out: there should be one.
"""

import hashlib
import io
import json
import random
import sys
from itertools import pairwise

import pyarrow as pa

from d4cbuild.normalform import Declaration, write_table

from .golden_tables import every_type

CHUNKINGS = 20
WORKERS = (1, 2, 8)


def stored(column: pa.ChunkedArray, chance: random.Random) -> pa.ChunkedArray:
    """The same values: plain, large, views, or as a dictionary."""
    kind = column.type
    variants = [kind]
    if pa.types.is_string(kind):
        variants += [pa.large_string(), pa.string_view(), "dictionary"]
    elif pa.types.is_binary(kind):
        variants += [pa.large_binary(), pa.binary_view(), "dictionary"]
    elif pa.types.is_list(kind):
        variants += [pa.large_list(kind.value_field)]
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        variants += ["dictionary"]
    chosen = chance.choice(variants)
    return column.dictionary_encode() if chosen == "dictionary" else column.cast(chosen)


def cut(table: pa.Table, chance: random.Random) -> pa.Table:
    """The same rows in chunks of any sizes, each column cut elsewhere."""
    columns = []
    for column in table.columns:
        edges = sorted(chance.choices(range(table.num_rows + 1), k=chance.randrange(12)))
        edges = [0, *edges, table.num_rows]
        whole = column.combine_chunks()
        pieces = [whole[start:end] for start, end in pairwise(edges)]
        columns.append(pa.chunked_array(pieces, column.type))
    return pa.table(columns, names=table.column_names)


def digests(given: pa.Table, seed: int) -> set[str]:
    """Digests of the files of all variants of one table of every type."""
    declaration = Declaration.of_schema(every_type().schema, ("id",))
    found = set()
    for number in range(CHUNKINGS):
        chance = random.Random(seed + number)
        rows = chance.sample(range(given.num_rows), given.num_rows)
        table = given.take(pa.array(rows)) if number else given
        changed = [stored(column, chance) for column in table.columns] if number else table.columns
        table = cut(pa.table(changed, names=table.column_names), chance)
        out = io.BytesIO()
        write_table(table, out, declaration, WORKERS[number % len(WORKERS)])
        found.add(hashlib.sha256(out.getvalue()).hexdigest())
    return found


if __name__ == "__main__":
    made = {
        path: sorted(digests(pa.ipc.open_file(path).read_all(), seed))
        for seed, path in enumerate(sys.argv[1:])
    }
    print(json.dumps({"pyarrow": pa.__version__, "digests": made}))
