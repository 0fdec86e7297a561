"""Looking whether a server still has a file, without fetching it."""

import io
import socket
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from d4cbuild import __version__
from d4cbuild.base.digest import digests_of_file
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.look import Looker
from d4cbuild.sources.member import MemberOrigin
from d4cbuild.sources.origin import Origin
from d4cbuild.sources.sight import Deadline, LookLimits, Sight, Wanted

from .server import Site, answer, chunked, parts, plain, redirect, stall, status, trickle

QUICK = LookLimits(
    connect_s=2, read_s=0.4, look_s=2, pause_s=0.01, whole_bytes=4096, sample_bytes=1024,
    beginning_bytes=8192, small_zip_bytes=2000,
)  # fmt: skip
FETCHING = HttpLimits(connect_s=2, read_s=0.4, attempts=2, backoff_s=0.01)
BODY = bytes(range(256)) * 400
SMALL = b"id,name\n1,Iqaluit\n"


@dataclass
class Scout:
    """Somebody to look for one file."""

    site: Site
    folder: Path
    body: bytes = BODY
    has_copy: bool = True
    deep: bool = False
    chances: Sequence[str] = ("0",)
    hosts: DownHosts = field(default_factory=DownHosts)
    seconds: float | None = None

    def wanted(self) -> Wanted:
        path = self.folder / "locked"
        path.write_bytes(self.body)
        copy = path if self.has_copy else None
        return Wanted(len(self.body), digests_of_file(path).sha256, copy)

    def looker(self) -> Looker:
        chances = iter([*self.chances] * 20)
        return Looker(
            self.folder, Deadline(self.seconds), QUICK, self.hosts, self.deep,
            chance=lambda: next(chances),
        )  # fmt: skip

    def at(self, address: str) -> Sight:
        return self.into(HttpOrigin(address, FETCHING, len(self.body), self.hosts))

    def into(self, origin: Origin) -> Sight:
        looker = self.looker()
        with looker.session:
            return looker.look(origin, self.wanted())


@pytest.fixture
def scout(site: Site, tmp_path: Path) -> Scout:
    return Scout(site, tmp_path)


def flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def test_samples_of_a_good_copy_are_compared_without_reading_all(scout: Scout) -> None:
    sight = scout.at(scout.site.serve("/a", parts(BODY)))
    assert (sight.state, sight.how) == (LookState.OK, LookHow.SAMPLED)
    asked = scout.site.asked("/a")
    assert {each["User-Agent"] for each in asked} == {f"d4cbuild/{__version__}"}
    ranges = [each["Range"] for each in asked]
    assert ranges == ["bytes=0-1023", f"bytes={len(BODY) - 1024}-{len(BODY) - 1}"]
    assert sight.etag == '"v1"'


def test_a_small_file_is_read_whole(scout: Scout) -> None:
    scout.body = SMALL
    sight = scout.at(scout.site.serve("/a", parts(SMALL)))
    assert (sight.state, sight.how) == (LookState.OK, LookHow.HASHED)


@pytest.mark.parametrize("at", [0, 50_000, len(BODY) - 1])
def test_changed_bytes_of_the_same_size_are_found_where_a_sample_falls(
    scout: Scout, at: int
) -> None:
    scout.chances = (f"{49_999:x}", "5")
    sight = scout.at(scout.site.serve("/a", parts(flipped(BODY, at))))
    assert (sight.state, sight.how) == (LookState.CHANGED, LookHow.SAMPLED)
    assert "bytes" in sight.reason


def test_only_a_deep_look_finds_what_lies_between_samples(scout: Scout) -> None:
    address = scout.site.serve("/a", parts(flipped(BODY, 50_000)))
    assert scout.at(address).state is LookState.OK
    scout.deep = True
    sight = scout.at(address)
    assert (sight.state, sight.how) == (LookState.CHANGED, LookHow.HASHED)
    good = scout.at(scout.site.serve("/b", parts(BODY)))
    assert (good.state, good.how) == (LookState.OK, LookHow.HASHED)
    assert [path.name for path in scout.folder.iterdir()] == ["locked"]


def test_without_a_copy_to_compare_with_only_the_size_is_asked_and_said_to_be_weak(
    scout: Scout,
) -> None:
    scout.has_copy = False
    sight = scout.at(scout.site.serve("/a", parts(flipped(BODY, 0))))
    assert (sight.state, sight.how) == (LookState.OK, LookHow.SIZE)
    assert "weak" in sight.reason
    assert scout.site.methods == ["HEAD"]


@pytest.mark.parametrize("has_copy", [True, False])
@pytest.mark.parametrize("body", [BODY + b"x", BODY[:-1], b"", BODY[:10]])
def test_another_size_is_a_change(scout: Scout, body: bytes, has_copy: bool) -> None:
    scout.has_copy = has_copy
    sight = scout.at(scout.site.serve("/a", parts(body)))
    assert sight.state is LookState.CHANGED
    assert str(len(body)) in sight.reason


