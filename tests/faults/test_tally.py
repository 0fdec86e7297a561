"""The table of cases: what it counts, and what it says."""

from __future__ import annotations

import io

from rich.console import Console

from tests.tally import Case, Fate, Tally


def printed(tally: Tally) -> str:
    paper = io.StringIO()
    tally.print(Console(file=paper, width=110))
    return paper.getvalue()


def test_a_tally_counts_by_kind_and_fails_if_one_case_does() -> None:
    tally = Tally("Faults")
    tally.add_all(Case("kill", str(number)) for number in range(1200))
    assert tally.status == 0
    tally.add(Case("disk", "[7]", Fate.LOST, "half a file", "python -m tests.faults disk --case 7"))
    assert tally.status == 1
    assert (tally.count(), tally.count(Fate.LOST)) == (1201, 1)
    text = printed(tally)
    assert [line.split() for line in text.splitlines() if line.split()[:1] == ["kill"]] == [
        ["kill", "1,200", "1,200", "0", "0", "0"]
    ]
    assert "disk, [7]: lost" in text
    assert "half a file" in text
    assert "again: python -m tests.faults disk --case 7" in text


def test_no_cases_is_no_success() -> None:
    assert Tally("Nothing").status == 1
