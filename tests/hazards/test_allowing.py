"""Comments that keep a hazard, and comments that only seem to."""

from __future__ import annotations

from tests.hazards.snippets import found_in, found_places


def _names(text: str, name: str = "process.py") -> list[tuple[int, str, str | None]]:
    return [(each.line, each.name, each.allowed) for each in found_in(text, name)]


def test_a_comment_above_speaks_of_the_next_statement() -> None:
    text = """\
import time
# d4c: allow clock: only in the log
# (which nobody compares)

start = (
    time.time()
)
end = time.time()
"""
    assert _names(text.replace("\n\n", "\n")) == [
        (5, "clock", "only in the log"),
        (7, "clock", None),
    ]


def test_a_comment_at_any_line_of_a_statement_speaks_of_all_of_it() -> None:
    text = "import time\nx = [\n    time.time(),\n    1,  # d4c: allow clock: two\n]\n"
    assert _names(text) == [(3, "clock", "two")]


def test_a_comment_above_a_function_does_not_speak_of_its_body() -> None:
    text = "import time\n# d4c: allow clock: all\ndef f():\n    return time.time()\n"
    assert found_places(text) == {(2, "unused-allow"), (4, "clock")}


def test_a_comment_keeps_only_the_hazard_it_names() -> None:
    text = "import time, uuid\nx = time.time(), uuid.uuid4()  # d4c: allow uuid: of no account\n"
    assert _names(text) == [(2, "clock", None), (2, "uuid", "of no account")]


def test_two_comments_keep_two_hazards() -> None:
    text = """\
import time, uuid
# d4c: allow uuid: one
# d4c: allow clock: two
x = time.time(), uuid.uuid4()
"""
    assert _names(text) == [(4, "clock", "two"), (4, "uuid", "one")]


def test_a_comment_without_a_reason_keeps_nothing() -> None:
    for comment in ("# d4c: allow clock", "# d4c: allow clock:", "# d4c: allow: because"):
        text = f"import time\nx = time.time()  {comment}\n"
        assert found_places(text) == {(2, "bad-allow"), (2, "clock")}


def test_a_comment_with_an_unknown_hazard_lists_those_there_are() -> None:
    text = "import time\nx = time.time()  # d4c: allow watch: because\n"
    (bad,) = [each for each in found_in(text) if each.name == "bad-allow"]
    assert "'watch'" in bad.message
    assert "clock" in bad.remedy


def test_a_comment_that_keeps_nothing_is_told() -> None:
    assert _names("x = 1  # d4c: allow clock: was here once\n") == [(1, "unused-allow", None)]


def test_what_looks_like_a_comment_in_a_text_keeps_nothing() -> None:
    text = "import time\nx = '# d4c: allow clock: no', time.time()\n"
    assert found_places(text) == {(2, "clock")}


def test_sql_within_python_can_be_kept_from_either_language() -> None:
    within = 'con.sql("""\n  SELECT now() -- d4c: allow clock: kept\n""")\n'
    above = '# d4c: allow clock: kept\ncon.sql("""\n  SELECT now()\n""")\n'
    assert _names(within) == [(2, "clock", "kept")]
    assert _names(above) == [(3, "clock", "kept")]


def test_a_comment_above_a_statement_of_sql_speaks_of_all_its_lines() -> None:
    text = "-- d4c: allow clock: kept\nSELECT a,\n  now()\nFROM t;\nSELECT now();\n"
    assert _names(text, "a.sql") == [(3, "clock", "kept"), (5, "clock", None)]
