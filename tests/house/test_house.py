"""The house's own rules, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.documents import REPOSITORY, Document, tracked_files

PACKAGE = REPOSITORY / "d4cbuild"
SPEC = PACKAGE / "spec"
MODULE_LINES = 400
FUNCTION_LINES = 40

# Outside library: the rooms it may be used in.
ROOMS = {
    "click": ("cli",),
    "cryptography": ("attest",),
    "docker": ("sandbox",),
    "duckdb": ("normalform", "steps"),
    "jinja2": ("bundle", "environment", "report"),
    "lxml": ("looking", "steps"),
    "openpyxl": ("looking", "steps"),
    "pyarrow": ("difference", "looking", "normalform", "profile", "steps", "tables"),
    "pydantic": ("model",),
    "pygit2": ("code",),
    "pyogrio": ("looking", "steps", "tables"),
    "pyproj": ("looking", "steps"),
    "rasterio": ("looking", "steps"),
    "rclone_python": ("sources",),
    "requests": ("sources",),
    "rich": ("cli",),
    "shapely": ("looking", "normalform", "steps"),
    "sqlglot": ("hazards",),
    "sqlite3": ("normalform", "store"),
}
AMBIENT = PACKAGE / "base" / "ambient.py"
AMBIENT_MODULES = {"getpass", "platform", "random", "secrets", "socket", "time", "uuid"}
AMBIENT_NAMES = {
    *("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.urandom"),
    *("os.getlogin", "os.uname", "os.getpid", "os.getuid", "os.geteuid"),
    *("os.cpu_count", "os.sched_getaffinity"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
}

# In pieces, so that this file does not hold what it forbids.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("debian", "org"),
        ("debian", "net"),
        ("ubuntu", "com"),
        ("npmjs", "org"),
        ("npmjs", "com"),
    )
]


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Modules that are imported, also within functions, each with the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, tuple(alias.name for alias in node.names)


def test_no_module_has_more_than_400_lines() -> None:
    counts = {_name(path): len(path.read_text().splitlines()) for path in _modules()}
    assert counts
    assert {name: count for name, count in counts.items() if count > MODULE_LINES} == {}


def test_no_function_has_more_than_40_lines_besides_its_docstring() -> None:
    long = {}
    for path in _modules():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                count = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
                if count > FUNCTION_LINES:
                    long[f"{_name(path)}: {node.name}"] = count
    assert long == {}


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


def _public(node: ast.Module | ast.ClassDef, above: str) -> Iterator[tuple[str, ast.AST]]:
    """Public functions and classes, also those within public classes."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if inner.name.startswith("_"):
                continue
            yield f"{above}{inner.name}", inner
            if isinstance(inner, ast.ClassDef):
                yield from _public(inner, f"{above}{inner.name}.")


def test_everything_public_has_a_docstring() -> None:
    bare = []
    for path in _modules():
        tree = _tree(path)
        things: list[tuple[str, ast.AST]] = [("module", tree), *_public(tree, "")]
        bare += [
            f"{_name(path)}: {name}"
            for name, node in things
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not ast.get_docstring(node)
        ]
    assert bare == []


@pytest.mark.parametrize("library", ROOMS)
def test_each_outside_library_stays_in_its_rooms(library: str) -> None:
    rooms = {PACKAGE / room for room in ROOMS[library]}
    users = [
        path
        for path in _modules()
        if any(module.split(".")[0] == library for module, _ in _imports(_tree(path)))
    ]
    assert users, f"nothing imports {library}: take it out of the list"
    assert [_name(path) for path in users if not rooms & set(path.parents)] == []


def _ambient_uses(path: Path) -> Iterator[str]:
    tree = _tree(path)
    for module, names in _imports(tree):
        if module.split(".")[0] in AMBIENT_MODULES:
            yield module
        yield from (f"{module}.{name}" for name in names if f"{module}.{name}" in AMBIENT_NAMES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")[-1]
            if f"{owner}.{node.attr}" in AMBIENT_NAMES:
                yield f"{owner}.{node.attr}"


def test_only_one_module_reads_clock_chance_environment_and_host() -> None:
    assert set(_ambient_uses(AMBIENT)) >= {"os.environ", "time", "secrets", "datetime.now"}
    # Steps run in the sandbox, where the contract says what the environment is.
    others = [path for path in _modules() if path != AMBIENT and path.parent != PACKAGE / "steps"]
    uses = {_name(path): sorted(_ambient_uses(path)) for path in others}
    assert {name: found for name, found in uses.items() if found} == {}


def test_no_file_names_the_host_of_a_package_registry() -> None:
    found = []
    for path in tracked_files():
        data = path.read_bytes().lower()
        found += [f"{_name(path)}: {host}" for host in REGISTRIES if host.encode() in data]
    assert found == []


def test_every_page_of_a_format_is_in_the_index() -> None:
    pages = {path.name for path in SPEC.glob("*.md")} - {"README.md"}
    links = {link for link in Document(SPEC / "README.md").links() if link.endswith(".md")}
    assert links == pages


def test_decisions_are_numbered_without_gaps_and_stay_short() -> None:
    pages = sorted((SPEC / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {page.name[:4]}: "), page.name
        assert len(lines) <= FUNCTION_LINES, page.name
