"""Serves studies as `huefield serve` does, without models: ``python -m … INSTANCE URL PORT``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from huefield.server import Server, num_workers
from webapp import create_app


def main(instance: str, url: str, port: str) -> None:
    def make_app() -> Any:
        return create_app(
            {
                "INSTANCE": Path(instance),
                "MODELS": Path(instance) / "no-models",
                "DATABASE_URL": url,
                "STUDY_JOINS": 1_000_000,
            }
        )

    settings = {
        "bind": f"127.0.0.1:{port}",
        "workers": num_workers(),
        "worker_class": "gthread",
        "threads": 8,
        "keepalive": 5,
        "loglevel": "warning",
    }
    Server(make_app, settings).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
