"""Poll-by-poll results of four general elections: 1,262 CSV files in four archives as one table."""

import csv
import datetime
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TEXT, FLAG, COUNT = pa.string(), pa.bool_(), pa.int16()
# Published name -> (our name, type). The order is the publisher's and is checked.
COLUMNS = {
    "Electoral District Number/Numéro de circonscription": ("district_number", TEXT),
    "Electoral District Name_English/Nom de circonscription_Anglais": ("district_name_en", TEXT),
    "Electoral District Name_French/Nom de circonscription_Français": ("district_name_fr", TEXT),
    "Polling Station Number/Numéro du bureau de scrutin": ("poll_number", TEXT),
    "Polling Station Name/Nom du bureau de scrutin": ("poll_name", TEXT),
    "Void Poll Indicator/Indicateur de bureau supprimé": ("void_poll", FLAG),
    "No Poll Held Indicator/Indicateur de bureau sans scrutin": ("no_poll_held", FLAG),
    "Merge With/Fusionné avec": ("merged_with", TEXT),
    "Rejected Ballots for Polling Station/Bulletins rejetés du bureau": ("rejected_ballots", COUNT),
    "Electors for Polling Station/Électeurs du bureau": ("electors", COUNT),
    "Candidate's Family Name/Nom de famille du candidat": ("candidate_family_name", TEXT),
    "Candidate's Middle Name/Second prénom du candidat": ("candidate_middle_name", TEXT),
    "Candidate's First Name/Prénom du candidat": ("candidate_first_name", TEXT),
    "Political Affiliation Name_English/Appartenance politique_Anglais": ("party_en", TEXT),
    "Political Affiliation Name_French/Appartenance politique_Français": ("party_fr", TEXT),
    "Incumbent Indicator/Indicateur_Candidat sortant": ("incumbent", FLAG),
    "Elected Candidate Indicator/Indicateur du candidat élu": ("elected", FLAG),
    "Candidate Poll Votes Count/Votes du candidat pour le bureau": ("votes", COUNT),
}
SCHEMA = pa.schema(
    [("general_election", pa.int8()), ("election_date", pa.date32()), *COLUMNS.values()]
)
FLAGS = {"Y": True, "N": False}
MEMBER = re.compile(r"pollresults_resultatsbureau([0-9]{5})\.csv")
DISTRICT, DISTRICT_NAME = 0, 1


def rows_of(text: str, election: dict[str, Any], where: str) -> Iterator[list[str] | None]:
    """Rows of a member, stripped; None for a blank line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.replace("’", "'") for name in next(reader)]
    if header != list(COLUMNS):
        raise SystemExit(f"{where}: unknown header {header}")
    for row in reader:
        if not row:
            yield None
            continue
        if len(row) != len(COLUMNS):
            raise SystemExit(f"{where}, line {reader.line_num}: {len(row)} fields")
        # In 2008 the English district name has a closing quote but no opening one.
        if row[DISTRICT_NAME].endswith('"') != election["stray_quote"]:
            raise SystemExit(f"{where}, line {reader.line_num}: quotes are not as declared")
        row[DISTRICT_NAME] = row[DISTRICT_NAME].removesuffix('"')
        yield [field.strip() for field in row]


def table_of(rows: list[list[str]], election: dict[str, Any]) -> pa.Table:
    """One member's rows as columns. An unknown flag or a count that is no number stops here."""
    date = datetime.date.fromisoformat(election["date"])
    arrays = [
        pa.repeat(pa.scalar(election["number"], pa.int8()), len(rows)),
        pa.repeat(pa.scalar(date, pa.date32()), len(rows)),
    ]
    for (_, kind), fields in zip(COLUMNS.values(), zip(*rows, strict=True), strict=True):
        if kind == FLAG:
            values: list[Any] = [FLAGS[field] for field in fields]
        elif kind == COUNT:
            values = [int(field) for field in fields]
        else:
            values = [field or None for field in fields]
        arrays.append(pa.array(values, kind))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def write_election(archive: Path, election: dict[str, Any], writer: pq.ParquetWriter) -> None:
    """Append an archive's members in sorted order, then hold the counts against the declared."""
    counted = {"members": 0, "rows": 0, "blank_rows": 0}
    with zipfile.ZipFile(archive) as container:
        for name in sorted(container.namelist()):
            match = MEMBER.fullmatch(name)
            if match is None:
                raise SystemExit(f"{archive.name}: unknown member {name}")
            text = container.read(name).decode(election["encoding"], errors="strict")
            rows = list(rows_of(text, election, f"{archive.name}/{name}"))
            filled = [row for row in rows if row is not None]
            if {row[DISTRICT] for row in filled} != {match[1]}:
                raise SystemExit(f"{archive.name}/{name} speaks of another district")
            writer.write_table(table_of(filled, election))
            counted["members"] += 1
            counted["rows"] += len(filled)
            counted["blank_rows"] += len(rows) - len(filled)
    declared = {key: election[key] for key in counted}
    if counted != declared:
        raise SystemExit(f"{archive.name}: counted {counted}, declared {declared}")


def main() -> None:
    """Write the four elections one after another; only one member is in memory at a time."""
    parameters = json.loads(Path(os.environ["D4C_PARAMETERS"]).read_text(encoding="utf-8"))
    sources, out = Path(os.environ["D4C_SOURCES"]), Path(os.environ["D4C_OUT"])
    with pq.ParquetWriter(out / "poll_results.parquet", SCHEMA) as writer:
        for election in parameters["elections"]:
            write_election(sources / election["source"], election, writer)


if __name__ == "__main__":
    main()
