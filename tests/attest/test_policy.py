"""Policies: tables of who signed what, and whether that is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from d4cbuild.attest.envelope import Envelope, seal
from d4cbuild.attest.keys import PublicKey
from d4cbuild.attest.policy import Judgement, Standing, judge
from d4cbuild.attest.statement import provenance_statement, rebuild_statement
from d4cbuild.errors import InputError
from d4cbuild.model.attestation import (
    BUILD_TYPE,
    BUILDER_PREFIX,
    PAYLOAD_TYPE,
    PROVENANCE_TYPE,
    REBUILD_TYPE,
    OneRebuild,
    RebuildPredicate,
    RebuiltOutput,
)
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.trust import Requirement, Trust, TrustedKey
from d4cbuild.model.verdict import Verdict
from tests.attest.signed import (
    OTHER_RECIPE,
    REPOSITORY,
    World,
    changed_manifest,
    rebuild,
    sealed,
    two_of,
)
from tests.house.documents import Document

WORLD = World()
ABOUT = sealed()
AMD, INTEL = "AuthenticAMD", "GenuineIntel"
BOTH = ["builder", "rebuilder"]
EVERYONE = {"ada": BOTH, "bob": BOTH, "cyd": BOTH, "dan": BOTH, "eve": BOTH}
WORLD.key("ada-second", "ada")

Said = tuple[str, str] | tuple[str, str, Verdict]


def envelope(said: Said) -> Envelope:
    name, vendor, *verdict = said
    if vendor == "built":
        return WORLD.built(name, ABOUT)
    return WORLD.rebuilt(name, ABOUT, *verdict, vendor=vendor)


def judged(
    rules: str, *said: Said | Envelope, names: dict[str, list[str]] | None = None
) -> Judgement:
    trust = WORLD.trust(EVERYONE if names is None else names, rules)
    envelopes = [each if isinstance(each, Envelope) else envelope(each) for each in said]
    return judge(trust, ABOUT, [(f"{n}.json", each) for n, each in enumerate(envelopes)])


TABLE: dict[str, tuple[str, list[Said], bool]] = {
    "nothing": (two_of(1), [], False),
    "one of one": (two_of(1), [("ada", AMD)], True),
    "one of two": (two_of(2), [("ada", AMD)], False),
    "two of two": (two_of(2), [("ada", AMD), ("bob", AMD)], True),
    "two of five": (two_of(2), [("dan", AMD), ("eve", AMD)], True),
    "one builder twice": (two_of(2), [("ada", AMD), ("ada", INTEL)], False),
    "builder and rebuilder": (two_of(2), [("ada", "built"), ("bob", AMD)], True),
    "one who built and rebuilt": (two_of(2), [("ada", "built"), ("ada", AMD)], False),
    "one vendor of two": (two_of(2, 2), [("ada", AMD), ("bob", AMD)], False),
    "two vendors": (two_of(2, 2), [("ada", AMD), ("bob", INTEL)], True),
    "an unknown vendor": (two_of(2, 2), [("ada", AMD), ("bob", "unknown")], False),
    "provenance names no vendor": (two_of(2, 1), [("ada", "built"), ("bob", "built")], False),
    "one disagrees": (
        two_of(2), [("ada", AMD), ("bob", AMD), ("cyd", AMD, Verdict.DIFFERENT)], False,
    ),
    "one may disagree": (
        two_of(2, 0, "may_disagree = 1"),
        [("ada", AMD), ("bob", AMD), ("cyd", AMD, Verdict.DIFFERENT)],
        True,
    ),
    "who says both does not agree": (
        two_of(2, 0, "may_disagree = 1"),
        [("ada", AMD), ("bob", AMD), ("bob", AMD, Verdict.DIFFERENT)],
        False,
    ),
    "their vendor does not count either": (
        two_of(2, 2, "may_disagree = 1"),
        [("ada", AMD), ("bob", AMD), ("cyd", INTEL), ("cyd", INTEL, Verdict.FAILED)],
        False,
    ),
    "equivalent is not identical": (
        two_of(2), [("ada", AMD), ("bob", AMD, Verdict.EQUIVALENT)], False,
    ),
    "unknown counts neither way": (
        two_of(2), [("ada", AMD), ("bob", AMD), ("cyd", AMD, Verdict.UNKNOWN)], True,
    ),
    "unknown is not identical": (two_of(2), [("ada", AMD), ("bob", AMD, Verdict.UNKNOWN)], False),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "said", "satisfied"), TABLE.values(), ids=TABLE)
def test_a_policy_is_satisfied_or_not(rules: str, said: list[Said], satisfied: bool) -> None:
    found = judged(rules, *said)
    assert found.satisfied is satisfied
    assert bool(found.reasons) is not satisfied
    assert found.exit_code == (0 if satisfied else 32)
    assert len(found.findings) == len(said)
    backwards = judged(rules, *reversed(said))
    assert (backwards.satisfied, backwards.builders) == (found.satisfied, found.builders)


def test_two_keys_of_one_builder_count_once() -> None:
    names = {"ada": BOTH, "ada-second": BOTH, "bob": BOTH}
    found = judged(two_of(2), ("ada", AMD), ("ada-second", INTEL), names=names)
    assert not found.satisfied
    assert found.builders == ("ada",)
    assert found.reasons == ("2 distinct builders must agree, found 1: ada",)
    assert judged(two_of(2), ("ada", AMD), ("bob", INTEL), names=names).satisfied


@pytest.mark.parametrize("verdict", [Verdict.DIFFERENT, Verdict.EQUIVALENT, Verdict.FAILED])
@pytest.mark.parametrize("tolerated", [0, 5])
def test_a_negative_attestation_is_never_hidden(verdict: Verdict, tolerated: int) -> None:
    rules = two_of(1, 0, f"may_disagree = {tolerated}")
    found = judged(rules, ("ada", AMD), ("bob", AMD, verdict))
    assert found.disagreeing == ("bob",)
    assert [each.standing for each in found.findings] == [Standing.AGREES, Standing.DISAGREES]
    assert found.findings[1].verdict == verdict
    assert found.satisfied is (tolerated == 5)


def test_that_a_stranger_disagrees_is_shown_too() -> None:
    rules = 'unknown_keys = "ignore"\n' + two_of(1)
    stranger = WORLD.rebuilt("stranger", ABOUT, Verdict.DIFFERENT)
    found = judged(rules, ("ada", AMD), stranger)
    assert found.satisfied
    assert found.findings[1].standing is Standing.IGNORED
    assert found.findings[1].verdict == "different"


@pytest.mark.parametrize(
    ("roles", "said", "agrees"),
    [
        (["builder"], "built", True),
        (["builder"], AMD, False),
        (["rebuilder"], AMD, True),
        (["rebuilder"], "built", False),
    ],
)
def test_a_key_counts_in_its_role_only(roles: list[str], said: str, agrees: bool) -> None:
    found = judged(two_of(1), ("ada", said), names={"ada": roles})
    assert found.satisfied is agrees
    assert ("not trusted as" in found.findings[0].reason) is not agrees


def test_a_dataset_may_have_rules_of_its_own() -> None:
    own = f"\n[datasets.{ABOUT.dataset}]\ndistinct_builders = 1\ncpu_vendors = 0\n"
    other = "\n[datasets.another]\ndistinct_builders = 1\ncpu_vendors = 0\n"
    assert judged(two_of(3, 0, own), ("ada", AMD)).satisfied
    assert not judged(two_of(3, 0, other), ("ada", AMD)).satisfied


REFUSED: dict[str, tuple[Any, str]] = {
    "stripped": (lambda good: Envelope(good.payload, good.payload_type, ()), "nobody has signed"),
    "foreign": (lambda good: WORLD.built("stranger", ABOUT), "no key of the policy"),
    "from another envelope": (
        lambda good: Envelope(
            good.payload, good.payload_type, WORLD.rebuilt("bob", ABOUT).signatures
        ),
        "not of this content",
    ),
    "another dataset": (lambda good: WORLD.built("bob", sealed(OTHER_RECIPE)), "another dataset"),
    "another manifest": (
        lambda good: WORLD.built("bob", changed_manifest(size=1)),
        "another manifest",
    ),
    "in another's name": (
        lambda good: seal(provenance_statement(ABOUT, "ada"), (WORLD.key("bob"),)),
        "bob signed what is said in the name of ada",
    ),
    "another build key": (
        lambda good: rebuilt_as_bob(build_key=sealed(OTHER_RECIPE).manifest.build_key),
        "another derivation",
    ),
    "another subject": (
        lambda good: seal(
            rebuild_statement(sealed(OTHER_RECIPE).manifest, rebuild(ABOUT, "bob")),
            (WORLD.key("bob"),),
        ),
        "other files",
    ),
    "another payload type": (
        lambda good: Envelope(good.payload, "application/json", good.signatures),
        "not of this content",
    ),
    "a changed key id": (
        lambda good: Envelope(
            good.payload,
            good.payload_type,
            (type(good.signatures[0])("0" * 64, good.signatures[0].value),),
        ),
        "no key of the policy",
    ),
    "somebody trusted and a false signature": (
        lambda good: Envelope(
            good.payload,
            good.payload_type,
            (*good.signatures, type(good.signatures[0])(WORLD.key("cyd").public.key_id, b"x" * 64)),
        ),
        "not of this content",
    ),
}


def rebuilt_as_bob(**changes: Any) -> Envelope:
    statement = rebuild_statement(ABOUT.manifest, rebuild(ABOUT, "bob", **changes))
    return seal(statement, (WORLD.key("bob"),))


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trusted_is_refused_though_enough_others_agree(
    change: Any, reason: str
) -> None:
    good = WORLD.built("bob", ABOUT)
    assert judged(two_of(2), ("ada", AMD), good).satisfied
    found = judged(two_of(1), ("ada", AMD), change(good))
    assert found.findings[1].standing is Standing.REFUSED
    assert reason in found.findings[1].reason
    assert found.builders == ("ada",)
    assert found.exit_code == 32


def test_reordered_signatures_mean_the_same_and_swapped_ones_are_refused() -> None:
    signed = WORLD.built("ada", ABOUT).also_signed(WORLD.key("bob"))
    one, other = signed.signatures
    reordered = Envelope(signed.payload, signed.payload_type, (other, one))
    assert judged(two_of(1), reordered).satisfied
    assert judged(two_of(1), reordered).builders == judged(two_of(1), signed).builders == ("ada",)
    kind = type(one)
    swapped = (kind(one.key_id, other.value), kind(other.key_id, one.value))
    found = judged(two_of(1), Envelope(signed.payload, signed.payload_type, swapped))
    assert found.findings[0].standing is Standing.REFUSED


def test_a_second_signature_does_not_make_a_second_builder() -> None:
    signed = WORLD.rebuilt("ada", ABOUT).also_signed(WORLD.key("bob"))
    found = judged(two_of(2), signed)
    assert found.builders == ("ada",)
    assert not found.satisfied


def test_a_rebuild_that_calls_other_bytes_identical_is_refused() -> None:
    lie = rebuild(changed_manifest(sha256="sha256:" + "1" * 64), "bob")
    said = rebuild(ABOUT, "bob", rebuilds=lie.rebuilds)
    found = judged(two_of(1), seal(rebuild_statement(ABOUT.manifest, said), (WORLD.key("bob"),)))
    assert "calls bytes identical that are not" in found.findings[0].reason


def test_a_rebuild_that_says_nothing_of_an_output_is_refused() -> None:
    run = rebuild(ABOUT, "bob").rebuilds[0]
    nothing = run.model_copy(update={"outputs": (run.outputs[0].model_copy(update={"name": "x"}),)})
    found = judged(two_of(1), rebuilt_as_bob(rebuilds=(nothing,)))
    assert "every output" in found.findings[0].reason


def test_the_verdict_at_the_top_is_not_believed() -> None:
    said = rebuild(ABOUT, "bob", Verdict.DIFFERENT, verdict=Verdict.IDENTICAL)
    found = judged(two_of(1), seal(rebuild_statement(ABOUT.manifest, said), (WORLD.key("bob"),)))
    assert found.disagreeing == ("bob",)


def test_what_a_trusted_builder_signed_but_cannot_be_read_is_bad_input() -> None:
    with pytest.raises(InputError):
        judged(two_of(1), seal(b'{"_type": 1}', (WORLD.key("ada"),)))


KEY = WORLD.key("ada").public.text
BAD_POLICIES = {
    "no schema": "[default]\ndistinct_builders = 1\ncpu_vendors = 0\nkeys = []",
    "no default": 'schema = "d4c.trust/1"\nkeys = []',
    "another version": 'schema = "d4c.trust/2"\n',
    "an unknown field": 'schema = "d4c.trust/1"\nkeys = []\nnonsense = 1\n' + two_of(1),
    "nobody": 'schema = "d4c.trust/1"\nkeys = []\n' + two_of(0),
    "a key twice": 'schema = "d4c.trust/1"\n'
    + f'[[keys]]\nkey = "{KEY}"\nbuilder = "a"\nroles = ["builder"]\n'
    + f'[[keys]]\nkey = "{KEY}"\nbuilder = "b"\nroles = ["builder"]\n'
    + two_of(1),
    "no key": 'schema = "d4c.trust/1"\n'
    + '[[keys]]\nkey = "ed25519:AAAA"\nbuilder = "a"\nroles = ["builder"]\n'
    + two_of(1),
    "no role": 'schema = "d4c.trust/1"\n'
    + f'[[keys]]\nkey = "{KEY}"\nbuilder = "a"\nroles = []\n'
    + two_of(1),
    "another role": 'schema = "d4c.trust/1"\n'
    + f'[[keys]]\nkey = "{KEY}"\nbuilder = "a"\nroles = ["king"]\n'
    + two_of(1),
}


@pytest.mark.parametrize("text", BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_a_faulty_policy_is_bad_input(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        record_from_toml(Trust, text.encode(), "trust.toml")


def test_the_policy_in_the_spec_is_one() -> None:
    page = Document(REPOSITORY / "d4cbuild" / "spec" / "attestations-1.md")
    (example,) = [fence.text for fence in page.fences() if fence.language == "toml"]
    trust = record_from_toml(Trust, example.encode(), "attestations-1.md")
    assert PublicKey.parse(trust.keys[0].key).key_id
    named = set(page.spans())
    for kind in (Trust, TrustedKey, Requirement, RebuildPredicate, OneRebuild, RebuiltOutput):
        fields = {each.alias or name for name, each in kind.model_fields.items()}
        prefixes = ("", "keys[].", "datasets.", "rebuilds")
        shown = {span.removeprefix(p).removesuffix("[]") for span in named for p in prefixes}
        assert fields - shown - {"keys", "datasets", "rebuilds", "outputs"} == set(), kind
    assert {str(standing) for standing in Standing} <= named
    for address in (PROVENANCE_TYPE, REBUILD_TYPE, BUILD_TYPE, BUILDER_PREFIX, PAYLOAD_TYPE):
        assert address in page.text
