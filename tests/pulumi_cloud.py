"""A stand-in for the calls of Pulumi Cloud's API that ``pulumi policy publish`` makes.

https://www.pulumi.com/docs/reference/cloud-rest-api/
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PACKS = "/api/orgs/pull/policypacks"


@dataclass
class PulumiCloud:
    """What was published.

    Attributes:
        url: the address of the API.
        archive: the uploaded archive.
        completed: the paths of the calls that make a version available.
    """

    url: str = ""
    archive: bytes = b""
    completed: list[str] = field(default_factory=list)


@contextmanager
def pulumi_cloud() -> Iterator[PulumiCloud]:
    """Serve the API on a free port of this machine."""
    cloud = PulumiCloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            organizations = [{"githubLogin": "pull", "name": "pull"}]
            self._answer({"githubLogin": "pull", "name": "pull", "organizations": organizations})

        def do_POST(self) -> None:
            self._body()
            if self.path != PACKS:
                cloud.completed.append(self.path)
            self._answer({"version": 1, "uploadURI": f"{cloud.url}/archive"})

        def do_PUT(self) -> None:
            cloud.archive = self._body()
            self._answer({})

        def log_message(self, *args: Any) -> None:
            pass

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"] or 0))

        def _answer(self, document: dict[str, Any]) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        cloud.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield cloud
        server.shutdown()
