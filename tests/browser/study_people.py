"""Scripted participants of known preference, in real pages, several at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask
from playwright.async_api import BrowserContext, Page, async_playwright
from playwright.async_api import TimeoutError as NotInTime
from sqlalchemy import select

from tests.browser.conftest import CHROMIUM, FLAGS
from webapp.database.tables import TRIAL

_T = TypeVar("_T")
AT_ONCE = 9
READY = (
    'body:not([data-section="trial"]):not([data-section="loading"]),'
    'body[data-section="trial"] #answers[data-ready="true"]'
)


@dataclass(frozen=True)
class Manner:
    """How a scripted person answers; `pause` is what they look at a pair, in milliseconds."""

    name: str
    pause: int = 700


def run_async(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """The result of a coroutine, run in a thread of its own: the test's thread has a loop."""
    found: list[_T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work()))
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return found[0]


class Eyes:
    """Says what is on a page, as the server knows it: scripts have no taste of their own."""

    def __init__(self, app: Flask) -> None:
        self._addresses = app.extensions["huefield_participation"]._addresses
        self._database = app.extensions["huefield_database"]

    def trial(self, source: str) -> Any:
        """The trial that a picture's address belongs to."""
        trial_id, _ = self._addresses.open(source.rsplit("/", 1)[1])
        with self._database.read() as connection:
            return connection.execute(select(TRIAL).where(TRIAL.c.id == trial_id)).one()


class Scripted:
    """A person who goes through the study in a browser context of their own."""

    def __init__(self, manner: Manner, seed: int, eyes: Eyes, favourite: str, taste: float) -> None:
        self.manner = manner
        self.count = 0
        self._rng = random.Random(seed)
        self._eyes = eyes
        self._favourite = favourite
        self._taste = taste
        self._before: dict[str, str] = {}

    async def begin(self, page: Page, address: str) -> None:
        """From the consent to the first trial."""
        await page.goto(address)
        await page.locator("#agree").click()
        await page.locator("input[name=steps][value='8']").check()
        await page.locator("input[name=vision][value=typical]").check()
        await page.locator("#screen-form button").click()
        await page.locator("#begin").click()

    async def finish(self, page: Page) -> None:
        """Answers everything, up to the completion code."""
        while True:
            await page.wait_for_selector(READY, state="attached")
            section = await page.evaluate("document.body.dataset.section")
            if section == "feedback":
                await page.locator("#feedback-next").click()
            elif section == "trial":
                source = await page.locator("#left img").get_attribute("src")
                assert source is not None
                await page.wait_for_timeout(self.manner.pause)
                await self._answer(page, source, "f" if self._choose(source) == "left" else "j")
                self.count += 1
            else:
                assert section == "finished", section
                return

    async def _answer(self, page: Page, source: str, key: str) -> None:
        """Presses a key until the pair gives way: too early, before the pair shows, it is deaf."""
        for _ in range(30):
            await page.keyboard.press(key)
            with contextlib.suppress(NotInTime):
                shown = f'#left img[src="{source}"]'
                await page.wait_for_selector(shown, state="detached", timeout=2000)
                return
        raise AssertionError(f"no answer was taken for {source}")

    def _choose(self, source: str) -> str:
        if self.manner.name in ("left", "right"):
            return self.manner.name
        if self.manner.name in ("random", "fast"):
            return self._rng.choice(["left", "right"])
        trial = self._eyes.trial(source)
        if trial.answer:
            return str(trial.answer)
        others = [name for name in (trial.left, trial.right) if name != self._favourite]
        likes = self._favourite if self._rng.random() < self._taste else others[0]
        chosen = self._before.setdefault(trial.photo, likes)
        return "left" if trial.left == chosen else "right"


async def crowd(
    address: str,
    people: list[Scripted],
    watch: Callable[[BrowserContext], Awaitable[None]] | None = None,
) -> None:
    """Lets people join one after the other and answer side by side.

    Args:
        address: of the study.
        people: who.
        watch: called with the context of the first person before it opens a page.
    """
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for first in range(0, len(people), AT_ONCE):
            group = people[first : first + AT_ONCE]
            pages = []
            for person in group:
                context = await chromium.new_context(viewport={"width": 900, "height": 640})
                context.set_default_timeout(60_000)
                if watch is not None and person is people[0]:
                    await watch(context)
                page = await context.new_page()
                await person.begin(page, address)
                pages.append(page)
            await asyncio.gather(
                *(person.finish(page) for person, page in zip(group, pages, strict=True))
            )
            for page in pages:
                await page.context.close()
        await chromium.close()
