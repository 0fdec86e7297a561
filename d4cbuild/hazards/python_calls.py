"""Functions that ask the machine or the moment: found by the names they were imported under."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from d4cbuild.hazards.contract import CONTRACT_VARIABLES
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_module import PythonModule

_NAMES: Final = {
    "clock": (
        "time.time time.time_ns datetime.datetime.now datetime.datetime.utcnow"
        " datetime.datetime.today datetime.date.today pandas.Timestamp.now pandas.Timestamp.today"
        " pandas.Timestamp.utcnow email.utils.localtime time.clock_gettime time.clock_gettime_ns"
    ),
    "uuid": "uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.uuid8 uuid.getnode",
    "time-zone": (
        "time.mktime time.tzname time.timezone time.altzone time.daylight time.tzset"
        " dateutil.tz.tzlocal tzlocal.get_localzone datetime.date.fromtimestamp"
    ),
    "locale": (
        "locale.setlocale locale.atof locale.atoi locale.str locale.format_string locale.currency"
        " locale.strxfrm locale.strcoll locale.getlocale locale.getpreferredencoding"
        " locale.localeconv locale.nl_langinfo locale.getdefaultlocale locale.getencoding"
        " calendar.month_name calendar.month_abbr calendar.day_name calendar.day_abbr"
    ),
    "cpu-count": (
        "os.cpu_count os.process_cpu_count os.sched_getaffinity multiprocessing.cpu_count"
        " psutil.cpu_count joblib.cpu_count os.getloadavg"
    ),
    "host": (
        "os.uname os.getlogin os.getuid os.geteuid os.getgid os.getegid os.getgroups os.getpid"
        " os.getppid os.sysconf os.ctermid socket.gethostname socket.getfqdn getpass.getuser"
        " resource.getrlimit resource.getrusage pathlib.Path.home os.path.expanduser"
        " shutil.disk_usage os.statvfs sys.getwindowsversion threading.get_ident"
        " threading.get_native_id"
    ),
    "place": "os.getcwd os.getcwdb pathlib.Path.cwd",
    "file-metadata": (
        "os.path.getmtime os.path.getctime os.path.getatime os.umask os.path.samefile"
    ),
    "network": (
        "socket.socket socket.create_connection socket.gethostbyname socket.getaddrinfo"
        " http.client.HTTPConnection http.client.HTTPSConnection wget.download"
    ),
}
NAMES: Final = {name: hazard for hazard, names in _NAMES.items() for name in names.split()}
PREFIXES: Final = {
    "urllib.request.": "network",
    "requests.": "network",
    "httpx.": "network",
    "aiohttp.": "network",
    "urllib3.": "network",
    "ftplib.": "network",
    "smtplib.": "network",
    "boto3.": "network",
    "platform.": "host",
    "psutil.": "host",
    "pwd.": "host",
    "grp.": "host",
}
WORDS: Final = {
    "clock": "reads the clock",
    "uuid": "makes another identifier each time",
    "time-zone": "depends on the time zone of the machine",
    "locale": "depends on the locale of the machine",
    "cpu-count": "tells how many processors the machine has",
    "host": "tells something of the machine",
    "place": "tells where the code is run",
    "file-metadata": "tells what the file system knows of a file",
    "network": "uses the network",
}
STAT_FIELDS: Final = re.compile(r"st_([mca]time(_ns)?|mode|uid|gid|ino|dev|nlink)")
HOST_FILES: Final = re.compile(r"/(proc|sys)/|/etc/(hostname|machine-id|passwd|localtime)$")
REMOTE: Final = re.compile(r"(https?|ftps?|s3|gs|gcs|az|abfss?|hf)://|/vsi(curl|s3|gs|az)", re.I)
READERS: Final = re.compile(r"(read|open|load|scan|fetch|download|urlretrieve)", re.I)


def call_spots(module: PythonModule) -> Iterator[Spot]:
    """Find uses of such functions and values."""
    for node in module.names.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield from _named(module, node)
        if isinstance(node, ast.Call):
            yield from _remote(module, node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _host_file(module, node)


def _named(module: PythonModule, node: ast.Name | ast.Attribute) -> Iterator[Spot]:
    if isinstance(node, ast.Attribute) and STAT_FIELDS.fullmatch(node.attr):
        yield module.spot("file-metadata", node, f".{node.attr} {WORDS['file-metadata']}")
        return
    name = module.names.qualified(node)
    if name is None or _is_owner(module, node):
        return
    if name in {"id", "hash"}:
        yield from _builtin(module, node, name)
    elif name == "os.environ":
        yield from _environment(module, node)
    elif name in {"os.getenv", "os.environb", "os.getenvb"}:
        call = module.names.parents.get(node)
        yield from _variable(module, node, call.args[:1] if isinstance(call, ast.Call) else [])
    hazard = NAMES.get(name) or next(
        (each for prefix, each in PREFIXES.items() if name.startswith(prefix)), None
    )
    if hazard is None or _is_fallback(module, node) or name.endswith(("Error", "Exception")):
        return
    yield module.spot(hazard, node, f"{name} {WORDS[hazard]}")


def _is_owner(module: PythonModule, node: ast.AST) -> bool:
    # Of a.b.c only the whole is looked at; os.environ is looked at with what is asked of it.
    parent = module.names.parents.get(node)
    return (
        isinstance(parent, ast.Attribute)
        and parent.value is node
        and module.names.qualified(node) != "os.environ"
    )


def _is_fallback(module: PythonModule, node: ast.AST) -> bool:
    """Whether it is only asked where SOURCE_DATE_EPOCH is missing, which it never is here."""
    for above in module.names.above(node):
        if isinstance(above, ast.Call) and any(
            isinstance(arg, ast.Constant) and arg.value == "SOURCE_DATE_EPOCH" for arg in above.args
        ):
            return True
        if isinstance(above, ast.stmt):
            return False
    return False


def _builtin(module: PythonModule, node: ast.AST, name: str) -> Iterator[Spot]:
    parent = module.names.parents.get(node)
    called = isinstance(parent, ast.Call) and parent.func is node
    as_key = isinstance(parent, ast.keyword) and parent.arg == "key"
    as_function = isinstance(parent, ast.Call) and module.names.called(parent) == "map"
    if not (called or as_key or as_function):
        return
    inside = {getattr(above, "name", "") for above in module.names.above(node)}
    if name == "hash" and "__hash__" not in inside:
        yield module.spot("hash-seed", node, "hash() is another number in another process")
    if name == "id" and not isinstance(module.names.parents.get(parent or node), ast.Compare):
        yield module.spot("address", node, "id() is an address in memory")


def _environment(module: PythonModule, node: ast.Name | ast.Attribute) -> Iterator[Spot]:
    parent = module.names.parents.get(node)
    if isinstance(parent, ast.Subscript):
        if isinstance(parent.ctx, ast.Load):
            yield from _variable(module, parent, [parent.slice])
        return
    above = None if parent is None else module.names.parents.get(parent)
    if isinstance(parent, ast.Attribute) and isinstance(above, ast.Call):
        if parent.attr in {"get", "pop"}:
            yield from _variable(module, above, above.args[:1])
            return
        if parent.attr in {"setdefault", "update", "__setitem__"}:
            return
    if isinstance(parent, ast.Compare):
        yield from _variable(module, parent, [parent.left])
        return
    if any(isinstance(a, ast.keyword) and a.arg == "env" for a in module.names.above(node)):
        return
    yield module.spot("environment-variable", node, "all variables of the environment are read")


def _variable(module: PythonModule, node: ast.AST, key: list[ast.expr]) -> Iterator[Spot]:
    value = module.names.value_of(key[0]) if key else None
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return
    if value.value not in CONTRACT_VARIABLES:
        message = f"the variable {value.value} is not in the sandbox contract"
        yield module.spot("environment-variable", node, message)


def _remote(module: PythonModule, call: ast.Call) -> Iterator[Spot]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = name or (call.func.id if isinstance(call.func, ast.Name) else "")
    if not call.args or not READERS.search(name):
        return
    address = module.text_of(call.args[0])
    if address is not None and REMOTE.match(address):
        yield module.spot("network", call, f"{name}() reads {address[:60]}")


def _host_file(module: PythonModule, node: ast.Constant) -> Iterator[Spot]:
    path = module.text_of(node) or ""
    if isinstance(module.names.parents.get(node), ast.Call) and HOST_FILES.match(path):
        yield module.spot("host", node, f"{path[:60]} tells something of the machine")
