"""What a recipe's code may count on: the variables of the sandbox contract, ``d4c.sandbox/1``."""

from typing import Final

CONTRACT_VARIABLES: Final = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "PWD", "HOSTNAME", "D4C_SOURCES", "D4C_CODE"),
        *("D4C_PARAMETERS", "D4C_OUT", "PYTHONPATH", "SOURCE_DATE_EPOCH", "OGR_CURRENT_DATE"),
        *("TZ", "LC_ALL", "LANG", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"),
        *("PYTHONUNBUFFERED", "PROJ_NETWORK", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        *("ARROW_DEFAULT_NUM_THREADS", "GDAL_NUM_THREADS", "OPENBLAS_CORETYPE"),
        *("ARROW_USER_SIMD_LEVEL", "NPY_DISABLE_CPU_FEATURES", "GLIBC_TUNABLES"),
    }
)
"""Names. The number of threads is among them; that bytes must not depend on it is the recipe's
promise, and what ``verify --vary`` tries."""
