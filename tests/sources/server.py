"""A real web server on the loopback interface that misbehaves on request."""

import ssl
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each path with its scripted replies, in order; the last one stays."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        site = self.server.site
        with site.lock:
            site.requests.append((self.path, dict(self.headers.items())))
            site.methods.append(self.command)
            replies = site.pages.get(self.path, [status(404)])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        reply(self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def head(self, code: int, headers: dict[str, str]) -> None:
        """Send a status line and headers; the connection ends after the answer."""
        self.close_connection = True
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def first_byte(self, etag: str | None) -> int | None:
        """Offset asked for by a Range that If-Range does not void."""
        wanted = self.headers.get("Range")
        if wanted is None or self.headers.get("If-Range") != etag:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: "Site"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is what several tests are about


class Site:
    """The server, with what is asked of it.

    Attributes:
        pages: Replies per path.
        requests: Path and headers of every request, in order.
        methods: Method of every request, in order.
        closing: Set when the test is over, so that stalled replies end.
    """

    def __init__(self) -> None:
        self.pages: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.methods: list[str] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.site = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def serve(self, path: str, *replies: Reply) -> str:
        """Script a path; return its address."""
        self.pages[path] = list(replies)
        return self.url(path)

    def asked(self, path: str) -> list[dict[str, str]]:
        """Headers of the requests for a path."""
        return [headers for name, headers in self.requests if name == path]


def whole(body: bytes, etag: str | None = '"v1"', **headers: str) -> Reply:
    """Serve a file as a good server does: with ranges."""
    return cut(body, len(body), etag, **headers)


def cut(body: bytes, at: int, etag: str | None = '"v1"', **headers: str) -> Reply:
    """Serve a file, but hang up after ``at`` bytes of this answer."""

    def reply(handler: Handler) -> None:
        first = handler.first_byte(etag) if etag is not None else None
        rest = body[first or 0 :]
        told = {
            "Content-Length": str(len(rest)),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if etag is not None:
            told["ETag"] = etag
        if first is not None:
            told["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.head(200 if first is None else 206, told)
        handler.wfile.write(rest[:at])

    return reply


def answer(code: int, headers: dict[str, str], body: bytes = b"") -> Reply:
    """Send exactly this."""

    def reply(handler: Handler) -> None:
        handler.head(code, headers)
        handler.wfile.write(body)

    return reply


def parts(body: bytes, etag: str = '"v1"', *, head: bool = True) -> Reply:
    """Serve a file as a good server does: any part of it, and its size by HEAD if wanted."""

    def reply(handler: Handler) -> None:
        wanted = handler.headers.get("Range")
        told = {"ETag": etag, "Accept-Ranges": "bytes"}
        if handler.command == "HEAD":
            size = {"Content-Length": str(len(body))} if head else {"Content-Length": "0"}
            handler.head(200 if head else 405, told | size)
            return
        first, last = 0, len(body) - 1
        if wanted is not None:
            first, last = map(int, wanted.removeprefix("bytes=").split("-"))
            last = min(last, len(body) - 1)
            if first >= len(body):
                told["Content-Range"] = f"bytes */{len(body)}"
                handler.head(416, told | {"Content-Length": "0"})
                return
            told["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        part = body[first : last + 1]
        handler.head(200 if wanted is None else 206, told | {"Content-Length": str(len(part))})
        handler.wfile.write(part)

    return reply


def plain(body: bytes, told: int | None = None, kind: str = "application/zip") -> Reply:
    """Serve a file whole, always; saying that it has another size, if wanted."""

    def reply(handler: Handler) -> None:
        size = len(body) if told is None else told
        handler.head(200, {"Content-Length": str(size), "Content-Type": kind})
        if handler.command == "GET":
            handler.wfile.write(body)

    return reply


def status(code: int, **headers: str) -> Reply:
    """An answer without a file."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(code, {"Content-Length": "0", **named})


def redirect(to: str, code: int = 302) -> Reply:
    """Send the client elsewhere."""
    return status(code, Location=to)


def stall(body: bytes, after: int, code: int = 200, **headers: str) -> Reply:
    """Send the beginning, then nothing for ever."""

    def reply(handler: Handler) -> None:
        handler.head(code, {"Content-Length": str(len(body)), "ETag": '"v1"', **headers})
        handler.wfile.write(body[:after])
        handler.wfile.flush()
        handler.server.site.closing.wait()

    return reply


def trickle(body: bytes, pause_s: float) -> Reply:
    """Send a byte now and then."""

    def reply(handler: Handler) -> None:
        handler.head(200, {"Content-Length": str(len(body)), "ETag": '"v1"'})
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if handler.server.site.closing.wait(pause_s):
                return

    return reply


def chunked(pieces: list[bytes], *, finished: bool = True, etag: str = '"v1"') -> Reply:
    """Serve with chunked transfer coding; unfinished if wanted."""

    def reply(handler: Handler) -> None:
        handler.head(200, {"Transfer-Encoding": "chunked", "ETag": etag})
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if finished:
            handler.wfile.write(b"0\r\n\r\n")

    return reply


def http_date(seconds_ago: float) -> str:
    """A moment before now, as HTTP writes it."""
    return formatdate(time.time() - seconds_ago, usegmt=True)
