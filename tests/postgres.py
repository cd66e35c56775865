"""A private PostgreSQL for the test run: Debian's server on a temporary folder, socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, or None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


@contextmanager
def private_cluster(bin_folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A running cluster; gives an address with `{name}` where a database name goes.

    Args:
        bin_folder: where the programs are.
        durable: whether a commit waits for the disk, as a real server does.
    """
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="huefield-pg-"))
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    run_as = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid}
    options = ["-A", "trust", "-U", "huefield", "-E", "UTF8", "--no-locale", "-N"]
    try:
        subprocess.run(
            [bin_folder / "initdb", "-D", folder / "data", *options],
            check=True,
            capture_output=True,
            cwd=folder,
            **run_as,
        )
        server = subprocess.Popen(
            [
                *(bin_folder / "postgres", "-D", folder / "data", "-k", folder),
                *(
                    "-c",
                    "listen_addresses=",
                    "-c",
                    f"fsync={'on' if durable else 'off'}",
                    "-c",
                    "max_connections=60",
                ),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **run_as,
        )
        try:
            _wait(folder, server)
            yield f"postgresql://huefield@/{{name}}?host={folder}"
        finally:
            # Asks for a quick stop: the usual one waits for every client to leave.
            server.send_signal(signal.SIGINT)
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(address: str, name: str) -> str:
    """A fresh database in the cluster at `address`; its own address."""
    with psycopg.connect(address.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return address.format(name=name)


def _account() -> pwd.struct_passwd | None:
    """The account to run the server under: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://huefield@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not come up within 30 seconds")
