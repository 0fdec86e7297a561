"""What a job finds: places, variables, identity; the same in both runners."""

import json
import signal
from pathlib import Path

import pytest

from d4cbuild.sandbox.job import contract_environment

from .conftest import RunJob
from .jobs import EPOCH_S, PARAMETERS, SOURCE

FACTS = """
import json, os, resource, socket, sys
from pathlib import Path
status = dict(l.split(":", 1) for l in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
    "host": socket.gethostname(),
    "process": [os.getpid(), os.getppid(), os.getsid(0), os.getpgid(0)],
    "folder": os.getcwd(),
    "umask": os.umask(0),
    "input": sys.stdin.read(),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "cpus": len(os.sched_getaffinity(0)),
    "kernel": {n: status[n].strip() for n in (
        "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "SigBlk", "SigIgn")},
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in (
        "RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_STACK")},
    "environment": sorted(os.environ.items()),
    "processes": [n for n in os.listdir("/proc") if n.isdigit()],
    "modes": {p: oct(os.stat(p).st_mode) for p in (
        "/", "/tmp", "/d4c", "/d4c/out", "/d4c/code", "/d4c/lib", "/d4c/sources", "/etc/passwd",
        "/d4c/sources/raw", "/d4c/parameters.json")},
    "sys": os.listdir("/sys"),
    "d4c": sorted(os.listdir("/d4c")),
    "etc": {n: Path("/etc", n).read_text() for n in ("hosts", "hostname", "resolv.conf")},
    "interfaces": [name for _, name in socket.if_nameindex()],
}))
"""


def test_a_job_finds_its_ingredients_at_the_places_of_the_contract(run_job: RunJob) -> None:
    ran = run_job(
        "import os, pathlib, attempts\n"
        "for name in ('D4C_PARAMETERS', 'D4C_SOURCES'):\n"
        "    path = pathlib.Path(os.environ[name])\n"
        "    print((path / 'raw' if path.is_dir() else path).read_text(), end='')\n"
        "print(attempts.__file__, os.listdir(os.environ['D4C_CODE']))\n"
        "pathlib.Path(os.environ['D4C_OUT'], 'made').write_text('made')\n"
    )
    assert ran.log == f"{PARAMETERS}{SOURCE.decode()}/d4c/lib/attempts.py ['job.py']\n"
    assert (ran.out / "made").read_text() == "made"
    assert ran.outcome.succeeded


def test_the_variables_are_those_of_the_contract_and_none_of_the_callers(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "hunter2")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    ran = run_job("import json, os; print(json.dumps(dict(os.environ)))")
    assert json.loads(ran.log) == contract_environment(1, EPOCH_S)


def test_a_job_is_user_1000_without_any_privilege_and_process_1(run_job: RunJob) -> None:
    facts = json.loads(run_job(FACTS).log)
    assert facts["user"] == [1000] * 4
    assert facts["process"] == [1, 0, 1, 1]
    assert facts["processes"] == ["1"]
    assert facts["host"] == "d4c"
    kernel = facts["kernel"]
    assert kernel["NoNewPrivs"] == "1"
    assert {kernel[name] for name in kernel if name.startswith("Cap")} == {"0" * 16}


@pytest.mark.engine
def test_both_runners_show_a_job_the_same(run_on_both: RunJob) -> None:
    first, second = (json.loads(ran.log) for ran in run_on_both(FACTS, cpus=2))
    assert first == second
    assert first["interfaces"] == ["lo"]
    assert first["sys"] == []


@pytest.mark.engine
def test_both_runners_give_the_same_bytes(run_on_both: RunJob) -> None:
    made = [
        _files(ran.out)
        for ran in run_on_both(
            "import os, duckdb, numpy, pandas, pyarrow as pa, pyarrow.parquet as pq\n"
            "x = numpy.linspace(0.001, 900, 200_000)\n"
            "m = numpy.log(x).reshape(400, 500)\n"
            "t = pa.table({'log': numpy.log(x), 'tan': numpy.tan(x), 'set': [str(hash(str(i)))"
            " for i in range(200_000)], 'dot': numpy.repeat((m @ m.T).sum(axis=0), 500)})\n"
            "pq.write_table(t, '/d4c/out/arrow.parquet')\n"
            'duckdb.sql("copy (select *, row_number() over (order by log) n from t)'
            " to '/d4c/out/duck.parquet' (format parquet)\")\n"
            "pandas.DataFrame({'x': x}).describe().to_csv('/d4c/out/described.csv')\n"
            "open('/d4c/out/listed', 'w').write(repr([sorted(os.environ.items()), os.getcwd()]))\n",
            cpus=2,
            memory=2 << 30,
        )
    ]
    assert sorted(made[0]) == ["arrow.parquet", "described.csv", "duck.parquet", "listed"]
    assert made[0] == made[1]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_signals_that_the_caller_ignores_are_not_ignored_in_the_sandbox(run_job: RunJob) -> None:
    code = "print([line.split()[1] for line in open('/proc/1/status') if line[:7] == 'SigIgn:'][0])"
    usual = run_job(code).log
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_job(code).log == usual
    finally:
        signal.signal(signal.SIGHUP, before)
