"""Constants of sameness: whatever every machine must agree on. Each change here changes keys."""

from typing import Final

SANDBOX_CONTRACT: Final = "d4c.sandbox/1"
NORMAL_FORM: Final = "d4c.parquet/1"
CONTENT_DIGEST: Final = "d4c.content/1"

PLATFORM: Final = "linux/amd64"
CPU_FLOOR: Final = "x86-64-v3"

SANDBOX_UID: Final = 1000
SANDBOX_GID: Final = 1000
SANDBOX_HOSTNAME: Final = "d4c"
