"""Downloads from servers that are cut off, overloaded, slow, changed or hostile."""

import gzip
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from d4cbuild import __version__
from d4cbuild.errors import Unavailable
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.origin import TooLarge

from .conftest import Ear
from .server import (
    Site,
    answer,
    chunked,
    cut,
    http_date,
    redirect,
    stall,
    status,
    trickle,
    whole,
)

FAST = HttpLimits(
    connect_s=2, read_s=0.4, attempts=3, backoff_s=0.01, longest_backoff_s=0.02,
    longest_retry_after_s=1.5, slow_window_s=5,
)  # fmt: skip
BODY = bytes(range(256)) * 400
OTHER = bytes(reversed(BODY))


def download(
    address: str,
    folder: Path,
    ear: Ear | None = None,
    limits: HttpLimits = FAST,
    limit: int | None = None,
    size: int | None = None,
) -> bytes:
    into = folder / "body"
    into.unlink(missing_ok=True)
    HttpOrigin(address, limits, size).fetch(into, limit, ear or Ear(), "raw")
    return into.read_bytes()


def refusal(address: str, folder: Path, **options: object) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        download(address, folder, **options)  # type: ignore[arg-type]
    return caught.value


def test_a_file_is_fetched_with_our_name_and_no_compression(site: Site, tmp_path: Path) -> None:
    assert download(site.serve("/a", whole(BODY)), tmp_path) == BODY
    (headers,) = site.asked("/a")
    assert headers["User-Agent"] == f"d4cbuild/{__version__}"
    assert headers["Accept-Encoding"] == "identity"
    assert "Range" not in headers


def test_progress_is_told_in_bytes(site: Site, tmp_path: Path, ear: Ear) -> None:
    download(site.serve("/a", cut(BODY, 1000), whole(BODY)), tmp_path, ear)
    assert ear.tasks == [("raw", len(BODY))]
    assert ear.done == [len(BODY)]


def test_a_cut_connection_is_resumed_where_it_was_cut(site: Site, tmp_path: Path, ear: Ear) -> None:
    address = site.serve("/a", cut(BODY, 1000), cut(BODY, 500), whole(BODY))
    assert download(address, tmp_path, ear) == BODY
    asked = site.asked("/a")
    assert [headers.get("Range") for headers in asked] == [None, "bytes=1000-", "bytes=1500-"]
    assert asked[1]["If-Range"] == '"v1"'
    assert any(f"after 1000 of {len(BODY)} bytes" in line for line in ear.lines)


def test_an_old_last_modified_is_enough_to_resume(site: Site, tmp_path: Path) -> None:
    old = http_date(3600)
    first = answer(200, {"Content-Length": str(len(BODY)), "Last-Modified": old}, BODY[:1000])
    rest = answer(
        206,
        {
            "Content-Length": str(len(BODY) - 1000),
            "Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}",
            "Last-Modified": old,
        },
        BODY[1000:],
    )
    assert download(site.serve("/a", first, rest), tmp_path) == BODY
    assert site.asked("/a")[1]["If-Range"] == old


@pytest.mark.parametrize(
    "headers",
    [dict, lambda: {"ETag": 'W/"v1"'}, lambda: {"Last-Modified": http_date(5)}],
    ids=["none", "weak ETag", "changed just now"],
)
def test_without_a_strong_validator_the_file_is_fetched_anew(
    site: Site, tmp_path: Path, headers: Callable[[], dict[str, str]]
) -> None:
    first = answer(200, {"Content-Length": str(len(OTHER)), **headers()}, OTHER[:1000])
    assert download(site.serve("/a", first, whole(BODY)), tmp_path) == BODY
    assert "Range" not in site.asked("/a")[1]


def test_a_file_that_changed_between_attempts_is_not_mixed(
    site: Site, tmp_path: Path, ear: Ear
) -> None:
    address = site.serve("/a", cut(OTHER, 1000, '"old"'), whole(BODY, '"new"'))
    assert download(address, tmp_path, ear) == BODY
    assert ear.done == [1000, len(BODY)]


def test_a_server_that_ignores_if_range_is_found_out_by_its_etag(
    site: Site, tmp_path: Path
) -> None:
    rest = answer(
        206,
        {
            "Content-Length": str(len(BODY) - 1000),
            "Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}",
            "ETag": '"new"',
        },
        BODY[1000:],
    )
    address = site.serve("/a", cut(OTHER, 1000, '"old"'), rest, whole(BODY, '"new"'))
    assert download(address, tmp_path) == BODY


