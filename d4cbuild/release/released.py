"""What was released: the tags of versions, and the notes in them."""

from __future__ import annotations

from d4cbuild.build.folder import MANIFEST_FILE, RecipeFolder
from d4cbuild.code.tags import tags_of
from d4cbuild.release.notes import from_message


def tag_name(dataset: str, version: str) -> str:
    """The tag that marks a release."""
    return f"{dataset}-v{version}"


def released_notes(folder: RecipeFolder) -> dict[str, str] | None:
    """The notes of a recipe's release; ``None`` where its manifest was not released."""
    manifest = folder.manifest()
    name = tag_name(manifest.dataset.id, manifest.dataset.version)
    for tag in tags_of(folder.path, name, MANIFEST_FILE):
        if tag.name == name and tag.manifest == (folder.path / MANIFEST_FILE).read_bytes():
            return from_message(tag.message)
    return None
