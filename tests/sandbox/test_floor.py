"""One floor of CPU features for all libraries, whatever this machine's CPU can do besides.

A machine without AVX-512 cannot show that switching it off does something. So each setting is
also turned further down, to something below every machine, and must be seen to take effect: a
library that no longer listened to it would be found on any machine.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.ambient import cpu_flags
from d4cbuild.sandbox.floor import FLOOR_FLAGS, missing_flags, require_cpu_floor
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import GLIBC_ABOVE_FLOOR, NUMPY_ABOVE_FLOOR

from .conftest import RunJob

GOLDEN = Path(__file__).parent / "golden" / "floor.json"
LOADER = "/lib64/ld-linux-x86-64.so.2"
# Where glibc says which features of CPUID's leaf 7 it uses, and which bit of them is which.
LEAF_7 = "x86.cpu_features.features[0x1].active[0x1]"
AVX2_BIT, AVX512_BITS = 5, (16, 17, 26, 27, 28, 30, 31)

PROBE = f"""
import ctypes, hashlib, json, math, os, subprocess, sys
from pathlib import Path
import numpy, pyarrow
from numpy._core import _multiarray_umath as core
listed = subprocess.run([{LOADER!r}, "--list-diagnostics"], capture_output=True, text=True).stdout
(leaf,) = [int(l.split("=")[1], 16) for l in listed.splitlines() if l.startswith({LEAF_7!r})]
maps = Path("/proc/self/maps").read_text().splitlines()
(blas,) = {{line.split()[-1] for line in maps if "openblas" in line}}
name = ctypes.CDLL(blas).scipy_openblas_get_corename64_
name.restype = ctypes.c_char_p
digest = lambda data: hashlib.sha256(data).hexdigest()
x = (numpy.arange(1, 100_001) * 7919 % 100_003) / 142.0
functions = ("log", "exp", "tan", "arctan", "sin", "cos", "log1p", "arcsinh", "cbrt")
small = x.astype("f4") / 16
bits = {{"numpy." + f: digest(getattr(numpy, f)(x).tobytes()) for f in functions}}
bits |= {{"numpy.f4." + f: digest(getattr(numpy, f)(small).tobytes()) for f in functions}}
bits |= {{"math." + f: digest(repr([getattr(math, f)(v) for v in x.tolist()[:20_000]]).encode())
         for f in ("log", "tan", "atan", "sin", "cos", "log1p", "asinh")}}
square = numpy.log(x[:90_000]).reshape(300, 300)
bits["numpy.matmul"] = digest((square @ square.T).tobytes())
json.dump({{
    "numpy": [n for n in core.__cpu_dispatch__ if core.__cpu_features__[n]],
    "numpy knows": core.__cpu_dispatch__,
    "arrow": pyarrow.runtime_info().simd_level,
    "openblas": name().decode(),
    "glibc": leaf,
    "bits": bits,
}}, sys.stdout)
"""
LOWERED = (
    "import os, subprocess, sys\n"
    "settings = {settings!r}\n"
    "for name, value in settings.items():\n"
    "    os.environ[name] = value.replace('$', os.environ.get(name, ''))\n"
    "sys.exit(subprocess.run([sys.executable, '-W', 'error', '-c', {probe!r}]).returncode)\n"
)


def _probe(run_job: RunJob, **settings: str) -> dict[str, Any]:
    # Every warning is an error: a name that numpy did not know would be one.
    ran = run_job(LOWERED.format(settings=settings, probe=PROBE), cpus=1)
    assert ran.outcome.succeeded, ran.log
    found: dict[str, Any] = json.loads(ran.log)
    return found


def test_no_library_uses_more_than_the_floor(run_job: RunJob) -> None:
    found = _probe(run_job)
    assert found["numpy"] == ["X86_V3"]
    assert found["arrow"] == "avx2"
    assert found["openblas"] == "Haswell"
    assert found["glibc"] >> AVX2_BIT & 1
    assert [bit for bit in AVX512_BITS if found["glibc"] >> bit & 1] == []


def test_the_same_input_gives_the_golden_bits_on_every_machine(run_job: RunJob) -> None:
    bits = _probe(run_job)["bits"]
    if os.environ.get("D4C_ACCEPT"):
        GOLDEN.write_text(json.dumps(bits, indent=2, sort_keys=True) + "\n")
    assert bits == json.loads(GOLDEN.read_text())


def test_every_level_numpy_knows_above_the_floor_is_switched_off(run_job: RunJob) -> None:
    known = _probe(run_job)["numpy knows"]
    assert set(known) == {"X86_V3", *NUMPY_ABOVE_FLOOR}


def test_numpy_listens_to_its_setting(run_job: RunJob) -> None:
    found = _probe(run_job, NPY_DISABLE_CPU_FEATURES="$ X86_V3")
    assert found["numpy"] == []
    golden = json.loads(GOLDEN.read_text())
    assert found["bits"]["numpy.f4.exp"] != golden["numpy.f4.exp"]
    assert found["bits"]["math.log"] == golden["math.log"]


def test_glibc_listens_to_its_setting(run_job: RunJob) -> None:
    found = _probe(run_job, GLIBC_TUNABLES="$,-AVX2,-FMA")
    assert not found["glibc"] >> AVX2_BIT & 1
    golden = json.loads(GOLDEN.read_text())
    for name in ("math.sin", "math.asinh", "numpy.exp", "numpy.log1p"):
        assert found["bits"][name] != golden[name]


def test_arrow_listens_to_its_setting(run_job: RunJob) -> None:
    assert _probe(run_job, ARROW_USER_SIMD_LEVEL="SSE4_2")["arrow"] == "sse4_2"


def test_openblas_listens_to_its_setting(run_job: RunJob) -> None:
    found = _probe(run_job, OPENBLAS_CORETYPE="Nehalem")
    assert found["openblas"] == "Nehalem"
    assert found["bits"]["numpy.matmul"] != json.loads(GOLDEN.read_text())["numpy.matmul"]


@pytest.mark.parametrize("name", GLIBC_ABOVE_FLOOR)
def test_the_environments_glibc_knows_the_name(image: Image, name: str) -> None:
    loader = (image.root / "usr" / LOADER.lstrip("/")).resolve().read_bytes()
    assert name.encode() in loader
    assert f"{name}_Usable".encode() not in loader  # what older versions called it


def test_this_machine_is_not_below_the_floor() -> None:
    require_cpu_floor()
    assert missing_flags(cpu_flags()) == []


def test_a_cpu_below_the_floor_is_told_what_it_lacks() -> None:
    sandy_bridge = FLOOR_FLAGS - {"avx2", "bmi1", "bmi2", "fma", "abm", "movbe", "f16c"} | {"mmx"}
    assert missing_flags(sandy_bridge) == ["abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"]
    assert missing_flags(FLOOR_FLAGS | {"avx512f"}) == []
