"""Audit what is pinned: every package by hash, as a wheel, and none that its authors took back.

Asks the index that this machine's pip is configured for. Whether a fault of a package is known is
not asked: that takes an advisory service, which not every machine reaches; pip-audit does it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})+)$")


def main() -> int:
    """Audit every list; the exit status is 1 if one fails, whatever could not be asked."""
    faults = []
    for path in [*TOP.glob("requirements*.txt"), *(TOP / "tests" / "pinned").glob("*.txt")]:
        name = path.relative_to(TOP).as_posix()
        entries, wrong = _entries(path.read_text(encoding="utf-8"))
        faults += [f"{name}: not pinned by hash: {line}" for line in wrong]
        if path.parent == TOP:
            asked, taken_back = _taken_back(path)
            faults += [f"{name}: taken back by its authors: {each}" for each in taken_back]
            print(f"{name}: {entries} packages by hash; {asked}")
        else:
            print(f"{name}: {entries} packages by hash")
    print("known faults: could not be asked here; pip-audit -r requirements.txt asks an advisory service")
    print("\n".join(faults) or "nothing wrong was found")
    return int(bool(faults))


def _entries(text: str) -> tuple[int, list[str]]:
    joined = re.sub(r" *\\\n *", " ", text)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return len(lines), [line[:80] for line in lines if _ENTRY.match(line) is None]


def _taken_back(path: Path) -> tuple[str, list[str]]:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--report=-", "-r", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"could not ask the index ({last[:120]})", []
    items = json.loads(done.stdout)["install"]
    found = [each["metadata"]["name"] for each in items if each.get("is_yanked")]
    return f"{len(items)} are there as wheels, {len(found)} taken back", found


if __name__ == "__main__":
    sys.exit(main())
