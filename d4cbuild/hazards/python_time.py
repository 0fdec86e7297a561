"""Times and text whose meaning depends on the moment, the zone or the locale."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_module import PythonModule

# Without the time to show, they show that of now.
OF_NOW: Final = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1}
MAKERS_OF_TIMES: Final = {"pandas.to_datetime", "pandas.Timestamp", "numpy.datetime64"}
NOW: Final = {"now", "today"}
LOCAL: Final = {"time.localtime", "time.ctime"}
NAMED_PARTS: Final = re.compile(r"%-?[aAbBcxXp]")
EPOCH: Final = "SOURCE_DATE_EPOCH"
TARS: Final = {"tarfile.open", "tarfile.TarFile"}
ARCHIVE_MODES: Final = re.compile(r"[wxa]")


def time_spots(module: PythonModule) -> Iterator[Spot]:
    """Find them."""
    for node in module.names.nodes:
        if isinstance(node, ast.Call):
            name = module.names.called(node) or ""
            yield from _of_now(module, node, name)
            yield from _without_zone(module, node, name)
            yield from _named_parts(module, node, name)
            yield from _without_encoding(module, node, name)
            yield from _archive(module, node, name)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    return call.args[position] if len(call.args) > position else _keyword(call, name)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _of_now(module: PythonModule, call: ast.Call, name: str) -> Iterator[Spot]:
    if (name in OF_NOW and not call.args) or (name == "time.strftime" and len(call.args) == 1):
        yield module.spot("clock", call, f"{name}() without a time reads the clock")
    elif name in MAKERS_OF_TIMES and call.args and module.text_of(call.args[0]) in NOW:
        yield module.spot("clock", call, f"{name}() of now reads the clock")


def _without_zone(module: PythonModule, call: ast.Call, name: str) -> Iterator[Spot]:
    if name in LOCAL and call.args and not module.says(call, EPOCH):
        yield module.spot("time-zone", call, f"{name}() shows a time in the machine's zone")
    elif name == "datetime.datetime.fromtimestamp":
        if _argument(call, 1, "tz") is None and not module.says(call, EPOCH):
            yield module.spot("time-zone", call, "fromtimestamp() without tz uses the machine's")
    elif _method(call) == "astimezone" and not call.args and not call.keywords:
        yield module.spot("time-zone", call, "astimezone() without a zone uses the machine's")


def _named_parts(module: PythonModule, call: ast.Call, name: str) -> Iterator[Spot]:
    if name == "pandas.to_datetime":
        form = _keyword(call, "format")
    elif _method(call) in {"strptime", "strftime"} or name in {"time.strptime", "time.strftime"}:
        # datetime.strptime(text, form), time.strftime(form, time), a_time.strftime(form)
        texts = [argument for argument in call.args[:2] if "%" in (module.text_of(argument) or "")]
        form = texts[0] if texts else _keyword(call, "format")
    else:
        return
    part = NAMED_PARTS.search(module.text_of(form) or "")
    if part is not None:
        message = f"{part[0]} is spelled as the locale of the machine wants it"
        yield module.spot("locale", call, message)


def _without_encoding(module: PythonModule, call: ast.Call, name: str) -> Iterator[Spot]:
    method = _method(call)
    if name in {"open", "io.open"}:
        mode, encoding = _argument(call, 1, "mode"), _argument(call, 3, "encoding")
    elif method == "open" and not name and _is_path(module, call):
        mode, encoding = _argument(call, 0, "mode"), _argument(call, 2, "encoding")
    elif (method, len(call.args)) in {("read_text", 0), ("write_text", 1)}:
        mode, encoding = None, _keyword(call, "encoding")
    else:
        return
    if encoding is not None or any(k.arg is None for k in call.keywords):
        return
    if mode is not None and "b" in (module.text_of(mode) or "b"):
        return  # bytes, or not to be known
    message = f"{name or method}() without encoding reads text as the locale says"
    yield module.spot("locale", call, message)


def _is_path(module: PythonModule, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = module.names.value_of(call.func.value)
    while isinstance(owner, ast.BinOp) and isinstance(owner.op, ast.Div):
        owner = module.names.value_of(owner.left)
    return module.names.called(owner) == "pathlib.Path"


def _archive(module: PythonModule, call: ast.Call, name: str) -> Iterator[Spot]:
    method = _method(call)
    if name == "gzip.compress" and _argument(call, 2, "mtime") is None:
        yield module.spot("archive-times", call, "gzip.compress() without mtime writes the time")
    elif name in {"gzip.open", "gzip.GzipFile"} and _keyword(call, "mtime") is None:
        mode = _argument(call, 1, "mode")
        if ARCHIVE_MODES.search(module.text_of(mode) or ""):
            yield module.spot("archive-times", call, f"{name}() writes the time and a file name")
    elif method in {"write", "writestr", "add"} and isinstance(call.func, ast.Attribute):
        archive = module.names.called(module.names.value_of(call.func.value))
        if archive == "zipfile.ZipFile" and method != "add":
            if method == "writestr" and not _text_or_joined(module, call.args[:1]):
                return  # a ZipInfo has its own time
            yield module.spot("archive-times", call, f".{method}() puts a time into the zip")
        elif archive in TARS and method == "add" and _keyword(call, "filter") is None:
            yield module.spot("archive-times", call, ".add() puts times and owners into tar")


def _text_or_joined(module: PythonModule, arguments: list[ast.expr]) -> bool:
    value = module.names.value_of(arguments[0]) if arguments else None
    return isinstance(value, ast.Constant | ast.JoinedStr)
