"""Reading CSV: every column as text, as it stands there."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from d4cbuild.errors import InputError
from d4cbuild.tables.options import TableOptions

_OTHER_DELIMITERS = {";": ";", "\t": "tab", "|": "|"}
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_WIDE = ("utf-16", "utf-32", "utf-7")
_SHOWN = 60

Handler = Callable[[pyarrow.csv.InvalidRow], str]


@dataclass(frozen=True)
class CsvFile:
    """A file, and how it is to be read.

    Attributes:
        path: Where it is.
        encoding: Of its text.
        skip_lines: Lines before the one with the names of the columns.
        delimiter: What is between two fields.
        is_delimiter_given: Whether somebody asked for that one.
    """

    path: Path
    encoding: str
    skip_lines: int
    delimiter: str
    is_delimiter_given: bool

    def parse(self) -> pa.Table:
        """Read all of it, every column as text.

        Raises:
            InputError: if the first line has no names of columns.
            ArrowInvalid: if rows have other lengths, or the text is not in the encoding.
        """
        reading, parsing = self._reading(), self._parsing()
        with pyarrow.csv.open_csv(self.path, reading, parsing) as stream:
            names = stream.schema.names
        self.check(names)
        # Text as it is: an empty field is null, and a code such as 0123 is not a number.
        converting = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        return pyarrow.csv.read_csv(self.path, reading, parsing, converting)

    def read_until(self, handler: Handler) -> None:
        """Read it in vain, to find a row of another length.

        Args:
            handler: Gets such a row, with its number, and says what to do, as Arrow wants it.
        """
        # By ``open_csv``, a thread of Arrow's may be the last to let go of the handler. If Python
        # has come to its end meanwhile, that aborts the process.
        with suppress(pa.ArrowInvalid, UnicodeError):  # what is wrong is known already
            pyarrow.csv.read_csv(self.path, self._reading(threads=False), self._parsing(handler))

    def _reading(self, *, threads: bool = True) -> pyarrow.csv.ReadOptions:
        # With threads, rows have no numbers.
        return pyarrow.csv.ReadOptions(
            encoding=self.encoding, skip_rows=self.skip_lines, use_threads=threads
        )

    def _parsing(self, handler: Handler | None = None) -> pyarrow.csv.ParseOptions:
        return pyarrow.csv.ParseOptions(
            delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=handler
        )

    def check(self, names: list[str]) -> None:
        """Look whether the first line has names of columns.

        Raises:
            InputError: if it has not.
        """
        line = self.skip_lines + 1
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            found = ", ".join(f"{name or 'no name'}" for name in twice)
            raise InputError(
                f"line {line} does not have a name of its own for each column",
                found=f"several times: {found}",
                where=f"{self.path}:{line}",
                hint="if lines come before the names of the columns: --skip-lines NUMBER",
            )
        other = [sign for sign in _OTHER_DELIMITERS if sign in names[0]]
        if len(names) == 1 and other and not self.is_delimiter_given:
            raise InputError(
                "there is only one column",
                found=names[0][:_SHOWN],
                where=f"{self.path}:{line}",
                hint=f"--delimiter '{_OTHER_DELIMITERS[other[0]]}', or --delimiter , if it is one",
            )


def read_csv(path: Path, options: TableOptions) -> pa.Table:
    """Read a CSV file.

    Raises:
        InputError: if it cannot be read; the error names the line and what to type.
    """
    options.refuse_all_but("encoding", "skip_lines", "delimiter", where=str(path))
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    delimiter = options.delimiter or usual
    file = CsvFile(
        path,
        _known_encoding(options.encoding or "utf-8"),
        options.skip_lines or 0,
        _NAMED_DELIMITERS.get(delimiter, delimiter),
        options.delimiter is not None,
    )
    if len(file.delimiter) != 1 or not file.delimiter.isascii():
        raise InputError(
            "a delimiter is one character, or tab", found=delimiter, where="--delimiter"
        )
    try:
        return file.parse()
    except (pa.ArrowInvalid, UnicodeError) as error:
        _explain_text(file, error)
        _explain_rows(file, error)
        raise


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise InputError(
            "no such encoding", expected="such as utf-8, cp1252 or latin-1", found=name,
            where="--encoding",
        ) from error  # fmt: skip


def _explain_text(file: CsvFile, error: Exception) -> None:
    """Raise an error that names the first line that is not in the encoding, if there is one."""
    if file.encoding.startswith(_WIDE):
        return  # its lines do not end with a byte of their own
    with file.path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(file.encoding)
            except UnicodeDecodeError as fault:
                start = max(0, fault.start - _SHOWN // 2)
                around = line[start : fault.start + _SHOWN // 2].decode("latin-1").strip()
                raise InputError(
                    f"line {number} is not {file.encoding.upper()}",
                    found=f"the byte {line[fault.start]:#04x} in: {around}",
                    where=f"{file.path}:{number}",
                    hint="say what it is in: --encoding cp1252 (Windows), latin-1, cp850, utf-16 …",
                ) from error


def _explain_rows(file: CsvFile, error: Exception) -> None:
    """Raise an error that names the first row of another length, if there is one."""
    found: list[pyarrow.csv.InvalidRow] = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        found.append(row)
        return "error"

    file.read_until(keep)
    if found:
        row = found[0]
        raise InputError(
            f"row {row.number} has another number of fields than the names of the columns",
            expected=str(row.expected_columns),
            found=f"{row.actual_columns}: {row.text[:_SHOWN]}",
            where=f"{file.path}:{row.number}",
            hint="if lines come before the names of the columns: --skip-lines NUMBER; "
            "if fields are divided otherwise: --delimiter ';'",
        ) from error
