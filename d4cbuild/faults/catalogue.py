"""Every kind of fault by name; ``spec/checking.md`` is made from it."""

from __future__ import annotations

from typing import Final

FAULTS: Final = {
    "missing-recipe": "There is no `recipe.toml`, or it is no file.",
    "encoding": "The file is not UTF-8.",
    "byte-order-mark": "The file begins with a byte order mark, which TOML does not allow.",
    "line-ends": "Lines end with CR LF, so that every line shows up in `git diff`.",
    "hidden-character": "A character that cannot be seen, or that turns the direction of"
    " writing, so that a text reads as another.",
    "syntax": "The file is not TOML. Fields cannot be looked at before that is mended.",
    "format": "`schema` is missing, or names a format that this version does not know.",
    "unknown-key": "A key that the format does not have, often a known one with a slip.",
    "missing-field": "A field that is required is not there.",
    "bilingual": "A text is there in one of the two languages only.",
    "same-text": "English and French are the same words. Single words may be; sentences are not.",
    "unfinished": "A text still says TODO.",
    "wrong-type": "The value is of another type: a number where text is wanted, and so on.",
    "wrong-value": "The value has the right type, but is not one of those that are allowed.",
    "naming": "Identifiers, slugs and file names do not follow the naming convention.",
    "licence": "The licence is no SPDX identifier that is known here, and no `LicenseRef-…`.",
    "contradiction": "Fields that are right alone do not fit together.",
    "mirror": "A copy that should lie in the recipe's folder is not there.",
    "unreachable": "With `--reach`: an address or remote does not answer, or does not have the"
    " file. An error where no other place has it.",
    "environment": "The environment is not there, or not locked.",
    "missing-file": "The command runs a script that is not in the recipe's folder.",
    "code": "The folder holds something that cannot be code, such as a link.",
    "python-syntax": "A Python file cannot be read.",
    "sql-syntax": "SQL that could not be read, so it was not looked at.",
    "record": "`recipe.lock` or `manifest.json` cannot be read.",
    "missing-lock": "The recipe was never locked.",
    "stale-lock": "Recipe, code or environment have changed since the recipe was locked.",
    "missing-manifest": "The recipe was never built, so there is nothing to compare with.",
    "bad-allow": "A comment that means to allow a hazard, but has no reason or names none.",
    "unused-allow": "A comment that allows a hazard which is not there.",
}
"""Each with what it means."""


def page() -> str:
    """The table as it stands in ``spec/checking.md``."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in FAULTS.items()]
    return "\n".join(["| name | means |", "|---|---|", *rows]) + "\n"
