"""The pages and metadata of a bundle: what people, archives and catalogues read."""

from d4cbuild.base.canonical import pretty_json
from d4cbuild.bundle.data_package import data_package
from d4cbuild.bundle.datacite import datacite_record
from d4cbuild.bundle.facts import BundleFacts
from d4cbuild.bundle.pages import render_page
from d4cbuild.bundle.ro_crate import ro_crate
from d4cbuild.bundle.terms import DATA_PACKAGE, DATACITE, PAGES, RO_CRATE


def describe(facts: BundleFacts) -> dict[str, bytes]:
    """Return pages and metadata by file name, sorted by it.

    The same facts give the same bytes: no clock, host or user is in them.

    Args:
        facts: The bundle.
    """
    files = {
        PAGES["en"]: render_page(facts, "en"),
        PAGES["fr"]: render_page(facts, "fr"),
        DATA_PACKAGE: pretty_json(data_package(facts)),
        DATACITE: pretty_json(datacite_record(facts)),
        RO_CRATE: pretty_json(ro_crate(facts)),
    }
    return dict(sorted(files.items()))
