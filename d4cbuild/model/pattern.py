"""Regular expressions of recipes: RE2's, which run in linear time, and what it leaves out."""

import re
import warnings

MAXIMUM_PATTERN = 1000
MAXIMUM_REPEAT = 1000
_FLAGS = re.compile(r"\(\?([imsU]*(-[imsU]+)?)[:)]")
_GROUP_NAME = re.compile(r"\(\?(P?<[A-Za-z_][A-Za-z0-9_]*>)")
_UNICODE_CLASS = re.compile(r"[pP](\{\^?[A-Za-z_]+\}|[A-Z])")
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_NOT_ESCAPES = {
    **dict.fromkeys("123456789", "a back-reference"),
    "Z": r"\Z (write \z)",
    **{letter: f"\\{letter} (write the character itself)" for letter in "uUN"},
}


def check_pattern(pattern: str) -> str:
    """Return a pattern that RE2 takes.

    Raises:
        ValueError: saying what is wrong with it, or what RE2 does not have.
    """
    if len(pattern) > MAXIMUM_PATTERN:
        raise ValueError(f"a pattern has at most {MAXIMUM_PATTERN} characters")
    readable = _without_re2_only(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of character classes such as [[:alpha:]]
            re.compile(readable)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern[:80]!r} is no regular expression: {error}") from error
    return pattern


def _without_re2_only(pattern: str) -> str:
    """Refuse what RE2 lacks, and replace what only RE2 has by something Python can read."""
    out: list[str] = []
    position, in_class, repeated = 0, False, False
    while position < len(pattern):
        rest = pattern[position:]
        if rest[0] == "\\":
            piece, length = _escape(rest, in_class)
            repeated = False
        elif in_class:
            piece, length = rest[0], 1
            in_class = rest[0] != "]"
        elif rest[0] == "[":
            in_class = True
            # A bracket that comes first stands for itself.
            piece = next(p for p in ("[^]", "[]", "[^", "[") if rest.startswith(p))
            length, repeated = len(piece), False
        elif rest[0] == "(":
            piece, length = _group(rest)
            repeated = False
        else:
            length = _operator_length(rest)
            piece = rest[:length]
            if repeated and piece == "+":
                raise ValueError("RE2 has no possessive repetition such as 'a++'")
            repeated = piece[0] in "*+?{" and not repeated
        out.append(piece)
        position += length
    return "".join(out)


def _escape(rest: str, in_class: bool) -> tuple[str, int]:
    if unicode_class := _UNICODE_CLASS.match(rest, 1):
        return "a", 1 + len(unicode_class[0])
    if rest[1:2] == "z" and not in_class:
        return r"\Z", 2
    if rest[1:2] in _NOT_ESCAPES:
        raise ValueError(f"RE2 has no {_NOT_ESCAPES[rest[1]]}")
    return rest[:2], 2


def _group(rest: str) -> tuple[str, int]:
    if not rest.startswith("(?"):
        return "(", 1
    if rest.startswith(("(?=", "(?!", "(?<=", "(?<!")):
        raise ValueError("RE2 has no look-around such as '(?=a)' or '(?<!a)'")
    if rest.startswith("(?P="):
        raise ValueError("RE2 has no back-reference")
    if named := _GROUP_NAME.match(rest):
        return "(", len(named[0])
    if flags := _FLAGS.match(rest):
        return ("(?:" if flags[0].endswith(":") else "(?:)"), len(flags[0])
    raise ValueError(f"RE2 has no group {rest[:4]!r}")


def _operator_length(rest: str) -> int:
    repeat = _REPEAT.match(rest)
    if repeat is None:
        return 1
    if any(int(bound) > MAXIMUM_REPEAT for bound in (repeat[1], repeat[3]) if bound):
        raise ValueError(f"RE2 repeats at most {MAXIMUM_REPEAT} times")
    return len(repeat[0])
