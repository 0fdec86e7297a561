"""A generator for every record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from d4cbuild.base.digest import Digest
from d4cbuild.model.columntype import SIMPLE_TYPES, ColumnType
from d4cbuild.model.derivation import Derivation, derive
from d4cbuild.model.environment import EnvironmentLock, LockedLayer, LockedPackage
from d4cbuild.model.fields import MAXIMUM_INTEGER
from d4cbuild.model.lock import Lock, LockedCode, LockedImage, LockedSource
from d4cbuild.model.manifest import (
    CodeRecord,
    ColumnRecord,
    EnvironmentRecord,
    Manifest,
    OutputRecord,
    SourceRecord,
)
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.weather import LookHow, LookState, PastLook, PastLooks

HEX = "0123456789abcdef"
LENGTHS = {"blake3": 64, "sha256": 64, "md5": 32, "sha1": 40}


def digests(algorithm: str = "blake3") -> st.SearchStrategy[Digest]:
    """Digests of one algorithm."""
    size = LENGTHS[algorithm]
    return st.text(HEX, min_size=size, max_size=size).map(lambda text: Digest(algorithm, text))


any_digests = st.sampled_from(sorted(LENGTHS)).flatmap(digests)
git_hashes = st.text(HEX, min_size=40, max_size=40)
texts = (
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cf"), exclude_characters="\ufeff"),
        min_size=1,
        max_size=20,
    )
    .map(str.strip)
    .filter(bool)
)
bilingual = st.fixed_dictionaries({"en": texts, "fr": texts})
slugs = st.from_regex(r"[a-z0-9]{1,8}([_-][a-z0-9]{1,8}){0,2}", fullmatch=True)
counts = st.integers(0, MAXIMUM_INTEGER)
names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
packages = st.from_regex(r"[a-z][a-z0-9.+-]{1,12}", fullmatch=True)
json_leaves = (
    st.booleans()
    | st.integers(-MAXIMUM_INTEGER, MAXIMUM_INTEGER)
    | st.floats(-(2.0**52), 2.0**52)
    | st.floats(1e21, 1e300)
    | texts
)
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
parameters = st.dictionaries(texts, json_values, max_size=3)

simple_types = st.sampled_from(SIMPLE_TYPES).map(ColumnType)
decimal_types = st.integers(1, 38).flatmap(
    lambda p: st.integers(0, p).map(lambda s: ColumnType("decimal", precision=p, scale=s))
)


def _nested(inner: st.SearchStrategy[ColumnType]) -> st.SearchStrategy[ColumnType]:
    lists = inner.map(lambda each: ColumnType("list", (("element", each),)))
    maps = st.tuples(inner, inner).map(
        lambda pair: ColumnType("map", (("key", pair[0]), ("value", pair[1])))
    )
    fields = st.lists(st.tuples(names, inner), min_size=1, max_size=3, unique_by=lambda f: f[0])
    return lists | maps | fields.map(lambda each: ColumnType("struct", tuple(each)))


column_types = st.recursive(simple_types | decimal_types, _nested, max_leaves=6)

vintages = st.one_of(
    st.integers(1000, 2999).map(str),
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: day.isoformat()[:7]),
    st.tuples(st.integers(1000, 1999), st.integers(2000, 2999)).map(lambda p: f"{p[0]}--{p[1]}"),
)
versions = st.tuples(*[st.integers(0, 99)] * 3).map(lambda v: ".".join(map(str, v)))
dguids = st.from_regex(r"[0-9]{4}[ASCBZ][0-9]{4}[A-Za-z0-9.]{1,11}", fullmatch=True)
datasets = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
        "region": st.from_regex(r"[a-z]{2}(-[a-z0-9]{1,3})?", fullmatch=True),
        "source": slugs,
        "package": slugs,
        "vintage": vintages,
        "version": versions,
        "title": bilingual,
        "description": bilingual,
    },
    optional={
        "dguid": dguids,
        "topic": slugs | st.just(""),
        "variant": slugs | st.just(""),
        "keywords": st.fixed_dictionaries(
            {"en": st.lists(texts, max_size=2), "fr": st.lists(texts, max_size=2)}
        ),
    },
)
source_tables = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True),
        "url": names.map(lambda name: f"https://example.invalid/{name}"),
        "licence": st.sampled_from(["OGL-Canada-2.0", "LicenseRef-x", "CC-BY-4.0"]),
        "attribution": bilingual,
    },
    optional={"member": texts, "mirrors": st.lists(names.map("sources/{}".format), max_size=2)},
)
_BUILD = {
    "environment": slugs,
    "resources": st.fixed_dictionaries(
        {},
        optional={
            "cpus": st.integers(1, 256),
            "memory": st.integers(1, 64).map("{}GiB".format),
            "disk": st.integers(1, 9999).map("{}MiB".format),
            "time": st.integers(1, 48).map("{}h".format),
        },
    ),
}
commands = st.fixed_dictionaries(
    {"command": st.lists(texts, min_size=1, max_size=3)}, optional=_BUILD
)
_some_texts = st.lists(texts, min_size=1, max_size=2)
changes = st.one_of(
    st.fixed_dictionaries(
        {"step": st.just("columns")},
        optional={
            "keep": _some_texts,
            "rename": st.dictionaries(texts, texts, max_size=2),
            "trim": st.booleans(),
            "replace": st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2)),
            "types": st.dictionaries(texts, column_types.map(str), max_size=2),
            "zone": texts,
        },
    ),
    st.fixed_dictionaries(
        {"step": st.just("geometry")},
        optional={
            "make_valid": st.booleans(),
            "to_crs": st.just("EPSG:4617"),
            "decimals": st.integers(0, 15),
        },
    ),
    st.fixed_dictionaries({"step": st.just("sql"), "query": texts}),
    st.fixed_dictionaries({"step": st.just("check"), "query": texts, "wrong": texts}),
)


@st.composite
def stepped(
    draw: st.DrawFn, sources: list[dict[str, Any]], outputs: list[dict[str, Any]]
) -> dict[str, Any]:
    """A build of steps that lead from sources to outputs."""
    reading = st.fixed_dictionaries(
        {"step": st.just("read"), "source": st.sampled_from([s["name"] for s in sources])},
        optional={"encoding": texts, "null": st.lists(texts, max_size=2), "header": st.booleans()},
    )
    written: list[dict[str, Any]] = []
    for output in outputs:
        if output["format"] == "file":
            source = sources[0]["name"]
            written.append({"step": "raster", "source": source, "output": output["name"]})
            continue
        written += [draw(reading), *draw(st.lists(changes, max_size=2))]
        written.append({"step": "sql", "query": draw(texts), "into": output["name"]})
    return {"steps": written, **draw(st.fixed_dictionaries({}, optional=_BUILD))}


@st.composite
def columns(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A declared column with checks that suit its type."""
    kind = draw(column_types)
    column: dict[str, Any] = {"name": name, "type": str(kind), "description": draw(bilingual)}
    if draw(st.booleans()):
        column["nullable"] = draw(st.booleans())
    if kind.kind in ("int8", "float64") and draw(st.booleans()):
        column |= {"min": draw(st.integers(-100, 0)), "max": draw(st.integers(0, 100))}
    if kind.kind == "string" and draw(st.booleans()):
        column["enum"] = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
        column["pattern"] = draw(st.sampled_from(["[A-Z]+", r"\d{3}", "a|b"]))
    if kind.kind == "geometry" and draw(st.booleans()):
        column["crs"] = "EPSG:3347"
    return column


