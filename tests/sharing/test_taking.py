"""Taking from shared stores: what is good is taken, and nobody who lies is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.attest.envelope import Envelope, seal
from d4cbuild.attest.realisation import seal_realisation
from d4cbuild.base.digest import Digest
from d4cbuild.errors import Unavailable
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES
from d4cbuild.store import Store
from tests.attest.signed import OTHER_RECIPE, sealed
from tests.sources.server import (
    Handler,
    Reply,
    Site,
    answer,
    chunked,
    cut,
    redirect,
    stall,
    status,
    trickle,
    whole,
)

from .shared import DATA, Shared, Taker, facts, signed_anew, tampered, with_enclosed


def endless(handler: Handler) -> None:
    handler.head(200, {})
    while not handler.server.site.closing.is_set():
        handler.wfile.write(b"x" * (1 << 16))


def endless_head(handler: Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: ")
    while not handler.server.site.closing.wait(0.2):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def endless_chunk_size(handler: Handler) -> None:
    handler.head(200, {"Transfer-Encoding": "chunked"})
    handler.wfile.write(b"1;")
    while not handler.server.site.closing.wait(0.2):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def silent(handler: Handler) -> None:
    handler.close_connection = True
    handler.server.site.closing.wait()


def gone(handler: Handler) -> None:
    handler.close_connection = True


OTHER = DATA[:-1] + b"X"
OBJECT_LIES: dict[str, tuple[Reply, str]] = {
    "other bytes": (whole(OTHER), "other bytes than was asked for"),
    "fewer bytes": (whole(DATA[:-1]), "other bytes than was asked for"),
    "no bytes": (whole(b""), "other bytes than was asked for"),
    "more bytes": (whole(DATA + b"X"), "more than the 307200 bytes"),
    "more bytes than it says": (chunked([DATA, b"X"]), "more than the 307200 bytes"),
    "bytes without an end": (endless, "more than the 307200 bytes"),
    "a connection that is cut": (cut(DATA, 1000, None), "the connection was cut"),
    "an unfinished body": (chunked([DATA[:1000]], finished=False), "the connection was cut"),
    "silence after some bytes": (stall(DATA, 1000), "the connection was cut"),
    "a byte now and then": (trickle(DATA, 0.1), "slower than"),
    "a part that was not asked for": (
        answer(206, {"Content-Range": f"bytes 0-9/{len(DATA)}", "Content-Length": "10"}, DATA[:10]),
        "another part than was asked for",
    ),
    "packed bytes": (
        whole(DATA, Content_Encoding="gzip"),
        "sends the file changed: Content-Encoding: gzip",
    ),
    "a faulty server": (status(500), "the server answered 500"),
    "a busy server": (status(503, Retry_After="3600"), "asks to be left alone"),
    "a redirect off the web": (redirect("file:///etc/passwd"), "a redirect that is not followed"),
    "a redirect with a password": (
        redirect("http://user:secret@127.0.0.1/"),
        "a redirect that is not followed",
    ),
    "an object that is not there": (status(404), "does not have the output facilities"),
}


@pytest.mark.parametrize("lie", OBJECT_LIES)
def test_a_substituter_without_the_right_bytes_is_passed_over(
    lie: str, site: Site, other_site: Site, store: Store, shared: Shared
) -> None:
    reply, words = OBJECT_LIES[lie]
    bad, good = shared.serve(site, data=reply), shared.serve(other_site)
    taker = Taker.of(store, shared.trust(), bad, good)
    taken = taker.take(shared.build_key)
    assert taken is not None
    assert taken.where == good
    (warning,) = taker.ear.warnings
    assert warning.startswith(f"odhf: passed over {bad}: ")
    assert words in warning
    assert taker.objects == [shared.digests.blake3]
    assert store.get(shared.digests.blake3) is not None


def _unsigned(shared: Shared) -> bytes:
    whole = shared.envelope()
    return Envelope(whole.payload, whole.payload_type, ()).as_bytes()


def _as_the_builder(shared: Shared) -> bytes:
    """A stranger's signature in the name of the builder's key."""
    record = json.loads(shared.envelope("stranger", "builder").as_bytes())
    record["signatures"][0]["keyid"] = shared.world.key("builder").public.key_id
    return json.dumps(record).encode()


def _replayed(shared: Shared) -> bytes:
    about = sealed(OTHER_RECIPE)
    output = about.manifest.outputs[0]
    names = {name: getattr(output, name) for name in ("name", "size", "blake3", "sha256", "md5")}
    said = shared.realisation(**names)
    other = said.model_copy(update={"build_key": about.manifest.build_key})
    return seal_realisation(about, other, shared.world.key("builder")).as_bytes()


def _key_changed(shared: Shared) -> bytes:
    other = shared.realisation().model_copy(update={"build_key": Digest("blake3", "0" * 64)})
    return with_enclosed(shared, other).as_bytes()


def _anew(change: Callable[[Any], None]) -> Callable[[Shared], bytes]:
    def make(shared: Shared) -> bytes:
        return signed_anew(shared.envelope(), shared.world.key("builder"), change).as_bytes()

    return make


def _under_the_old_signature(change: Callable[[Any], None]) -> Callable[[Shared], bytes]:
    return lambda shared: tampered(shared.envelope(), change)


def _byproduct(**fields: Any) -> Callable[[Any], None]:
    return lambda said: said["predicate"]["runDetails"]["byproducts"][1].update(fields)


SIGNED_LIES: dict[str, tuple[Callable[[Shared], bytes], str]] = {
    "unsigned": (_unsigned, "not signed with the key of builder"),
    "a stranger's": (
        lambda shared: shared.envelope("stranger").as_bytes(),
        "not signed with the key of builder",
    ),
    "a stranger's in the builder's name": (_as_the_builder, "is not of this content"),
    "another derivation's": (_replayed, "about another derivation"),
    "with another build key": (_key_changed, "names another derivation than it describes"),
    "facts changed": (
        _under_the_old_signature(lambda record: record["outputs"][0]["table"].update(rows=4)),
        "is not of this content",
    ),
    "in another's name": (
        lambda shared: with_other_name(shared).as_bytes(),
        "builder signed it in the name of somebody",
    ),
    "other files than it says": (
        lambda shared: with_enclosed(
            shared, shared.realisation(sha256=Digest("sha256", "0" * 64))
        ).as_bytes(),
        "names other files than it describes",
    ),
    "digests of two files": (
        lambda shared: with_enclosed(
            shared, shared.realisation(md5=Digest("md5", "0" * 32))
        ).as_bytes(),
        "not of one file",
    ),
    "nothing enclosed": (
        lambda shared: shared.world.built("builder", shared.sealed).as_bytes(),
        "there is no realisation.json in it",
    ),
    "enclosed without content": (
        _anew(_byproduct(content=None)),
        "there is no realisation.json in it",
    ),
    "enclosed not in base64": (_anew(_byproduct(content="!")), "not in base64"),
    "enclosed with another digest": (
        _anew(_byproduct(digest={"sha256": "0" * 64})),
        "not what its digest says",
    ),
    "a rebuild": (
        lambda shared: shared.world.rebuilt("builder", shared.sealed).as_bytes(),
        "it says something else",
    ),
    "another statement": (
        lambda shared: seal(b'{"hello": 1}', (shared.world.key("builder"),)).as_bytes(),
        "fields are wrong",
    ),
    "no envelope": (lambda _: b"<html>Welcome</html>", "not readable as JSON"),
    "nothing": (lambda _: b"", "not readable as JSON"),
    "nested": (lambda _: b"[" * 100_000, "nested too deeply"),
    "too large": (lambda _: b" " * (MAXIMUM_TEXT_BYTES + 1), "more than the 16777216 bytes"),
    "half of it": (
        lambda shared: shared.envelope().as_bytes()[:-200],
        "not readable as JSON",
    ),
}


def with_other_name(shared: Shared) -> Envelope:
    def change(said: Any) -> None:
        builder = said["predicate"]["runDetails"]["builder"]
        builder["id"] = builder["id"][: -len("builder")] + "somebody"

    return signed_anew(shared.envelope(), shared.world.key("builder"), change)


@pytest.mark.parametrize("lie", SIGNED_LIES)
def test_what_is_not_signed_as_it_must_be_is_passed_over(
    lie: str, site: Site, other_site: Site, store: Store, shared: Shared
) -> None:
    make, words = SIGNED_LIES[lie]
    bad, good = shared.serve(site, signed=whole(make(shared))), shared.serve(other_site)
    taker = Taker.of(store, shared.trust(), bad, good)
    taken = taker.take(shared.build_key)
    assert taken is not None
    assert taken.where == good
    (warning,) = taker.ear.warnings
    assert warning.startswith(f"odhf: passed over {bad}: ")
    assert words in warning
    assert "\n" not in warning


@pytest.mark.parametrize("reply", [silent, gone, endless, endless_head, endless_chunk_size])
def test_a_substituter_that_stalls_or_dies_is_not_asked_again(
    reply: Reply, site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), shared.serve(site, signed=reply))
    assert taker.take(shared.build_key) is None
    assert len(taker.ear.warnings) == 1
    asked = len(site.requests)
    assert asked
    assert taker.take(shared.build_key) is None
    (origin,) = taker.substituters.origins(shared.digests.blake3, len(DATA))
    with pytest.raises(Unavailable, match="not asked again"):
        origin.fetch(store.root / "body", None, taker.ear, "raw")
    assert len(site.requests) == asked
    assert taker.objects == []


def test_a_server_that_is_not_there_is_passed_over(
    site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), "http://127.0.0.1:1/", shared.serve(site))
    assert taker.take(shared.build_key) is not None
    assert "passed over http://127.0.0.1:1/: no answer" in taker.ear.warnings[0]


def test_what_was_signed_comes_back_to_the_last_digit(
    site: Site, store: Store, shared: Shared
) -> None:
    taken = Taker.of(store, shared.trust(), shared.serve(site)).take(shared.build_key)
    assert taken is not None
    assert taken.realisation == shared.realisation()
    assert json.dumps(taken.realisation.outputs[0].facts) == json.dumps(facts().as_json())
    assert (taken.builder, taken.key_id) == ("builder", shared.world.key("builder").public.key_id)
    assert taken.envelope == shared.envelope().as_bytes()


def test_a_key_that_is_trusted_for_rebuilds_only_is_not_even_looked_for(
    site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(builder=["rebuilder"]), shared.serve(site))
    assert taker.take(shared.build_key) is None
    assert site.requests == []


def test_of_several_builders_the_one_that_built_it_is_found(
    site: Site, store: Store, shared: Shared
) -> None:
    trust = shared.trust(first=["builder"], builder=["builder"])
    taker = Taker.of(store, trust, shared.serve(site))
    taken = taker.take(shared.build_key)
    assert taken is not None
    assert taken.builder == "builder"
    assert taker.ear.warnings == []


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_substituter_that_has_nothing_is_asked_again_for_the_next(
    code: int, site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), shared.serve(site, signed=status(code)))
    assert taker.take(shared.build_key) is None
    assert taker.ear.warnings == []
    assert taker.ear.lines == [f"odhf: nothing to take from {site.url('')}"]
    shared.serve(site)
    assert taker.take(shared.build_key) is not None


def test_what_the_builder_signed_but_does_not_fit_is_not_taken(
    site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), shared.serve(site))
    assert taker.take(shared.build_key, lambda _: "signed nonsense") is None
    assert taker.ear.warnings == [
        f"odhf: not taken from {site.url('')}: builder signed nonsense",
    ]
    assert taker.objects == []


def test_an_object_that_is_here_is_not_fetched(site: Site, store: Store, shared: Shared) -> None:
    store.put_chunks([DATA])
    taker = Taker.of(store, shared.trust(), shared.serve(site, data=status(500)))
    assert taker.take(shared.build_key) is not None
    assert [path for path, _ in site.requests] == [shared.names()[0]]


def test_a_cut_download_is_resumed(site: Site, store: Store, shared: Shared) -> None:
    _, thing = shared.names()
    shared.serve(site)
    site.serve(thing, cut(DATA, 1000), whole(DATA))
    taker = Taker.of(store, shared.trust(), site.url("/"))
    assert taker.take(shared.build_key) is not None
    assert site.asked(thing)[1]["Range"] == "bytes=1000-"


def test_a_folder_is_taken_from(tmp_path: Path, store: Store, shared: Shared) -> None:
    taker = Taker.of(store, shared.trust(), str(shared.write(tmp_path / "shared")))
    assert taker.take(shared.build_key) is not None
    assert taker.objects == [shared.digests.blake3]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, store: Store, shared: Shared) -> None:
    taker = Taker.of(store, shared.trust(), str(tmp_path / "nowhere"))
    assert taker.take(shared.build_key) is None
    assert "there is no such folder" in taker.ear.warnings[0]


def test_a_folder_with_a_link_out_of_it_is_passed_over(
    tmp_path: Path, store: Store, shared: Shared
) -> None:
    folder = shared.write(tmp_path / "shared")
    thing = folder / shared.names()[1][1:]
    thing.rename(tmp_path / "outside")
    thing.symlink_to(tmp_path / "outside")
    taker = Taker.of(store, shared.trust(), str(folder))
    assert taker.take(shared.build_key) is None
    assert "a symlink leads out of the folder" in taker.ear.warnings[0]


def test_an_rclone_remote_is_taken_from(remote: Path, store: Store, shared: Shared) -> None:
    shared.write(remote / "deep")
    for address in ("copies:deep", "copies:deep/"):
        assert Taker.of(store, shared.trust(), address).take(shared.build_key) is not None
    assert [digest for digest, _ in store.object_files()] == [shared.digests.blake3]


def test_an_rclone_remote_that_lies_is_passed_over(
    remote: Path, store: Store, shared: Shared
) -> None:
    (shared.write(remote) / shared.names()[1][1:]).write_bytes(OTHER)
    taker = Taker.of(store, shared.trust(), "copies:")
    assert taker.take(shared.build_key) is None
    assert "other bytes than was asked for" in taker.ear.warnings[0]


def test_an_rclone_remote_without_it_has_nothing(
    remote: Path, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), "copies:deep")
    assert taker.take(shared.build_key) is None
    assert taker.ear.warnings == []
    assert taker.ear.lines == ["odhf: nothing to take from copies:deep"]


def test_an_rclone_remote_that_is_not_set_up_is_passed_over(
    remote: Path, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), "elsewhere:deep")
    assert taker.take(shared.build_key) is None
    assert "passed over elsewhere:deep: rclone: " in taker.ear.warnings[0]


def test_with_nobody_to_ask_nothing_is_taken(store: Store, shared: Shared) -> None:
    assert Taker.of(store, shared.trust()).take(shared.build_key) is None


def test_a_source_is_fetched_by_its_hash(site: Site, store: Store, shared: Shared) -> None:
    taker = Taker.of(store, shared.trust(), shared.serve(site))
    (origin,) = taker.substituters.origins(shared.digests.blake3, len(DATA))
    body = store.root / "body"
    origin.fetch(body, len(DATA), taker.ear, "raw")
    assert body.read_bytes() == DATA
    assert origin.where == f"{site.url('')} ({shared.names()[1][1:]})"


@pytest.mark.parametrize("data", [OTHER, DATA[:-1], DATA + b"X", b""])
def test_a_source_that_is_other_than_its_hash_is_not_taken(
    data: bytes, site: Site, store: Store, shared: Shared
) -> None:
    taker = Taker.of(store, shared.trust(), shared.serve(site, data=whole(data)))
    (origin,) = taker.substituters.origins(shared.digests.blake3, len(DATA))
    with pytest.raises(Unavailable, match=r"other bytes than was asked for|more than the"):
        origin.fetch(store.root / "body", len(DATA), taker.ear, "raw")
    assert taker.take(shared.build_key) is None
    assert len(site.requests) == 1
