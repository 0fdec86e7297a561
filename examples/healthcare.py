# %% [markdown]
# # Healthcare facilities, from raw file to map
#
# A notebook in the percent format: editors and Jupyter run it cell by cell, and Python as a whole.
# Run it in a clone of d4cbuild.

# %%
from collections import Counter

import pyarrow.parquet as pq

from d4cbuild import D4CError, Verdict, build, open_manifest, verify

# %% [markdown]
# Build the dataset from its lock. The second time nothing has to be done.

# %%
result = build("recipes/statcan-odhf", progress=print)
facilities = result.output("facilities")
print(result.status, f"{facilities.rows:,} rows", facilities.sha256, sep="\n")

# %% [markdown]
# The artifact is a GeoParquet file: read it with whatever you like.

# %%
table = pq.read_table(facilities.path, columns=["facility_name", "province", "facility_type"])
provinces = Counter(table["province"].to_pylist())
print(provinces.most_common(3))

# %% [markdown]
# The manifest says what it was made from.

# %%
manifest = open_manifest(result.manifest)
for source in manifest.sources:
    print(source.name, source.licence, source.url, sep="\n")
print(len(manifest.environment.packages), "packages; code", manifest.code.blake3.short)

# %% [markdown]
# Is it so? Build it again from the raw file, in a fresh sandbox, and compare. A verdict is never
# true or false: "could not check" is not "identical".

# %%
checked = verify("recipes/statcan-odhf")
print(checked.verdict)
assert checked.verdict == Verdict.IDENTICAL

# %% [markdown]
# An error says what was expected, what was found, where, and what to do.

# %%
try:
    build("recipes/statcan-odfh")
except D4CError as error:
    print(error.message, error.expected, error.where, error.hint, sep="\n")
