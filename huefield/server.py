"""The web app under gunicorn, started from Python: `huefield serve`.

Workers are forked before any model is loaded: neither CUDA nor a thread pool survives a fork.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

# Open photos are kept by worker and BLAS uses several processors for one photo, so a worker more
# pays only where there are many.
PROCESSORS_PER_WORKER = 4
MOST_WORKERS = 4
# Seconds that a thread may keep the interpreter while others wait. A vote gives it up at each of a
# dozen calls of the database and would wait Python's 5 ms each time to have it back.
SWITCH_INTERVAL = 0.002


def num_workers() -> int:
    """Number of worker processes that suits this machine."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(MOST_WORKERS, processors // PROCESSORS_PER_WORKER))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn with the web app.

    Args:
        make_app: called in each worker, after the fork; gives the WSGI app.
        settings: gunicorn's own settings by name.
    """

    def __init__(self, make_app: Callable[[], Any], settings: dict[str, Any]) -> None:
        self._make_app = make_app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hands the settings to gunicorn; neither its files nor its command line are read."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI app, its default model loaded."""
        return self._make_app()


def make_app() -> Any:
    """The web app with its default model loaded, in a worker.

    Raises:
        MissingGpuError: a GPU is required and the networks do not run on one.
    """
    from huefield.networks import MissingGpuError
    from webapp import create_app

    app = create_app(None)
    bench = app.extensions["huefield_bench"]
    bench.warm()
    health = bench.health()
    if app.config["REQUIRE_GPU"] and not health.gpu:
        raise MissingGpuError(health.problem or "a GPU is required, and the networks run on none")
    return app


def serve(host: str, port: int, workers: int | None, threads: int) -> None:
    """Serves until interrupted.

    Args:
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        workers: processes; None for what suits the machine.
        threads: requests that a worker answers at once.
    """

    def announce(arbiter: Any) -> None:
        address = arbiter.LISTENERS[0].sock.getsockname()
        sys.stderr.write(f"Huefield is on http://{address[0]}:{address[1]}/ (Ctrl-C stops it)\n")

    settings = {
        "bind": f"{host}:{port}",
        "workers": workers or num_workers(),
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 120,
        "graceful_timeout": 20,
        "keepalive": 5,
        "preload_app": False,
        "loglevel": "warning",
        "proc_name": "huefield",
        "when_ready": announce,
    }
    Server(make_app, settings).run()
