"""Taking from shared stores: signed realisations, and objects by their hash.

A substituter is believed nothing: a realisation counts by its signature, an object by its bytes.
One that lies, stalls or dies is passed over, and not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.attest.realisation import open_realisation, trusted_builders
from d4cbuild.base.digest import Digest, FileDigests, digests_of_file
from d4cbuild.base.progress import Progress, Silence
from d4cbuild.errors import D4CError, InputError, StoreError, Unavailable, Untrusted
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES
from d4cbuild.model.realisation import Realisation, RealisedOutput
from d4cbuild.model.trust import Trust, TrustedKey
from d4cbuild.sharing.place import Place, object_name, realisation_name
from d4cbuild.sources.origin import NotShown, NotThere, Origin, TooLarge
from d4cbuild.store import Store


@dataclass(frozen=True)
class Taken:
    """A realisation that was taken, its objects in our store.

    Attributes:
        realisation: The outputs.
        envelope: It, as it was signed.
        where: The substituter.
        builder: Who signed it.
        key_id: With which key.
    """

    realisation: Realisation
    envelope: bytes
    where: str
    builder: str
    key_id: str


class Substituter:
    """A shared store, and whether it is still worth asking.

    Args:
        place: Where it lies.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.given_up: str | None = None

    def fetch(
        self, name: str, into: Path, limit: int, size: int | None, progress: Progress, label: str
    ) -> None:
        """Write a file of the shared store into a new file.

        Raises:
            NotThere: if it does not have the file.
            Unavailable: if it fails; it is given up then.
            StoreError: if the file cannot be written.
        """
        if self.given_up is not None:
            raise Unavailable("it is not asked again", found=self.given_up, where=self.place.where)
        try:
            self.place.origin(name, size).fetch(into, limit, progress, label)
        except NotThere:
            raise
        except NotShown as error:
            raise NotThere(error.message, where=error.where) from error
        except TooLarge as error:
            raise self.failed(f"it sends more than the {limit} bytes that may be", name) from error
        except Unavailable as error:
            raise self.failed(reason_of(error), name) from error
        except OSError as error:
            raise StoreError(
                "what is fetched cannot be written into the store",
                found=str(error),
                where=str(into.parent),
                hint="d4cbuild store gc, or set D4CBUILD_STORE to a disk with more room",
            ) from error

    def fetch_object(
        self, digest: Digest, size: int, into: Path, progress: Progress, label: str
    ) -> FileDigests:
        """Write an object into a new file; its bytes are then those that were asked for.

        Raises:
            Unavailable: if they cannot be had from here.
        """
        name = object_name(digest)
        self.fetch(name, into, size, size, progress, label)
        digests = digests_of_file(into)
        if (digests.size, digests.blake3) != (size, digest):
            found = f"{digests.size} bytes, {digests.blake3}"
            raise self.failed(f"it has other bytes than was asked for: {found}", name)
        return digests

    def failed(self, reason: str, name: str) -> Unavailable:
        """Give it up; returns the error that says why."""
        self.given_up = reason
        return Unavailable(reason, where=f"{self.place.where}: {name}")


@dataclass(frozen=True)
class _SharedObject:
    """An object of a shared store, as a place where a copy of a source may be."""

    substituter: Substituter
    digest: Digest
    size: int

    @property
    def where(self) -> str:
        return f"{self.substituter.place.where} ({object_name(self.digest)})"

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:  # noqa: ARG002
        self.substituter.fetch_object(self.digest, self.size, into, progress, label)


