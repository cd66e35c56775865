"""Serves studies from a child process that is started anew whenever it is killed.

Run as ``python -m tests.study_server INSTANCE DATABASE_URL``; writes the port, then the number of
each child, a line each.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from werkzeug.serving import make_server

from webapp import create_app


def main(instance: str, url: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    while True:
        child = os.fork()
        if child == 0:
            serve(listener, instance, url)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(1)


def serve(listener: socket.socket, instance: str, url: str) -> None:
    app = create_app(
        {
            "INSTANCE": Path(instance),
            "MODELS": Path(instance) / "no-models",
            "DATABASE_URL": url,
            "STUDY_JOINS": 1_000_000,
        }
    )
    make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno()).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
