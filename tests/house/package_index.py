"""A package index over a folder of wheels that can be told to fail half-way.

    python tests/house/package_index.py FOLDER --fail-after 20

It prints its address and serves until it is stopped. Standard library only: it runs before anything is there.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

EVERY_FILE = 1_000_000


class PackageIndex:
    """Gives ``serves`` more files, and answers 404 for every one after them."""

    def __init__(self, folder: Path, serves: int = EVERY_FILE) -> None:
        self.folder = folder
        self.serves = serves
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index._answer(self)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"

    @contextmanager
    def running(self) -> Iterator[PackageIndex]:
        Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.rstrip("/").rpartition("/")[2]
        a_file = name.endswith((".whl", ".gz"))
        body = self._file(name) if a_file else self._page(name)
        request.send_response(404 if body is None else 200)
        request.send_header("Content-Type", "application/octet-stream" if a_file else "text/html")
        request.send_header("Content-Length", str(len(body or b"")))
        request.end_headers()
        request.wfile.write(body or b"")

    def _file(self, name: str) -> bytes | None:
        self.serves -= 1
        path = self.folder / name
        return path.read_bytes() if self.serves >= 0 and path.is_file() else None

    def _page(self, project: str) -> bytes:
        names = [path.name for path in self.folder.iterdir() if _project(path.name) == _canonical(project)]
        links = "".join(f'<a href="/{name}">{name}</a>' for name in names)
        return f"<!DOCTYPE html><html><body>{links}</body></html>".encode()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _project(file: str) -> str:
    return _canonical(re.split(r"-\d", file, maxsplit=1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fail-after", type=int, default=EVERY_FILE, metavar="FILES")
    given = parser.parse_args()
    index = PackageIndex(given.folder, given.fail_after)
    sys.stdout.write(f"{index.url}\n")
    sys.stdout.flush()
    index.server.serve_forever()


if __name__ == "__main__":
    main()
