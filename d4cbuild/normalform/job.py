"""The job in the sandbox: what the recipe's code wrote becomes the artifacts.

Run as ``python -m d4cbuild.normalform.job JOB.json``. The job file names the folder that holds
what the code wrote, the folder for the artifacts, and the declarations: ``outputs`` of tables,
``files`` of plain files with the names the code gave them. ``threads``, and ``memory`` in bytes,
say how it may go about it, and change nothing in the files. The report goes beside the
artifacts. The exit status is 0 also where declarations are broken: the report says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from d4cbuild.normalform.containers import rewrite_container
from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.findings import DeclarationBroken, Violation
from d4cbuild.normalform.reading import Unreadable
from d4cbuild.normalform.scratch import NO_ROOM, ScratchTooSmall
from d4cbuild.normalform.table import DEFAULT_MEMORY, write_table

REPORT_NAME = "report.json"


def main(arguments: list[str]) -> int:
    """Normalise every output of a job.

    Args:
        arguments: The path of the job file.
    """
    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    written, made = Path(job["written"]), Path(job["made"])
    pa.set_cpu_count(job["threads"])
    outputs: dict[str, Any] = {}
    violations: list[Violation] = []
    for record in job["outputs"]:
        declaration = Declaration.from_json(record)
        try:
            outputs[declaration.name] = _make(written, made, declaration, job)
        except Unreadable as error:
            message = f"not readable as Parquet: {error}"
            violations.append(Violation(declaration.name, "", "format", message))
        except ScratchTooSmall as error:
            violations.append(Violation(declaration.name, "", "disk", str(error.strerror)))
        except DeclarationBroken as broken:
            violations += broken.violations
    for record in job.get("files", ()):
        name = record["name"]
        try:
            outputs[name] = _rewrite(written / record["file"], made / f"{name}.rewritten")
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            violations.append(Violation(name, "", "disk", f"no room: {error.strerror}"))
    report = {"outputs": outputs, "violations": [v.as_json() for v in violations]}
    text = json.dumps(report, sort_keys=True, ensure_ascii=True)
    (made / REPORT_NAME).write_text(text, encoding="utf-8")
    return 0


def _make(written: Path, made: Path, declaration: Declaration, job: dict[str, Any]) -> Any:
    file_name = f"{declaration.name}.parquet"
    result = write_table(
        written / file_name,
        made / file_name,
        declaration,
        job["threads"],
        memory=job.get("memory", DEFAULT_MEMORY),
    )
    return {
        "content": f"blake3:{result.content}",
        "rows": result.rows,
        "columns": [
            {
                "name": column.name,
                "type": column.type_name,
                "nullable": column.nullable,
                "nulls": result.nulls[column.name],
            }
            for column in declaration.columns
        ],
        "geometry": result.geometry,
        "repaired": result.repaired,
    }


def _rewrite(written: Path, made: Path) -> dict[str, Any]:
    found = rewrite_container(written, made)
    return {"rewritten": list(found.rewritten), "kept": found.kept}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