@pytest.mark.parametrize(
    "given",
    [
        f"bytes 999-{len(BODY) - 1}/{len(BODY)}",
        f"bytes 1000-{len(BODY)}/{len(BODY) + 1}",
        "bytes */100",
        None,
    ],
)
def test_a_part_that_was_not_asked_for_is_not_used(
    site: Site, tmp_path: Path, given: str | None
) -> None:
    headers = {"ETag": '"v1"', **({"Content-Range": given} if given else {})}
    address = site.serve("/a", cut(BODY, 1000), answer(206, headers, OTHER), whole(BODY))
    assert download(address, tmp_path) == BODY
    assert "Range" not in site.asked("/a")[2]


def test_a_part_of_a_file_nobody_asked_a_part_of_is_not_used(site: Site, tmp_path: Path) -> None:
    part = answer(206, {"Content-Range": f"bytes 0-9/{len(BODY)}"}, BODY[:10])
    assert download(site.serve("/a", part, whole(BODY)), tmp_path) == BODY


def test_200_in_place_of_206_starts_from_zero(site: Site, tmp_path: Path) -> None:
    same = {"Content-Length": str(len(BODY)), "ETag": '"v1"'}
    address = site.serve("/a", cut(BODY, 1000), answer(200, same, BODY))
    assert download(address, tmp_path) == BODY
    assert "Range" in site.asked("/a")[1]


def test_nothing_is_left_of_a_longer_version(site: Site, tmp_path: Path) -> None:
    address = site.serve("/a", cut(OTHER, 5000, '"old"'), whole(BODY[:100], '"new"'))
    assert download(address, tmp_path) == BODY[:100]


def test_416_starts_from_zero(site: Site, tmp_path: Path) -> None:
    address = site.serve("/a", cut(OTHER, 1000), status(416), whole(BODY))
    assert download(address, tmp_path) == BODY


def test_a_rest_from_another_place_is_not_used(site: Site, tmp_path: Path) -> None:
    site.serve("/one", cut(OTHER, 1000))
    site.serve("/two", whole(BODY))
    address = site.serve("/a", redirect("/one"), redirect("/two"))
    assert download(address, tmp_path) == BODY


def test_a_file_longer_than_many_cuts_arrives_while_there_is_headway(
    site: Site, tmp_path: Path
) -> None:
    limits = replace(FAST, headway_bytes=1000)
    address = site.serve("/a", *[cut(BODY, 10_000) for _ in range(10)], whole(BODY))
    assert download(address, tmp_path, limits=limits) == BODY
    assert len(site.asked("/a")) == 11


def test_a_server_that_never_gets_further_is_given_up(site: Site, tmp_path: Path) -> None:
    limits = replace(FAST, headway_bytes=1000)
    address = site.serve("/a", cut(BODY, 10_000, etag=None))
    error = refusal(address, tmp_path, limits=limits)
    assert f"cut after 10000 of {len(BODY)} bytes" in error.message
    assert len(site.asked("/a")) == FAST.attempts  # the first, with headway, begins the count


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(site: Site, tmp_path: Path, code: int) -> None:
    address = site.serve("/a", status(code, Retry_After="1"), whole(BODY))
    began = time.monotonic()
    assert download(address, tmp_path) == BODY
    assert time.monotonic() - began >= 1


def test_retry_after_as_a_date_is_honoured(site: Site, tmp_path: Path) -> None:
    # HTTP dates have whole seconds: two from now means more than one.
    reply = status(503, Retry_After=http_date(-2))
    began = time.monotonic()
    limits = replace(FAST, longest_retry_after_s=3)
    assert download(site.serve("/a", reply, whole(BODY)), tmp_path, limits=limits) == BODY
    assert time.monotonic() - began >= 0.9


def test_a_server_that_asks_for_a_long_pause_is_left_alone(site: Site, tmp_path: Path) -> None:
    address = site.serve("/a", status(429, Retry_After="3600"), whole(BODY))
    error = refusal(address, tmp_path)
    assert error.found == "3600 s"
    assert len(site.asked("/a")) == 1


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_a_bounded_number_of_times(
    site: Site, tmp_path: Path, code: int
) -> None:
    assert download(site.serve("/a", status(code), whole(BODY)), tmp_path) == BODY
    error = refusal(site.serve("/b", status(code)), tmp_path)
    assert str(code) in error.message
    assert len(site.asked("/b")) == FAST.attempts


@pytest.mark.parametrize("code", [204, 400, 401, 403, 404, 410])
def test_a_lasting_failure_is_not_tried_again(site: Site, tmp_path: Path, code: int) -> None:
    error = refusal(site.serve("/a", status(code)), tmp_path)
    assert str(code) in error.message
    assert len(site.asked("/a")) == 1