@pytest.mark.parametrize("head", [False, True])
def test_a_server_that_does_not_know_head_is_asked_by_get(scout: Scout, head: bool) -> None:
    scout.has_copy = False
    sight = scout.at(scout.site.serve("/a", parts(BODY, head=head)))
    assert (sight.state, sight.how) == (LookState.OK, LookHow.SIZE)
    assert scout.site.methods == (["HEAD"] if head else ["HEAD", "GET"])


def test_a_size_that_head_tells_wrongly_does_not_count(scout: Scout) -> None:
    scout.has_copy = False
    address = scout.site.serve("/a", plain(b"", told=7), parts(BODY))
    assert scout.at(address).state is LookState.OK


def test_a_server_without_ranges_is_compared_by_its_beginning(scout: Scout) -> None:
    sight = scout.at(scout.site.serve("/a", plain(BODY)))
    assert (sight.state, sight.how) == (LookState.OK, LookHow.SAMPLED)
    assert "first 8 KiB" in sight.reason
    assert len(scout.site.requests) == 1
    changed = scout.at(scout.site.serve("/b", plain(flipped(BODY, 9))))
    assert changed.state is LookState.CHANGED


def test_a_small_file_is_hashed_also_without_ranges_and_length(scout: Scout) -> None:
    scout.body = SMALL
    assert scout.at(scout.site.serve("/a", plain(SMALL))).how is LookHow.HASHED
    assert scout.at(scout.site.serve("/b", chunked([SMALL]))).how is LookHow.HASHED
    longer = scout.at(scout.site.serve("/c", chunked([SMALL, b"more"])))
    assert longer.state is LookState.CHANGED


@pytest.mark.parametrize("has_copy", [True, False])
@pytest.mark.parametrize(
    ("code", "state"),
    [
        (404, LookState.GONE),
        (410, LookState.GONE),
        (401, LookState.REFUSED),
        (403, LookState.REFUSED),
        (429, LookState.REFUSED),
        (451, LookState.REFUSED),
        (500, LookState.UNREACHABLE),
        (502, LookState.UNREACHABLE),
        (503, LookState.UNREACHABLE),
        (507, LookState.UNREACHABLE),
    ],
)
def test_what_a_status_means(scout: Scout, code: int, state: LookState, has_copy: bool) -> None:
    scout.has_copy = has_copy
    sight = scout.at(scout.site.serve("/a", status(code)))
    assert (sight.state, sight.how) == (state, LookHow.NOTHING)
    assert str(code) in sight.reason


def test_trouble_that_passes_is_no_trouble(scout: Scout) -> None:
    assert scout.at(scout.site.serve("/a", status(503), parts(BODY))).state is LookState.OK


def test_a_server_that_answers_head_with_404_is_believed_only_after_get(scout: Scout) -> None:
    scout.has_copy = False
    address = scout.site.serve("/a", status(404), parts(BODY))
    assert scout.at(address).state is LookState.OK


def test_a_trickle_is_left_when_the_time_for_one_look_is_over(scout: Scout) -> None:
    sight = scout.at(scout.site.serve("/a", trickle(BODY, 0.2)))
    assert sight.state is LookState.UNREACHABLE
    assert "time" in sight.reason


@pytest.mark.parametrize("has_copy", [True, False])
def test_a_silent_host_is_asked_once_and_not_for_the_next_file(
    scout: Scout, has_copy: bool
) -> None:
    scout.has_copy = has_copy
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        first, second = scout.at(f"{address}/a"), scout.at(f"{address}/b")
    assert first.state is second.state is LookState.UNREACHABLE
    assert "a moment ago" not in first.reason
    assert "a moment ago" in second.reason


def test_a_host_that_is_down_is_asked_once_and_others_are_still_asked(scout: Scout) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    first, second = scout.at(f"{address}/a"), scout.at(f"{address}/b")
    assert first.state is second.state is LookState.UNREACHABLE
    assert "a moment ago" in second.reason
    assert scout.at(scout.site.serve("/a", parts(BODY))).state is LookState.OK


def test_when_the_time_is_over_nobody_is_asked(scout: Scout) -> None:
    scout.seconds = 0
    sight = scout.at(scout.site.serve("/a", parts(BODY)))
    assert sight.state is LookState.UNREACHABLE
    assert "time" in sight.reason
    assert scout.site.requests == []


def test_a_redirect_is_followed_and_who_answers_in_the_end_counts(scout: Scout) -> None:
    with Site() as other:
        address = scout.site.serve("/a", redirect(other.serve("/b", parts(BODY))))
        sight = scout.at(address)
        assert sight.state is LookState.OK
        assert f"http://{sight.host}/b" == other.url("/b")


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/a", "http://user:word@127.0.0.1/a", "/a"])
def test_a_redirect_that_is_not_followed_is_no_sight(scout: Scout, to: str) -> None:
    sight = scout.at(scout.site.serve("/a", redirect(to)))
    assert sight.state is LookState.UNREACHABLE
    assert "redirect" in sight.reason


