"""Foreign text in Markdown and in commands for a shell."""

from __future__ import annotations

import re
import subprocess

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from d4cbuild.bundle.markdown import as_line, as_link, as_paragraphs, as_shell_word
from tests.bundle.hostile import HOSTILE, hostile_texts

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
UNSEEN = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]"
CONTEXTS = ["{}", "# {}", "- {}", "> {}", "| a | b |\n|---|---|\n| {} | {} |"]


@given(hostile_texts, st.sampled_from(CONTEXTS))
@settings(max_examples=400, deadline=None)
def test_foreign_text_is_shown_as_it_is(text: str, context: str) -> None:
    line = as_line(text)
    assume(line)
    tokens = MARKDOWN.parse(context.format(*[line] * 2))
    plain = MARKDOWN.parse(context.format(*["x"] * 2))
    assert [token.type for token in tokens] == [token.type for token in plain]
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text"}
    shown = [
        "".join(child.content for child in token.children or [])
        for token in tokens
        if token.type == "inline"
    ]
    wanted = re.sub("[\t-\r\x1c-\x1e\x85\u2028\u2029 ]+", " ", text).strip()
    assert re.sub("\ufffd", "", shown[-1]) == re.sub(UNSEEN, "", wanted)


def test_a_shell_takes_any_name_as_one_word() -> None:
    for text in HOSTILE:
        done = subprocess.run(
            ["sh", "-c", f"printf %s {as_shell_word(text)}"], capture_output=True, check=True
        )
        shown = done.stdout.decode()
        assert shown == re.sub("[\x00-\x1f\x7f-\x9f]", "\ufffd", text)


def test_text_that_needs_no_escape_stays_readable() -> None:
    for text in ("1.0.0", "csd_uid", "2006--2015", "R&D, a < b? no: 3.5 – “x” (y)", "élan: -5"):
        assert as_line(text.replace("<", ">")) == text.replace("<", ">")


def test_blank_lines_part_paragraphs() -> None:
    assert as_paragraphs("one\ntwo\n \n\n# three\r\n\r\n") == "one two\n\n\\# three"


def test_only_what_is_an_address_beyond_doubt_is_a_link() -> None:
    assert as_link("https://example.invalid/a?b=c") == "<https://example.invalid/a?b=c>"
    for text in ("javascript:alert(1)", "https://example.invalid/a b", "https://a|b", "https://<"):
        types = {c.type for t in MARKDOWN.parse(as_link(text)) for c in t.children or []}
        assert types == {"text"}
