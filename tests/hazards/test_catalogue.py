"""The catalogue, its page, and the contract it speaks of."""

from __future__ import annotations

from pathlib import Path

from d4cbuild.hazards.catalogue import HAZARDS, page
from d4cbuild.hazards.contract import CONTRACT_VARIABLES
from d4cbuild.sandbox.job import contract_environment

SPEC = Path(__file__).parent.parent.parent / "d4cbuild" / "spec" / "hazards.md"


def test_the_page_holds_every_hazard_as_the_catalogue_words_it() -> None:
    text = SPEC.read_text(encoding="utf-8")
    assert text.partition("## The hazards\n\n")[2] == page()


def test_every_hazard_has_a_reason_and_a_remedy_of_one_paragraph() -> None:
    for hazard in HAZARDS.values():
        assert hazard.reason.endswith(".")
        assert hazard.remedy
        assert "\n" not in hazard.reason + hazard.remedy


def test_the_variables_one_may_read_are_those_of_the_sandbox_contract() -> None:
    assert set(contract_environment(2, 0)) == CONTRACT_VARIABLES
