"""Patterns: what RE2 takes is taken, what it lacks is refused."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from d4cbuild.model.pattern import check_pattern

GOOD = (
    "[A-Z][0-9][A-Z] [0-9][A-Z][0-9]",
    r"(10|11)\d{5}",
    r"(?i)a(?:b|c)*?",
    r"(?P<year>\d{4})-(?i:x)",
    r"\pL+\p{Greek}?\P{Lu}",
    "[[:alpha:]_]+",
    r"[]a^\]-]+",
    r"\Aab\z",
    "a{2,}b{0,1000}",
    r"a\++",
    "a+|b+",
    "é+",
    "a{,5}",
    "",
)
BAD = {
    "(?=a)b": "look-around",
    "a(?!b)": "look-around",
    "(?<=a)b": "look-around",
    "(?<!a)b": "look-around",
    r"(a)\1": "back-reference",
    "(?P<a>x)(?P=a)": "back-reference",
    "(a)?(?(1)b)": "no group",
    "(?>a)": "no group",
    "(?#note)a": "no group",
    "(?x) a": "no group",
    "a++": "possessive",
    "a{1,2}+": "possessive",
    "a{1001}": "at most 1000",
    r"a\Z": r"\\z",
    r"\u00e9": "the character itself",
    "(a": "no regular expression",
    "[a": "no regular expression",
    "*a": "no regular expression",
    "a" * 1001: "1000 characters",
}


@pytest.mark.parametrize("pattern", GOOD)
def test_what_re2_takes_is_taken(pattern: str) -> None:
    assert check_pattern(pattern) == pattern
    pc.match_substring_regex(pa.array([""]), pattern)


@pytest.mark.parametrize("pattern", BAD)
def test_what_re2_lacks_is_refused_with_its_name(pattern: str) -> None:
    with pytest.raises(ValueError, match=BAD[pattern]):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", [p for p, why in BAD.items() if "characters" not in why and "+" not in p]
)
def test_re2_itself_refuses_them(pattern: str) -> None:
    with pytest.raises(pa.ArrowInvalid):
        pc.match_substring_regex(pa.array([""]), pattern)
