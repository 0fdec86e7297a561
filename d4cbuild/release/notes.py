"""Release notes in both languages, from what changed."""

from __future__ import annotations

from collections.abc import Iterable

from d4cbuild.bundle.markdown import as_code, as_line
from d4cbuild.model.manifest import Manifest
from d4cbuild.release.changes import Change, Size

_SEPARATOR = "\n\n--------\n\n"
_EN = {
    Size.MAJOR: "The schema breaks",
    Size.MINOR: "Columns or coverage",
    Size.PATCH: "Values, words and tools",
}
_FR = {
    Size.MAJOR: "Le schéma change",
    Size.MINOR: "Colonnes ou couverture",
    Size.PATCH: "Valeurs, textes et outils",
}


def render_notes(
    before: Manifest | None, after: Manifest, changes: tuple[Change, ...], *, only_tools: bool
) -> dict[str, str]:
    """Write release notes as Markdown.

    Args:
        before: The last release; none for the first.
        after: The build to be released.
        changes: What changed.
        only_tools: Whether bytes changed, but no table.

    Returns:
        The notes by language: ``en`` and ``fr``.
    """
    version, dataset = after.dataset.version, after.dataset
    last = None if before is None else before.dataset.version
    en = [f"# {as_line(dataset.title.en)}, {version}", ""]
    fr = [f"# {as_line(dataset.title.fr)}, {version}", ""]
    if last is None:
        en += ["The first release.", ""]
        fr += ["Première version.", ""]
    elif only_tools:
        en += [f"The data are those of {last}: only the tools that write the files changed.", ""]
        fr += [f"Les données sont celles de {last} : seuls les outils d’écriture ont changé.", ""]
    else:
        en += [f"Changes since {last}:", ""]
        fr += [f"Changements depuis {last} :", ""]
    for size in (Size.MAJOR, Size.MINOR, Size.PATCH):
        chosen = [change for change in changes if change.size is size]
        if chosen:
            en += [f"## {_EN[size]}", "", *_list(change.en for change in chosen), ""]
            fr += [f"## {_FR[size]}", "", *_list(change.fr for change in chosen), ""]
    en += ["## Files", "", *_files(after), ""]
    fr += ["## Fichiers", "", *_files(after), ""]
    return {"en": "\n".join(en).rstrip() + "\n", "fr": "\n".join(fr).rstrip() + "\n"}


def as_message(notes: dict[str, str]) -> str:
    """Both notes as the message of a tag."""
    return f"{notes['en'].strip()}{_SEPARATOR}{notes['fr'].strip()}\n"


def from_message(message: str) -> dict[str, str] | None:
    """The notes in a tag's message; ``None`` where it was written by somebody else."""
    en, separator, fr = message.partition(_SEPARATOR)
    if not separator:
        return None
    return {"en": f"{en.strip()}\n", "fr": f"{fr.strip()}\n"}


def _list(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _files(manifest: Manifest) -> list[str]:
    return [f"- {as_code(output.file)}: {output.sha256}" for output in manifest.outputs]