def test_a_server_that_promises_more_than_it_sends_is_found_by_a_deep_look(scout: Scout) -> None:
    address = scout.site.serve("/a", plain(BODY[:9000], told=len(BODY)))
    assert scout.at(address).how is LookHow.SAMPLED
    scout.deep = True
    sight = scout.at(address)
    assert sight.state is LookState.UNREACHABLE
    assert "cut after 9000" in sight.reason


@pytest.mark.parametrize("length", ["1024", "100"])
def test_a_part_that_ends_early_is_a_cut_connection(scout: Scout, length: str) -> None:
    told = {"Content-Range": f"bytes 0-1023/{len(BODY)}", "Content-Length": length}
    sight = scout.at(scout.site.serve("/a", answer(206, told, BODY[:100])))
    assert sight.state is LookState.UNREACHABLE
    assert "cut" in sight.reason


@pytest.mark.parametrize("given", ["bytes 5-1028/102400", "nonsense", "bytes 0-9999/102400"])
def test_another_part_than_was_asked_for_is_not_compared(scout: Scout, given: str) -> None:
    told = {"Content-Range": given, "Content-Length": "1024"}
    sight = scout.at(scout.site.serve("/a", answer(206, told, BODY[:1024])))
    assert sight.state is LookState.REFUSED


def test_a_compressed_answer_is_not_compared(scout: Scout) -> None:
    told = {"Content-Encoding": "gzip", "Content-Length": "3"}
    assert scout.at(scout.site.serve("/a", answer(200, told, b"abc"))).state is LookState.REFUSED


def test_a_stalled_part_is_unreachable(scout: Scout) -> None:
    told = {"Content-Range": f"bytes 0-1023/{len(BODY)}"}
    reply = stall(BODY[:1024], 10, 206, **told)
    assert scout.at(scout.site.serve("/a", reply)).state is LookState.UNREACHABLE


def zipped(data: bytes, name: str = "in/raw.csv", padding: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("padding", b"\0" * padding)
        archive.writestr(name, data)
    return stream.getvalue()


def member(address: str) -> MemberOrigin:
    return MemberOrigin(HttpOrigin(address, FETCHING), "raw.csv")


@pytest.mark.parametrize(("has_copy", "how"), [(True, LookHow.SAMPLED), (False, LookHow.SIZE)])
def test_a_file_in_a_zip_is_found_in_the_zips_directory(
    scout: Scout, has_copy: bool, how: LookHow
) -> None:
    scout.has_copy = has_copy
    body = zipped(BODY, padding=200_000)
    sight = scout.into(member(scout.site.serve("/a.zip", parts(body))))
    assert (sight.state, sight.how) == (LookState.OK, how)
    sent = [each["Range"].removeprefix("bytes=").split("-") for each in scout.site.asked("/a.zip")]
    assert sum(int(last) - int(first) + 1 for first, last in sent) < 70_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (zipped(flipped(BODY, 7)), "CRC-32"),
        (zipped(BODY[:-1]), "102399 bytes instead of 102400"),
        (zipped(BODY, "other.csv"), "no file named raw.csv"),
        (b"<html>gone</html>" * 100, "not a zip"),
    ],
)
def test_a_zip_with_another_file_in_it_is_a_change(scout: Scout, body: bytes, reason: str) -> None:
    sight = scout.into(member(scout.site.serve("/a.zip", parts(body))))
    assert sight.state is LookState.CHANGED
    assert reason in sight.reason


def test_a_small_zip_is_fetched_where_no_parts_are_sent_and_a_large_one_only_when_deep(
    scout: Scout,
) -> None:
    large = scout.site.serve("/large.zip", plain(zipped(BODY)))
    assert scout.into(member(large)).state is LookState.REFUSED
    scout.deep = True
    deep = scout.into(member(scout.site.serve("/parts.zip", parts(zipped(BODY)))))
    assert (deep.state, deep.how) == (LookState.OK, LookHow.HASHED)
    scout.deep, scout.body = False, SMALL
    small = scout.into(member(scout.site.serve("/small.zip", plain(zipped(SMALL)))))
    assert (small.state, small.how) == (LookState.OK, LookHow.HASHED)


def test_a_file_in_a_folder_is_hashed_where_it_lies(scout: Scout) -> None:
    (scout.folder / "good").write_bytes(BODY)
    (scout.folder / "bad").write_bytes(flipped(BODY, 50_000))
    (scout.folder / "long").write_bytes(BODY + b"x")
    states = {
        name: scout.into(LocalOrigin(scout.folder, name)).state
        for name in ("good", "bad", "long", "none")
    }
    assert states == {
        "good": LookState.OK,
        "bad": LookState.CHANGED,
        "long": LookState.CHANGED,
        "none": LookState.GONE,
    }
