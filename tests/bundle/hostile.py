"""Texts made to break a page, and manifests full of them."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from d4cbuild.model.fields import Bilingual
from d4cbuild.model.manifest import Manifest

HOSTILE = [
    "a | b || c \\| d \\",
    "`` ` ``` code",
    "one\ntwo\r\n| three | four |\n|---|---|\n# five",
    "<script>alert(1)</script><!-- --> </td> &lt; &#124;",
    "![image](https://example.invalid/x.png) [link](https://example.invalid)",
    "*a* **b** _c_ __d__ ~~e~~ $f$",
    "1. one",
    "- two",
    "# three",
    "> four",
    "===",
    "---",
    "```sh",
    "[x]: https://example.invalid",
    "{{ 7 * 7 }} {% raw %} {#",
    "\u2028next\x85line",
    '\'; rm -rf /; echo "$(id)"',
]
hostile_texts = st.lists(
    st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=3
).map(" ".join)


def hostile_manifest(manifest: Manifest, texts: list[str]) -> Manifest:
    """The manifest with a hostile text wherever there may be any.

    Not by the rules of recipes: a manifest can come from anywhere.
    """
    endless = itertools.cycle(texts)

    def both(old: Bilingual) -> Bilingual:
        return old.model_copy(update={"en": f"x{next(endless)}", "fr": f"x{next(endless)}"})

    dataset = manifest.dataset
    words = dataset.keywords.model_copy(update={"en": (next(endless),), "fr": (next(endless),)})
    sources = [
        source.model_copy(
            update={
                "attribution": both(source.attribution),
                "name": f"x{next(endless)}",
                "member": next(endless),
                "url": f"https://{next(endless)}",
            }
        )
        for source in manifest.sources
    ]
    columns = [
        column.model_copy(
            update={
                "name": next(endless),
                "type": next(endless),
                "description": both(column.description),
            }
        )
        for column in manifest.outputs[0].columns
    ]
    output = manifest.outputs[0].model_copy(update={"columns": tuple(columns)})
    told_to_code = {f"x{text}": text for text in texts}
    derivation = manifest.derivation.model_copy(update={"parameters": told_to_code})
    told = {
        "title": both(dataset.title),
        "description": both(dataset.description),
        "keywords": words,
    }
    return manifest.model_copy(
        update={
            "dataset": dataset.model_copy(update=told),
            "derivation": derivation,
            "sources": tuple(sources),
            "outputs": (output, *manifest.outputs[1:]),
            "releasable": False,
            "not_releasable_because": next(endless),
        }
    )
