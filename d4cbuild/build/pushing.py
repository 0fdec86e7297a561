"""``store push``: what was built here, put where others can take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from d4cbuild.attest.envelope import Envelope, read_envelope
from d4cbuild.attest.keys import SigningKey
from d4cbuild.attest.realisation import REALISATION_NAME, read_realisation, seal_realisation
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.base.canonical import pretty_json
from d4cbuild.base.digest import Digest
from d4cbuild.base.files import write_atomically
from d4cbuild.base.progress import Progress, Silence
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.ingredients import locked_sources
from d4cbuild.build.make import Made
from d4cbuild.build.plan import Plan, plan_locked
from d4cbuild.build.record import make_manifest, recall, refuse_other_outputs
from d4cbuild.errors import InputError, NotIdentical, Untrusted
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES, record_from_json, record_to_json
from d4cbuild.model.realisation import FileFacts, Realisation, RealisedOutput, TableFacts
from d4cbuild.sharing.place import Place, object_name, realisation_name
from d4cbuild.sharing.substituters import NO_SUBSTITUTERS
from d4cbuild.sources.origin import NotThere
from d4cbuild.store import Store
from d4cbuild.store.realisations import known_build


@dataclass(frozen=True)
class PushOptions:
    """What the user chose.

    Attributes:
        place: Where to.
        key: What realisations are signed with.
        sources: Whether raw sources are pushed as well.
        mirrors: Further places that hold copies of sources.
    """

    place: Place
    key: SigningKey | None = None
    sources: bool = False
    mirrors: Sequence[str] = ()


@dataclass(frozen=True)
class PushResult:
    """What ``store push`` did.

    Attributes:
        recipe: The dataset's id.
        build_key: Digest of the derivation.
        to: Where to.
        objects: How many objects are there now.
        written: How many of them had to be written.
        bytes: The size of those.
        realisation: The signed realisation's path in the shared store.
        realisation_written: Whether it had to be written.
        builder: Who signed it.
    """

    recipe: str
    build_key: str
    to: str
    objects: int
    written: int
    bytes: int
    realisation: str
    realisation_written: bool
    builder: str

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def push_recipe(
    folder: RecipeFolder, store: Store, options: PushOptions, progress: Progress
) -> PushResult:
    """Push a recipe's outputs, and then the realisation that says so.

    In this order, so that whoever finds a realisation finds its objects too. What is there is not
    written again, so that after an interruption the same command goes on.

    Args:
        folder: The recipe.
        store: Where the outputs are.
        options: What the user chose.
        progress: Whom to tell.

    Raises:
        InputError: if it was not built here, or nothing can be pushed there.
        NotIdentical: if other bytes were signed before with this key.
    """
    options.place.prepare()
    plan = plan_locked(folder)
    outputs = recall(store, plan)
    if outputs is None:
        raise InputError(
            "the outputs of this recipe's lock are not in the store",
            where=folder.where,
            hint=f"d4cbuild build {folder.where}",
        )
    refuse_other_outputs(plan, make_manifest(plan, outputs).outputs)
    envelope = _envelope(plan, store, outputs, options.key)
    signed = read_realisation(envelope, folder.where)
    name = realisation_name(plan.key, signed.key_ids[0])
    _refuse_to_contradict(options.place, name, signed.realisation, store)
    digests = [made.digests.blake3 for made in outputs]
    if options.sources:
        locked_sources(plan, store, options.mirrors, NO_SUBSTITUTERS, progress)
        digests += [source.blake3 for source in plan.lock.sources]
    sizes = [_push(options.place, digest, store, progress) for digest in dict.fromkeys(digests)]
    with store.workspace() as workspace:
        file = workspace / REALISATION_NAME
        write_atomically(file, envelope.as_bytes())
        anew = options.place.put(name, file, progress, "pushing the signed realisation")
    return PushResult(
        recipe=plan.recipe.dataset.id,
        build_key=str(plan.key),
        to=options.place.where,
        objects=len(sizes),
        written=sum(size is not None for size in sizes),
        bytes=sum(size or 0 for size in sizes),
        realisation=name,
        realisation_written=anew,
        builder=signed.builder,
    )


def _envelope(
    plan: Plan, store: Store, outputs: tuple[Made, ...], key: SigningKey | None
) -> Envelope:
    build = known_build(store.database, plan.key)
    if build is not None and build.envelope is not None:
        # Nobody signs what somebody else built: it is passed on as it was signed.
        return read_envelope(build.envelope.encode(), plan.folder.where)
    if key is None:
        raise InputError(
            "what was built here must be signed",
            expected="--key FILE, with your private key",
            where=plan.folder.where,
            hint="--key FILE; to make one: d4cbuild key new FILE --builder NAME",
        )
    manifest = record_to_json(make_manifest(plan, outputs))
    return seal_realisation(
        SealedManifest.read(manifest, plan.folder.where), _said(plan, outputs), key
    )


def _said(plan: Plan, outputs: tuple[Made, ...]) -> Realisation:
    return Realisation(
        build_key=plan.key, outputs=tuple(_realised(made, plan.folder.where) for made in outputs)
    )


def _realised(made: Made, where: str) -> RealisedOutput:
    facts = pretty_json(made.facts)
    is_table = made.output.format != "file"
    return RealisedOutput(
        name=made.output.name,
        size=made.digests.size,
        blake3=made.digests.blake3,
        sha256=made.digests.sha256,
        md5=made.digests.md5,
        table=record_from_json(TableFacts, facts, where) if is_table else None,
        file=record_from_json(FileFacts, facts, where) if made.facts and not is_table else None,
    )


def _refuse_to_contradict(place: Place, name: str, realisation: Realisation, store: Store) -> None:
    """Never sign other bytes for a derivation than were signed with the same key before."""
    with store.workspace() as workspace:
        file = workspace / REALISATION_NAME
        try:
            place.origin(name).fetch(file, MAXIMUM_TEXT_BYTES, Silence(), name)
            before = read_realisation(read_envelope(file.read_bytes(), name), name).realisation
        except (NotThere, InputError, Untrusted):
            return  # nothing is there, or nothing that means anything
    for old, new in zip(before.outputs, realisation.outputs, strict=False):
        if (old.name, old.sha256) != (new.name, new.sha256):
            raise NotIdentical(
                f"other bytes of output {old.name} were signed with this key before",
                expected=f"{old.sha256}, {old.size} bytes",
                found=f"{new.sha256}, {new.size} bytes",
                where=f"{place.where}: {name}",
                hint="find out why they differ (d4cbuild verify --vary), then remove what is wrong",
            )


def _push(place: Place, digest: Digest, store: Store, progress: Progress) -> int | None:
    """Push an object; returns its size in bytes, or ``None`` if it was there."""
    file = store.require(digest, f"object {digest.short}", "d4cbuild build, which makes it again")
    written = place.put(object_name(digest), file, progress, f"pushing {digest.short}")
    return file.stat().st_size if written else None
