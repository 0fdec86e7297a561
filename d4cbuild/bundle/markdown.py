"""Foreign text in Markdown: shown as it is, whatever it holds, and never taken for markup."""

import re

_BREAKS = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029 ]+")
# Control characters, and those that make a text read as another.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_ANYWHERE = re.compile(r"[\\`*\[\]<|~$]")
_LONE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_AT_THE_START = re.compile(r"([=#>]|[-+](?=[- ]|$))|(\d{1,9})([.)])(?= |$)")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]+")
_PARAGRAPHS = re.compile(r"(?:\r?\n[ \t]*){2,}")


def as_line(text: str) -> str:
    """One line of Markdown that shows the text: for paragraphs, headings, lists and table cells.

    Line ends become spaces. Characters that Markdown would act upon are escaped, and no others, so
    that the source stays readable.
    """
    line = _UNSEEN.sub("\ufffd", _BREAKS.sub(" ", text).strip())
    line = _ANYWHERE.sub(r"\\\g<0>", line)
    line = _LONE_UNDERSCORE.sub(r"\\_", line)
    line = _ENTITY.sub(r"\\&", line)
    start = _AT_THE_START.match(line)
    if start is None:
        return line
    if start[1] is not None:
        return "\\" + line
    return f"{start[2]}\\{line[start.start(3) :]}"


def as_paragraphs(text: str) -> str:
    """Markdown paragraphs that show the text; blank lines part them."""
    parts = (as_line(part) for part in _PARAGRAPHS.split(text))
    return "\n\n".join(part for part in parts if part)


def as_link(address: str) -> str:
    """A link to a web address; plain text if it is not one beyond doubt."""
    return f"<{address}>" if _ADDRESS.fullmatch(address) else as_line(address)


def as_code(text: str) -> str:
    """A code span that shows the text. Where that cannot be in a table, it is plain text."""
    plain = _ANYWHERE.search(text) is None and _UNSEEN.search(text) is None
    return f"`{text}`" if plain and text == text.strip() and text else as_line(text)


def as_shell_word(text: str) -> str:
    """The text as one word for ``sh``, on one line."""
    if re.fullmatch(r"[A-Za-z0-9._/+:@%=-]+", text):
        return text
    return "'" + _UNSEEN.sub("\ufffd", text).replace("'", "'\\''") + "'"