@st.composite
def tables(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A declared output of rows and columns."""
    key = {"name": "key", "type": "int32", "description": draw(bilingual)}
    others = draw(st.lists(names.filter(lambda n: n != "key"), max_size=2, unique=True))
    return {
        "name": name,
        "format": "parquet",
        "sort_by": ["key"],
        "columns": [key, *(draw(columns(other)) for other in others)],
    }


@st.composite
def outputs(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Any declared output."""
    if draw(st.booleans()):
        return draw(tables(name))
    suffix = draw(st.sampled_from([".csv", ".tif", ""]))
    return {"name": name, "format": "file", "file": f"{name}{suffix}"}


@st.composite
def recipe_tables(draw: st.DrawFn) -> dict[str, Any]:
    """A recipe as TOML would give it."""
    wanted = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    sources = draw(st.lists(source_tables, min_size=1, max_size=2, unique_by=lambda s: s["name"]))
    made = [draw(outputs(name)) for name in wanted]
    return {
        "schema": "d4c.recipe/1",
        "dataset": draw(datasets),
        "sources": sources,
        "build": draw(commands | stepped(sources, made)),
        "parameters": draw(parameters),
        "outputs": made,
    }


@st.composite
def locks(draw: st.DrawFn, recipe: Recipe | None = None) -> Lock:
    """A lock, of a recipe if one is given."""
    sources = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    if recipe is not None:
        sources = [source.name for source in recipe.sources]
    return Lock(
        recipe=draw(digests()) if recipe is None else recipe.digest,
        sources=tuple(
            LockedSource(
                name=name,
                size=draw(counts),
                blake3=draw(digests()),
                sha256=draw(digests("sha256")),
            )
            for name in sources
        ),
        code=LockedCode(commit=draw(git_hashes), tree=draw(git_hashes), blake3=draw(digests())),
        environment=LockedImage(
            name=draw(slugs), config=draw(digests("sha256")), manifest=draw(digests("sha256"))
        ),
        source_date_epoch=draw(st.integers(0, 2**33 - 1)),
    )


@st.composite
def derivations(draw: st.DrawFn, recipe: Recipe) -> Derivation:
    """A derivation of a recipe."""
    return derive(recipe, draw(locks(recipe)), draw(digests()), draw(digests()))


@st.composite
def output_records(draw: st.DrawFn) -> OutputRecord:
    """An artifact's record."""
    column = ColumnRecord.model_validate(
        {
            "name": draw(names),
            "type": str(draw(column_types)),
            "nullable": draw(st.booleans()),
            "description": draw(bilingual),
            "nulls": draw(counts),
        }
    )
    return OutputRecord(
        name=draw(names),
        file=draw(names),
        format="parquet",
        kind=draw(st.sampled_from(["bitwise", "attested"])),
        size=draw(counts),
        blake3=draw(digests()),
        sha256=draw(digests("sha256")),
        md5=draw(digests("md5")),
        content=draw(st.none() | digests()),
        rows=draw(st.none() | counts),
        columns=(column,),
        geometry=draw(st.none() | parameters),
    )


@st.composite
def manifests(draw: st.DrawFn, recipe: Recipe) -> Manifest:
    """A manifest of a recipe's build."""
    derivation = draw(derivations(recipe))
    sources = tuple(
        SourceRecord(
            name=source.name,
            url=source.url,
            member=source.member,
            mirrors=source.mirrors,
            licence=source.licence,
            attribution=source.attribution,
            size=draw(counts),
            blake3=draw(digests()),
            sha256=draw(digests("sha256")),
        )
        for source in recipe.sources
    )
    commit = draw(st.none() | git_hashes)
    return Manifest(
        dataset=recipe.dataset,
        build_key=derivation.build_key,
        derivation=derivation,
        sources=sources,
        code=CodeRecord(commit=commit, tree=commit, swhid=None, blake3=derivation.code),
        environment=EnvironmentRecord(
            name=recipe.build.environment,
            config=derivation.environment,
            manifest=draw(digests("sha256")),
            packages=tuple(draw(st.lists(packages, max_size=2))),
        ),
        outputs=tuple(draw(st.lists(output_records(), min_size=1, max_size=2))),
        releasable=commit is not None,
    )


moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
)
past_looks = st.builds(
    PastLooks,
    looks=st.lists(
        st.builds(
            PastLook,
            subject=digests("sha256").map(str),
            where=texts,
            state=st.sampled_from(LookState),
            how=st.sampled_from(LookHow),
            looked=moments,
            good=st.none() | moments,
            compared=st.none() | moments,
            etag=st.none() | texts,
        ),
        max_size=3,
    ).map(tuple),
)
paths = st.from_regex(r"(/[A-Za-z0-9_.+@-]{1,8}){1,3}", fullmatch=True)
environments = st.fixed_dictionaries(
    {
        "schema": st.just("d4c.environment/1"),
        "name": slugs,
        "description": bilingual,
        "debian": st.fixed_dictionaries(
            {
                "suite": st.just("bookworm"),
                "packages": st.lists(packages, min_size=1, max_size=3),
            },
            optional={"drop": st.lists(paths, max_size=2), "without": st.lists(packages)},
        ),
        "python": st.fixed_dictionaries(
            {"version": st.just("3.11"), "requirements": st.lists(packages, max_size=3)}
        ),
    },
    optional={
        "directories": st.dictionaries(paths, st.sampled_from(["755", "1777"]), max_size=2),
        "links": st.dictionaries(paths, paths, max_size=2),
        "files": st.dictionaries(paths, st.text(st.characters(codec="utf-8")), max_size=2),
        "probe": st.dictionaries(slugs, st.lists(texts, min_size=1, max_size=2), max_size=2),
    },
)


@st.composite
def environment_locks(draw: st.DrawFn) -> EnvironmentLock:
    """An environment's lock."""
    sizes = st.integers(1, MAXIMUM_INTEGER)
    wanted = draw(st.lists(packages, max_size=3, unique=True))
    return EnvironmentLock(
        environment=draw(digests()),
        packages=tuple(
            LockedPackage(
                purl=f"pkg:pypi/{name}@1.0",
                file=f"{name}-1.0-py3-none-any.whl",
                size=draw(sizes),
                sha256=draw(digests("sha256")),
            )
            for name in wanted
        ),
        layers=(LockedLayer(name="base", sha256=draw(digests("sha256")), size=draw(sizes)),),
        config=draw(digests("sha256")),
        manifest=draw(digests("sha256")),
        versions=draw(st.dictionaries(slugs, texts, max_size=2)),
    )