class Substituters:
    """Shared stores in the order in which they are asked.

    Args:
        substituters: The stores.
        trust: Whose realisations may be taken; of nobody where there is none.
    """

    def __init__(self, substituters: Sequence[Substituter] = (), trust: Trust | None = None):
        self._substituters = tuple(substituters)
        self._builders = {} if trust is None else trusted_builders(trust)

    def origins(self, digest: Digest, size: int) -> list[Origin]:
        """Places where an object may be, to be asked one after the other."""
        return [_SharedObject(each, digest, size) for each in self._substituters]

    def take(
        self,
        build_key: Digest,
        fault_of: Callable[[Realisation], str | None],
        store: Store,
        progress: Progress,
        label: str,
    ) -> Taken | None:
        """Take the outputs of a derivation from the first that has them, signed.

        Args:
            build_key: The derivation.
            fault_of: Says why a realisation cannot be used for it, or ``None``.
            store: Where the objects go.
            progress: Whom to tell.
            label: What is being built.

        Returns:
            What was taken, its objects in the store; ``None`` if nobody has anything to take.

        Raises:
            StoreError: if our own store fails.
        """
        for substituter in self._substituters:
            if substituter.given_up is not None:
                continue
            errand = _Errand(substituter, build_key, fault_of, store, progress, label)
            taken = errand.run(self._builders)
            if taken is not None:
                return taken
        return None


NO_SUBSTITUTERS = Substituters()


@dataclass(frozen=True)
class _Errand:
    """Asking one substituter for the outputs of one derivation."""

    substituter: Substituter
    build_key: Digest
    fault_of: Callable[[Realisation], str | None]
    store: Store
    progress: Progress
    label: str

    def run(self, builders: Mapping[str, TrustedKey]) -> Taken | None:
        where = self.substituter.place.where
        for key_id, signer in builders.items():
            try:
                taken = self._signed_by(key_id, signer)
            except NotThere:
                continue
            except Unavailable as error:
                self.progress.warn(f"{self.label}: passed over {where}: {reason_of(error)}")
                return None
            if taken is not None:
                return taken
        self.progress.say(f"{self.label}: nothing to take from {where}")
        return None

    def _signed_by(self, key_id: str, signer: TrustedKey) -> Taken | None:
        name = realisation_name(self.build_key, key_id)
        data = self._read(name)
        try:
            realisation = open_realisation(data, name, signer, self.build_key)
        except (Untrusted, InputError) as error:
            raise self.substituter.failed(reason_of(error), name) from error
        where = self.substituter.place.where
        fault = self.fault_of(realisation)
        if fault is not None:
            # Not the fault of the place: who is trusted has signed it.
            self.progress.warn(f"{self.label}: not taken from {where}: {signer.builder} {fault}")
            return None
        for output in realisation.outputs:
            self._have(output)
        return Taken(realisation, data, where, signer.builder, key_id)

    def _read(self, name: str) -> bytes:
        with self.store.workspace() as folder:
            body = folder / "body"
            label = f"asking {self.substituter.place.where}"
            # Nobody wants a bar for a text that most often is not there.
            self.substituter.fetch(name, body, MAXIMUM_TEXT_BYTES, None, Silence(), label)
            return body.read_bytes()

    def _have(self, output: RealisedOutput) -> None:
        if self._is_there(output):
            return
        with self.store.workspace() as folder:
            body = folder / "body"
            label = f"taking {output.name}"
            try:
                digests = self.substituter.fetch_object(
                    output.blake3, output.size, body, self.progress, label
                )
            except NotThere as error:
                # It may be on its way there, so what else it has is still asked for.
                raise Unavailable(
                    f"it does not have the output {output.name} that was signed", where=error.where
                ) from error
            if (digests.sha256, digests.md5) != (output.sha256, output.md5):
                raise self.substituter.failed("the digests signed are not of one file", output.name)
            self.store.adopt(body, digests)

    def _is_there(self, output: RealisedOutput) -> bool:
        known = self.store.known_digests(output.blake3)
        return known is not None and (known.size, known.sha256, known.md5) == (
            output.size,
            output.sha256,
            output.md5,
        )


def reason_of(error: D4CError) -> str:
    """An error in one line, without what a terminal would act upon."""
    text = error.message if error.found is None else f"{error.message}: {error.found}"
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))[:300]
