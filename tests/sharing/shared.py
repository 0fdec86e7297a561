"""What somebody built and signed, as files of a shared store; and servers that make it worse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d4cbuild.attest.envelope import Envelope, seal
from d4cbuild.attest.keys import SigningKey
from d4cbuild.attest.realisation import REALISATION_NAME, seal_realisation
from d4cbuild.attest.statement import SealedManifest, provenance_statement
from d4cbuild.base.digest import Digest, FileDigests, MultiHasher
from d4cbuild.model.parse import record_to_json
from d4cbuild.model.realisation import Realisation, RealisedOutput, TableFacts
from d4cbuild.model.trust import Trust
from d4cbuild.sharing.place import object_name, place_of, realisation_name
from d4cbuild.sharing.substituters import Substituter, Substituters, Taken
from d4cbuild.store import Store
from tests.attest.signed import World, changed_manifest, two_of
from tests.sources.conftest import Ear
from tests.sources.server import Reply, Site, whole

RECIPE = "statcan-odhf"
DATA = bytes(range(256)) * 1200
STALL_S = 1


def digests_of(data: bytes) -> FileDigests:
    hasher = MultiHasher()
    hasher.update(data)
    return hasher.result()


def facts() -> TableFacts:
    return TableFacts.model_validate_json(
        json.dumps(
            {
                "content": "blake3:" + "1" * 64,
                "rows": 3,
                "columns": [{"name": "id", "type": "int16", "nullable": False, "nulls": 0}],
                # A float without a fraction must come back as a float.
                "geometry": {"bbox": [-141.0, 41.5, -52.0, 1e22], "columns": 1},
            }
        )
    )


@dataclass
class Shared:
    """A build of one output, signed by a builder.

    Attributes:
        world: Who has keys.
        data: The output's bytes.
    """

    world: World = field(default_factory=World)
    data: bytes = DATA

    @property
    def digests(self) -> FileDigests:
        return digests_of(self.data)

    @property
    def sealed(self) -> SealedManifest:
        found = self.digests
        return changed_manifest(
            RECIPE,
            size=found.size,
            **{name: str(getattr(found, name)) for name in ("blake3", "sha256", "md5")},
        )

    @property
    def build_key(self) -> Digest:
        return self.sealed.manifest.build_key

    def realisation(self, **changes: Any) -> Realisation:
        found = self.digests
        said: dict[str, Any] = {
            "name": self.sealed.manifest.outputs[0].name,
            "size": found.size,
            "blake3": found.blake3,
            "sha256": found.sha256,
            "md5": found.md5,
            "table": facts(),
        }
        return Realisation(build_key=self.build_key, outputs=(RealisedOutput(**(said | changes)),))

    def envelope(self, name: str = "builder", builder: str | None = None) -> Envelope:
        """The realisation, signed with a key by its name."""
        return seal_realisation(self.sealed, self.realisation(), self.world.key(name, builder))

    def names(self, key: SigningKey | None = None) -> tuple[str, str]:
        """Where realisation and object lie in a shared store."""
        key = key or self.world.key("builder")
        signed = realisation_name(self.build_key, key.public.key_id)
        return "/" + signed, "/" + object_name(self.digests.blake3)

    def trust(self, **roles: list[str]) -> Trust:
        return self.world.trust(roles or {"builder": ["builder"]}, two_of(1))

    def serve(self, site: Site, signed: Reply | None = None, data: Reply | None = None) -> str:
        """Have a web server serve it, or something else in its place; returns the address."""
        realisation, thing = self.names()
        site.serve(realisation, signed or whole(self.envelope().as_bytes()))
        site.serve(thing, data or whole(self.data))
        return site.url("")

    def write(self, folder: Path) -> Path:
        """Have it in a folder."""
        realisation, thing = self.names()
        for name, data in ((realisation, self.envelope().as_bytes()), (thing, self.data)):
            path = folder / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


@dataclass
class Taker:
    """Somebody with a store of their own who takes from shared ones.

    Attributes:
        store: The store.
        substituters: Whom they ask.
        ear: What they were told.
    """

    store: Store
    substituters: Substituters
    ear: Ear = field(default_factory=Ear)

    @classmethod
    def of(cls, store: Store, trust: Trust, *addresses: str) -> Taker:
        found = [Substituter(place_of(address, STALL_S)) for address in addresses]
        return cls(store, Substituters(found, trust))

    def take(
        self, build_key: Digest, fault_of: Callable[[Realisation], str | None] = lambda _: None
    ) -> Taken | None:
        return self.substituters.take(build_key, fault_of, self.store, self.ear, "odhf")

    @property
    def objects(self) -> list[Digest]:
        return [digest for digest, _ in self.store.object_files()]


def signed_anew(envelope: Envelope, key: SigningKey, change: Callable[[Any], None]) -> Envelope:
    """A changed statement with a good signature."""
    statement = json.loads(envelope.payload)
    change(statement)
    return seal(json.dumps(statement).encode(), (key,))


def tampered(envelope: Envelope, change: Callable[[Any], None]) -> bytes:
    """A changed realisation under the old signature; its digest is made to fit."""
    statement = json.loads(envelope.payload)
    enclosed = statement["predicate"]["runDetails"]["byproducts"][1]
    assert enclosed["name"] == REALISATION_NAME
    record = json.loads(base64.b64decode(enclosed["content"]))
    change(record)
    data = json.dumps(record).encode()
    enclosed["content"] = base64.b64encode(data).decode()
    enclosed["digest"] = {"sha256": digests_of(data).sha256.hex}
    payload = json.dumps(statement).encode()
    return Envelope(payload, envelope.payload_type, envelope.signatures).as_bytes()


def with_enclosed(shared: Shared, realisation: Realisation, name: str = "builder") -> Envelope:
    """Something else enclosed than the statement speaks of, signed by who may."""
    key = shared.world.key(name)
    enclosed = {REALISATION_NAME: record_to_json(realisation)}
    return seal(provenance_statement(shared.sealed, key.builder, enclosed), (key,))
