"""Many participants at once over loopback, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


@dataclass
class Load:
    """What a load met: seconds of each vote and picture, and faults."""

    votes: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Client:
    """One participant's connection: HTTP/1.1, kept open."""

    def __init__(self, port: int, load: Load) -> None:
        self._port = port
        self._load = load
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.token = ""

    async def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(ConnectionError):  # the server closed it first
                await writer.wait_closed()

    async def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of an answer; anything but success is noted as a fault."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(content)}\r\n"
        if body is not None:
            head += "Content-Type: application/json\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        for attempt in (1, 2):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            try:
                writer.write(head.encode() + b"\r\n" + content)
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server may close an idle connection at any time: once more on a fresh one.
                await self.close()
                if attempt == 2:
                    raise
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        found = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            await self.close()
        if not lines[0].split()[1].startswith("2"):
            self._load.faults.append(f"{path}: {lines[0]} {found[:200]!r}")
        return found


async def participant(
    client: Client, load: Load, consent_hash: str, seed: int, think: tuple[float, float]
) -> None:
    """Joins, and answers to the end: pictures, a while of looking, a vote."""
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, think[1]))
    device = {"width": 390, "height": 844, "pixel_ratio": 2, "pointer": "fine"}
    body = {"consent": True, "consent_hash": consent_hash, "entry": {}} | device
    client.token = json.loads(await client.ask("POST", "/study/pilot/join", body))["token"]
    screen = {"color_vision": "typical", "screen_steps": 8}
    state = json.loads(await client.ask("POST", "/study/pilot/screen", screen))
    while state["phase"] == "trial":
        for address in state["trial"]["pictures"]:
            start = time.perf_counter()
            await client.ask("GET", f"/study-pictures/{address}")
            load.pictures.append(time.perf_counter() - start)
        await asyncio.sleep(rng.uniform(*think))
        vote = {
            "trial": state["trial"]["key"],
            "choice": rng.choice(["left", "right"]),
            "client_key": uuid4().hex,
            "response_ms": 2000,
            "width": 390,
            "height": 844,
            "pixel_ratio": 2,
            "focus_losses": 0,
            "hidden_ms": 0,
            "pauses": 0,
            "shows": 1,
            "input": "touch",
        }
        start = time.perf_counter()
        answer = json.loads(await client.ask("POST", "/study/pilot/votes", vote))
        load.votes.append(time.perf_counter() - start)
        state = answer["state"]
    await client.close()


def run_load(port: int, consent_hash: str, people: int, think: tuple[float, float]) -> Load:
    """What so many people at once met; `think` is how long they look, seconds from and to."""
    load = Load()

    async def all_people() -> None:
        await asyncio.gather(
            *(
                participant(Client(port, load), load, consent_hash, seed, think)
                for seed in range(people)
            )
        )

    asyncio.run(all_people())
    return load
