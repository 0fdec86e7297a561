"""A package registry on the loopback interface: a Debian pool and a wheel index."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Registry:
    """Serves files by path; anything else is 404.

    Attributes:
        files: Path on the server to the bytes it answers with.
        asked: Paths that were asked for, in order.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                data = registry.files.get(self.path)
                self.send_response(404 if data is None else 200)
                html = self.path.endswith("/")
                self.send_header("Content-Type", "text/html" if html else "binary/octet-stream")
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add_debian(self, path: Path) -> None:
        self.files[f"/debian/pool/main/{path.name}"] = path.read_bytes()

    def add_wheel(self, path: Path) -> None:
        name = path.name.split("-")[0]
        self.files[f"/simple/{name}/"] = f'<a href="/files/{path.name}">{path.name}</a>'.encode()
        self.files[f"/files/{path.name}"] = path.read_bytes()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
