"""The job in the sandbox: what the recipe's code wrote becomes the artifacts.

Run as ``python -m d4cbuild.normalform.job JOB.json``. The job file names the folder that holds
what the code wrote, the folder for the artifacts, and the declarations; the report goes beside the
artifacts. The exit status is 0 also where declarations are broken: the report says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.findings import DeclarationBroken, Violation
from d4cbuild.normalform.table import null_counts, write_table

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
        file_name = f"{declaration.name}.parquet"
        try:
            table = pq.ParquetFile(written / file_name).read()
        except (pa.ArrowException, OSError) as error:
            message = f"not readable as Parquet: {str(error).splitlines()[0]}"
            violations.append(Violation(declaration.name, "", "format", message))
            continue
        try:
            normal = write_table(table, made / file_name, declaration, job["threads"])
        except DeclarationBroken as broken:
            violations += broken.violations
            continue
        nulls = null_counts(normal.table)
        outputs[declaration.name] = {
            "content": f"blake3:{normal.content}",
            "rows": normal.table.num_rows,
            "columns": [
                {
                    "name": c.name,
                    "type": c.type_name,
                    "nullable": c.nullable,
                    "nulls": nulls[c.name],
                }
                for c in declaration.columns
            ],
            "geometry": normal.geometry,
            "repaired": normal.repaired,
        }
    report = {"outputs": outputs, "violations": [v.as_json() for v in violations]}
    text = json.dumps(report, sort_keys=True, ensure_ascii=True)
    (made / REPORT_NAME).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
