"""Servers that are cut off, lie, stall or never end: the right bytes or a clear error, in time."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from d4cbuild.errors import D4CError
from d4cbuild.model.fields import Bilingual
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.recipe import Source
from d4cbuild.sources.fetch import fetch_source
from d4cbuild.store import Store
from tests.faults import checks
from tests.faults.case import Settings, judged, sample
from tests.sharing.shared import Shared, Taker
from tests.sharing.test_taking import OBJECT_LIES
from tests.sources.conftest import Ear
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
from tests.sources.test_http import FAST
from tests.tally import Case

KIND = "servers"
BODY = bytes(range(256)) * 400
OTHER = bytes(reversed(BODY))
LIMIT_S = 30
"""What takes longer is not bounded: servers here answer at once, or never."""
MOST_BYTES = 4 * len(BODY)
"""What may lie in the store at most, after any answer."""
CUTS = 24
_SIZE = str(len(BODY))
_BOMB = gzip.compress(bytes(64 << 20))


@dataclass(frozen=True)
class Play:
    """What servers do when a source is fetched.

    Attributes:
        row: The row of the table.
        name: The case.
        replies: What the publisher answers, one after the other; the last for ever.
        fetched: Whether the bytes must arrive all the same.
        mirror: What a mirror answers that is asked first, if there is one.
    """

    row: str
    name: str
    replies: tuple[Reply, ...]
    fetched: bool = False
    mirror: Reply | None = None


def _endless(**headers: str) -> Reply:
    def reply(handler: Handler) -> None:
        handler.head(200, {name.replace("_", "-"): value for name, value in headers.items()})
        while not handler.server.site.closing.is_set():
            handler.wfile.write(bytes(1 << 16))

    return reply


def _raw(data: bytes, *, endless: bytes = b"") -> Reply:
    def reply(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(data)
        while endless and not handler.server.site.closing.is_set():
            handler.wfile.write(endless)

    return reply


def _part(start: int, total: str = _SIZE, *, told: bool = True) -> Reply:
    """Answer a rest that is another than was asked for."""
    rest = BODY[start:]
    headers = {"Content-Length": str(len(rest)), "ETag": '"v1"'}
    if told:
        headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{total}"
    return answer(206, headers, rest)


def _later(reply: Reply) -> tuple[Reply, ...]:
    """A cut connection first, so that the rest is asked for."""
    return (cut(BODY, 1000), reply)


def _length(told: str) -> Reply:
    return answer(200, {"Content-Length": told, "ETag": '"v1"'}, BODY)


def _packed(data: bytes, coding: str) -> Reply:
    return answer(200, {"Content-Encoding": coding, "Content-Length": str(len(data))}, data)


def plays(settings: Settings) -> Iterator[Play]:
    """Everything that is tried on a source."""
    yield from _cut(settings.drawn(KIND))
    for told in ("0", "1", str(len(BODY) - 1), str(len(BODY) + 1), "-5", "many", f"{_SIZE}, 7"):
        yield Play("Content-Length", f"a length of {told}", (_length(told),))
    yield Play("Content-Length", "no length", (answer(200, {}, BODY),), fetched=True)
    yield Play("Content-Length", "no length and cut", (answer(200, {}, BODY[:99]),))
    yield from _parts()
    yield from _endless_or_slow()
    yield from _elsewhere()
    yield from _failing()
    yield from _changing()


def _cut(drawn: Random) -> Iterator[Play]:
    for at in sorted(drawn.sample(range(len(BODY)), CUTS)):
        yield Play("cut", f"cut at {at}, then well", (cut(BODY, at), whole(BODY)), fetched=True)
        yield Play("cut", f"cut at {at} whenever asked", (cut(BODY, at, None),))


def _parts() -> Iterator[Play]:
    yield Play("Range", "another beginning", _later(_part(999)))
    yield Play("Range", "another total", _later(_part(1000, "7")))
    yield Play("Range", "a part that is not named", _later(_part(1000, told=False)))
    yield Play("Range", "a part nobody asked for", (_part(1000),))
    yield Play("Range", "200 for 206", _later(whole(BODY, None)), fetched=True)
    yield Play("Range", "416", (*_later(status(416)), whole(BODY)), fetched=True)
    yield Play("Range", "416 for ever", _later(status(416)))


def _endless_or_slow() -> Iterator[Play]:
    yield Play("endless", "a body without an end", (_endless(),))
    yield Play("endless", "a body of which is said that it is huge", (_length("9" * 15),))
    yield Play("endless", "chunks without an end", (chunked([bytes(1 << 16)] * 400),))
    begun = b"HTTP/1.1 200 OK\r\nA: "
    yield Play("endless", "headers without an end", (_raw(begun, endless=b"b\r\nA: " * 99),))
    yield Play("endless", "a header without an end", (_raw(begun, endless=b"b" * 9999),))
    yield Play("slow", "a trickle", (trickle(BODY, 0.3),))
    yield Play("slow", "silence after some bytes", (stall(BODY, 1000),))
    yield Play("slow", "silence from the beginning", (stall(BODY, 0),))
    yield Play("packed", "a gzip bomb", (_packed(_BOMB, "gzip"),))
    yield Play("packed", "a deflate bomb", (_packed(zlib.compress(bytes(64 << 20)), "deflate"),))
    yield Play("packed", "an unknown packing", (_packed(BODY, "br"),))


def _elsewhere() -> Iterator[Play]:
    for target in (
        *("/data", "/data?again", "ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x/"),
        *("data:text/plain,x", "//u:p@127.0.0.1/", "https://", "http://169.254.169.254/latest"),
        *("http://10.0.0.1/", "http://192.168.0.1/", "http://[fe80::1]/", "http://\x00/"),
    ):
        yield Play("redirects", f"to {target!r}", (redirect(target),))


def _failing() -> Iterator[Play]:
    for code in (429, 503):
        for after in ("0", "1", "7200", "soon"):
            yield Play("busy", f"{code}, {after}", (status(code, Retry_After=after),))
        once = (status(code, Retry_After="0"), whole(BODY))
        yield Play("busy", f"{code} once", once, fetched=True)
    for code in (204, 400, 403, 404, 410, 500, 502):
        yield Play("failing", f"{code}", (status(code),))
    yield Play("failing", "another protocol", (_raw(b"SSH-2.0-OpenSSH_9\r\n"),))
    yield Play("failing", "half a status line", (_raw(b"HTTP/1."),))


def _changing() -> Iterator[Play]:
    changed = (cut(BODY, 1000), whole(OTHER, '"v2"'))
    yield Play("changed", "other bytes between attempts", changed)
    yield Play("changed", "other bytes under the same tag", (cut(BODY, 1000), whole(OTHER)))
    yield Play("changed", "cut, changed, and as before", (*changed, whole(BODY)))
    yield Play("changed", "other bytes", (whole(OTHER),))
    yield Play("changed", "a byte more", (whole(BODY + b"x"),))
    yield Play("changed", "a byte less", (whole(BODY[:-1]),))
    for name, reply in {
        "other bytes": whole(OTHER),
        "a page": answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
        "nothing": whole(b""),
        "a byte more": whole(BODY + b"x"),
        "bytes without an end": _endless(),
        "silence": stall(BODY, 1000),
        "404": status(404),
    }.items():
        yield Play("a mirror that lies", name, (whole(BODY),), fetched=True, mirror=reply)


def cases(settings: Settings) -> Iterator[Case]:
    """Fetch from every server, by source and by shared store."""
    chosen = list(plays(settings))
    if settings.quick:
        chosen = sample(settings.drawn(KIND, "quick"), chosen, 20)
    for number, play in enumerate(chosen):
        name = f"{play.row}, {play.name}"
        if settings.wants(name):
            folder = settings.folder / f"server-{number}"
            yield judged(
                settings,
                KIND,
                f"{KIND}: {play.row}",
                name,
                lambda folder=folder, play=play: _fetch(folder, play),
            )
    for lie, (reply, _) in {} if settings.quick else OBJECT_LIES.items():
        name = f"shared store, {lie}"
        if settings.wants(name):
            folder = settings.folder / f"shared-{lie.replace(' ', '-')}"
            yield judged(
                settings,
                KIND,
                f"{KIND}: shared store",
                name,
                lambda folder=folder, reply=reply: _take(folder, reply),
            )
    yield from _tls(settings)


def _fetch(folder: Path, play: Play, authority: str = "http") -> None:
    with Site() as site:
        _fetch_from(folder, play, site, authority)


def _fetch_from(folder: Path, play: Play, site: Site, scheme: str = "http") -> None:
    folder.mkdir()
    store = Store(folder / "store")
    address = site.serve("/data", *play.replies).replace("http:", f"{scheme}:")
    site.serve("/data?again", redirect("/data?once-more"))
    site.serve("/data?once-more", redirect("/data?again"))
    mirrors = () if play.mirror is None else (site.serve("/mirror", play.mirror),)
    locked = _locked(folder)
    text = Bilingual(en="From the publisher", fr="De l'éditeur")
    source = Source(
        name="raw", url=address, mirrors=mirrors, licence="OGL-Canada-2.0", attribution=text
    )
    began = time.monotonic()
    try:
        found = fetch_source(source, folder, (), store, Ear(), locked, limits=FAST)
    except D4CError as error:
        _refused(error, must_be_fetched=play.fetched)
    else:
        if (folder / "store" / "objects").exists() and found.blake3 != locked.blake3:
            raise checks.Lost("other bytes than the locked ones were kept")
    finally:
        store.database.close()
    _bounded(folder, time.monotonic() - began)


def _locked(folder: Path) -> LockedSource:
    scratch = Store(folder / "scratch")
    found = scratch.put_chunks([BODY])
    scratch.database.close()
    return LockedSource(name="raw", size=found.size, blake3=found.blake3, sha256=found.sha256)


def _refused(error: D4CError, *, must_be_fetched: bool) -> None:
    if must_be_fetched:
        raise checks.Lost(f"it could have been fetched: {error}")
    if not error.hint:
        raise checks.Unclear(f"no next step: {error}")


def _bounded(folder: Path, seconds: float) -> None:
    if seconds > LIMIT_S:
        raise checks.Lost(f"it took {seconds:.0f} s")
    taken = sum(path.stat().st_size for path in (folder / "store" / "objects").rglob("??/*"))
    if taken > MOST_BYTES:
        raise checks.Lost(f"{taken} bytes were kept")
    if left := list((folder / "store" / "tmp").iterdir()):
        raise checks.Left(f"a temporary file: {left[0].name}")


def _take(folder: Path, reply: Reply) -> None:
    folder.mkdir()
    shared = Shared()
    store = Store(folder / "store")
    began = time.monotonic()
    with Site() as site:
        taker = Taker.of(store, shared.trust(), shared.serve(site, data=reply))
        taken = taker.take(shared.build_key)
    store.database.close()
    if taken is not None:
        raise checks.Lost("it was taken")
    if not taker.ear.warnings:
        raise checks.Unclear("nothing was said")
    _bounded(folder, time.monotonic() - began)


def _tls(settings: Settings) -> Iterator[Case]:
    for name, subject, days in (
        ("nobody vouches for it", "IP:127.0.0.1", "2"),
        ("of another host", "DNS:example.invalid", "2"),
    ):
        case = f"TLS, {name}"
        if settings.wants(case):
            folder = settings.folder / f"tls-{name.replace(' ', '-')}"
            yield judged(
                settings,
                KIND,
                f"{KIND}: TLS",
                case,
                lambda folder=folder, subject=subject, days=days: _secure(folder, subject, days),
            )
    case = "TLS, plain text instead"
    if settings.wants(case):
        folder = settings.folder / "tls-plain"
        play = Play("TLS", "plain", (whole(BODY),))
        yield judged(
            settings, KIND, f"{KIND}: TLS", case, lambda: _fetch(folder, play, authority="https")
        )


def _secure(folder: Path, subject: str, days: str) -> None:
    pem = folder.with_suffix(".pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", days]
    command += ["-subj", "/CN=x", "-addext", f"subjectAltName={subject}"]
    made = subprocess.run([*command, "-keyout", "-", "-out", "-"], check=True, capture_output=True)
    pem.write_bytes(made.stdout)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Site() as site:
        site.wrap(context)
        _fetch_from(folder, Play("TLS", "", (whole(BODY),)), site, "https")
        if site.requests:
            raise checks.Lost("it was asked all the same")