def test_a_compressed_body_is_refused(site: Site, tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    headers = {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"}
    error = refusal(site.serve("/a", answer(200, headers, packed)), tmp_path)
    assert error.found == "Content-Encoding: gzip"
    assert len(site.asked("/a")) == 1


def test_identity_as_encoding_is_harmless(site: Site, tmp_path: Path) -> None:
    assert download(site.serve("/a", whole(BODY, Content_Encoding="identity")), tmp_path) == BODY


def test_a_body_announced_too_long_is_not_read(site: Site, tmp_path: Path) -> None:
    error = refusal(site.serve("/a", whole(BODY)), tmp_path, limit=len(BODY) - 1)
    assert isinstance(error, TooLarge)
    assert error.got == f"{len(BODY)} bytes"
    assert (tmp_path / "body").stat().st_size == 0


def test_a_body_that_turns_out_too_long_is_stopped(site: Site, tmp_path: Path) -> None:
    address = site.serve("/a", chunked([BODY[:1000]] * 100))
    error = refusal(address, tmp_path, limit=5000)
    assert isinstance(error, TooLarge)
    assert (tmp_path / "body").stat().st_size <= 5000


def test_the_largest_body_is_bounded_without_a_limit(site: Site, tmp_path: Path) -> None:
    limits = replace(FAST, body_bytes=10)
    assert isinstance(refusal(site.serve("/a", whole(BODY)), tmp_path, limits=limits), TooLarge)


@pytest.mark.parametrize("length", [None, "many", "-5"])
def test_a_missing_or_senseless_length_ends_with_the_connection(
    site: Site, tmp_path: Path, length: str | None
) -> None:
    headers = {} if length is None else {"Content-Length": length}
    assert download(site.serve("/a", answer(200, headers, BODY)), tmp_path) == BODY


def test_a_body_without_length_that_ends_before_the_locked_size_is_resumed(
    site: Site, tmp_path: Path
) -> None:
    first = answer(200, {"ETag": '"v1"'}, BODY[:1000])
    address = site.serve("/a", first, whole(BODY))
    assert download(address, tmp_path, limit=len(BODY), size=len(BODY)) == BODY
    assert site.asked("/a")[1]["Range"] == "bytes=1000-"


def test_a_chunked_body_is_read_and_a_cut_one_resumed(site: Site, tmp_path: Path) -> None:
    pieces = [BODY[i : i + 1000] for i in range(0, len(BODY), 1000)]
    assert download(site.serve("/a", chunked(pieces)), tmp_path) == BODY
    address = site.serve("/b", chunked(pieces[:3], finished=False), whole(BODY))
    assert download(address, tmp_path) == BODY
    assert site.asked("/b")[1]["Range"] == "bytes=3000-"


def test_a_length_larger_than_the_file_is_an_error(site: Site, tmp_path: Path) -> None:
    address = site.serve("/a", answer(200, {"Content-Length": "5000"}, BODY[:10]))
    assert "cut after 10 of 5000 bytes" in refusal(address, tmp_path).message


def test_a_stalled_server_is_left_and_resumed(site: Site, tmp_path: Path) -> None:
    assert download(site.serve("/a", stall(BODY, 1000), whole(BODY)), tmp_path) == BODY
    assert site.asked("/a")[1]["Range"] == "bytes=1000-"


def test_a_server_that_never_answers_is_given_up(site: Site, tmp_path: Path) -> None:
    limits = replace(FAST, read_s=0.1)
    error = refusal(site.serve("/a", stall(BODY, 0)), tmp_path, limits=limits)
    assert "cut after 0" in error.message
    assert len(site.asked("/a")) == limits.attempts


def test_a_trickle_is_not_waited_for(site: Site, tmp_path: Path) -> None:
    limits = replace(FAST, slow_window_s=0.3, slow_bytes_per_s=1000)
    began = time.monotonic()
    address = site.serve("/a", trickle(BODY, 0.02), whole(BODY))
    assert download(address, tmp_path, limits=limits) == BODY
    assert time.monotonic() - began < 5


def test_a_refused_connection_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refusal(f"http://127.0.0.1:{taken.getsockname()[1]}/a", tmp_path)
    assert "refused" in error.message


def test_an_answer_that_is_not_http_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            for _attempt in range(FAST.attempts):
                connection, _peer = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"220 ready\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        error = refusal(f"http://127.0.0.1:{listener.getsockname()[1]}/a", tmp_path)
        thread.join()
    assert "no answer" in error.message
