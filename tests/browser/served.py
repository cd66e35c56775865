"""The server that people start, `huefield serve`, in a process of its own for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


class Served:
    """`huefield serve` in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, models: Path) -> None:
        self._folder = folder
        self._models = models
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, instance: str = "instance") -> None:
        settings = {
            "HUEFIELD_INSTANCE": str(self._folder / instance),
            "HUEFIELD_MODELS": str(self._models),
            "HUEFIELD_PROVIDER": "cpu",
            "HUEFIELD_SOLVER": "cpu",
        }
        command = "from huefield.cli import main; main()"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", command, "serve", "--port", str(self._port)],
                env={**os.environ, **settings},
                cwd=Path(__file__).resolve().parents[2],
                stderr=log,
                start_new_session=True,
            )
        self._wait(up=True)

    def kill(self) -> None:
        """SIGKILL to all its processes; the port is free afterwards."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._wait(up=False)
            self._process = None

    def _wait(self, *, up: bool) -> None:
        last = time.monotonic() + 120
        while time.monotonic() < last:
            try:
                with urllib.request.urlopen(f"{self.address}healthz", timeout=60) as answer:
                    found = answer.status == 200
            except (urllib.error.URLError, ConnectionError):
                found = False
            if found == up:
                return
            time.sleep(0.1)
        log = (self._folder / "log").read_text()
        raise AssertionError(f"the server is not {'up' if up else 'gone'}: {log}")
