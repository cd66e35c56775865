from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.async_api import BrowserContext as AsyncContext
from playwright.async_api import Response as AsyncResponse
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from huefield.study.analysis import analyse
from huefield.study.reading import definition_from_json
from tests.browser.study_people import READY, Eyes, Manner, Scripted, crowd, run_async
from tests.study_photos import sources, write_study_folders
from webapp import create_app
from webapp.database.tables import PARTICIPANT, VOTE
from webapp.study.exporting import export_study

FIRST, SECOND = "zebrafish", "quokkaish"  # names that no other text holds
Served = tuple[Flask, str]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study_folders(tmp_path_factory.mktemp("photos"), sources(24))


@pytest.fixture
def serve(folders: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serves an open study; keywords replace members of its table."""
    servers = []

    def start(**changes: Any) -> Served:
        app = create_app({"INSTANCE": tmp_path / "instance", "MODELS": tmp_path / "none"})
        dataset = {"truth": "truth", "methods": {FIRST: "strong", SECOND: "pale"}}
        table = {
            "name": "pilot",
            "title": "Which colours look real?",
            "contact": "lab@example.org",
            "bootstrap": 500,
            "datasets": {"Towns": dataset},
            "trials": {"count": 3, "practice": 1, "checks": 1, "repeats": 1},
        }
        store = app.extensions["huefield_studies"]
        definition = definition_from_json(table | changes)
        store.open(store.create(definition, folders, lambda source, photo: None))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread, app))
        return app, f"http://127.0.0.1:{server.server_port}/study/pilot"

    yield start
    for server, thread, app in servers:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["huefield_database"].close()


@pytest.fixture
def layout() -> str:
    """A phone, unless a test says otherwise."""
    return "phone"


def votes(app: Flask) -> list[Any]:
    with app.extensions["huefield_database"].read() as connection:
        return list(connection.execute(select(VOTE)))


def begin(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#agree").click()
    page.locator("input[name=steps][value='8']").check()
    page.locator("input[name=vision][value=typical]").check()
    page.locator("#screen-form button").click()
    page.locator("#begin").click()


def ready(page: Page) -> str:
    page.wait_for_selector(READY, state="attached")
    page.wait_for_timeout(200)
    return str(page.evaluate("document.body.dataset.section"))


def finish(page: Page, answer: Callable[[], None]) -> int:
    count = 0
    while (section := ready(page)) != "finished":
        if section == "feedback":
            page.locator("#feedback-next").click()
            continue
        assert section == "trial"
        answer()
        page.wait_for_selector('#answers[data-ready="false"]', state="attached")
        count += 1
    return count


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_a_crowd_of_known_preference(serve: Callable[..., Served]) -> None:
    """The report recovers the preference, the filters find the inattentive, nothing leaks."""
    trials = {"count": 12, "practice": 1, "checks": 8, "repeats": 1}
    app, address = serve(trials=trials, filters={"fastest_ms": 600})
    manners = [Manner("good")] * 12 + [Manner("random")] * 2
    manners += [Manner("left"), Manner("right"), Manner("fast", 160), Manner("fast", 160)]
    eyes = Eyes(app)
    people = [Scripted(manner, k, eyes, FIRST, 0.65) for k, manner in enumerate(manners)]
    received: list[tuple[str, dict[str, str], bytes]] = []

    async def watch(context: AsyncContext) -> None:
        async def keep(answer: AsyncResponse) -> None:
            received.append((answer.url, await answer.all_headers(), await answer.body()))

        context.on("response", keep)

    run_async(lambda: crowd(address, people, watch))
    assert [person.count for person in people] == [22] * len(people)
    store = app.extensions["huefield_studies"]
    export = export_study(store.database, store.find("pilot"))
    assert len(export.votes) == 22 * len(people)
    found = analyse(export)
    (row,) = found["filtered"]["table"]
    assert (row["first"], row["n"]) == (FIRST, 12 * 12)
    assert row["by_person"][0] <= 0.65 <= row["by_person"][1]
    with store.database.read() as connection:
        order = connection.execute(select(PARTICIPANT.c.state).order_by(PARTICIPANT.c.number))
        assert {state for (state,) in order} == {"finished"}
    assert found["people"]["excluded"] == 6
    assert {"fast answers", "attention checks", "one side"} == {
        reason for person in found["exclusions"] for reason in person["reasons"]
    }
    taken = sorted(vote.response_ms for vote in export.votes)
    assert 0 < taken[0] <= taken[-1] < 20_000
    _assert_nothing_leaks(received)


def _assert_nothing_leaks(received: list[tuple[str, dict[str, str], bytes]]) -> None:
    """Neither names, nor weights, nor addresses tell which method made a picture."""
    assert len(received) > 60
    pictures = [(url, headers, body) for url, headers, body in received if "-pictures/" in url]
    assert len(pictures) == len({url for url, _, _ in pictures}) == 44
    weights: dict[int, int] = {}
    shapes = set()
    for url, headers, body in received:
        text = url + repr(sorted(headers.items())) + body.decode("latin-1")
        for word in (FIRST, SECOND, "fake:", "photo-", "truth"):
            assert word not in text, (word, url)
    for _, headers, body in pictures:
        assert headers["content-type"] == "image/jpeg"
        assert headers["cache-control"] == "no-store"
        assert not {"etag", "last-modified", "content-disposition"} & set(headers)
        assert int(headers["content-length"]) == len(body)
        assert len(body) % 4096 == 0
        weights[len(body)] = weights.get(len(body), 0) + 1
        shapes.add(tuple(sorted(set(headers) - {"date"})))
    assert len(shapes) == 1
    assert all(count % 2 == 0 for count in weights.values()), "both of a pair weigh the same"
    states = [body for url, _, body in received if url.endswith(("/votes", "/screen"))]
    for state in states:
        assert not any(word in state for word in (b"check", b"repeat", b"kind", b"dataset"))


@pytest.mark.browser
@pytest.mark.parametrize("layout", ["phone", "desk"])
def test_a_person_finishes_by_touch_or_keys(
    serve: Callable[..., Served], context: BrowserContext, layout: str
) -> None:
    app, address = serve()
    page = context.new_page()
    begin(page, address)
    sizes = []

    def answer() -> None:
        boxes = [page.locator(f"{name} img").bounding_box() for name in ("#left", "#right")]
        assert boxes[0] is not None
        assert boxes[1] is not None
        sizes.append(boxes)
        if layout == "phone":
            page.locator("#right").tap()
        else:
            page.keyboard.press("ArrowRight")

    assert finish(page, answer) == 6
    for first, second in sizes:
        assert (first["width"], first["height"]) == (second["width"], second["height"])
        assert min(first["width"], first["height"]) >= 44
        assert first["x"] >= 0
        assert second["x"] + second["width"] <= page.viewport_size["width"]
        assert second["y"] + second["height"] <= page.viewport_size["height"]
    assert {vote.choice for vote in votes(app)} == {"right"}
    assert {vote.input for vote in votes(app)} == {"touch" if layout == "phone" else "keyboard"}
    assert all(150 <= vote.response_ms < 10_000 for vote in votes(app))
    expect(page.locator("#completion")).to_have_text(re.compile(r"^[A-Z2-7]{4}-[A-Z2-7]{4}$"))
    targets = page.locator("button:visible").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect().height)"
    )
    assert min(targets) >= 44


@pytest.mark.browser
def test_a_reload_and_a_lost_network_lose_nothing(
    serve: Callable[..., Served], context: BrowserContext
) -> None:
    app, address = serve()
    page = context.new_page()
    begin(page, address)
    assert ready(page) == "trial"
    page.keyboard.press("f")
    assert ready(page) == "feedback"
    page.locator("#feedback-next").click()
    assert ready(page) == "trial"
    context.set_offline(True)
    page.keyboard.press("j")
    expect(page.locator("#offline")).to_be_visible()
    assert len(votes(app)) == 1
    context.set_offline(False)
    ready(page)
    expect(page.locator("#offline")).to_be_hidden()
    assert len(votes(app)) == 2
    # The network goes and the page is closed before it is back: the vote is sent afterwards.
    page.route("**/votes", lambda route: route.abort())
    page.keyboard.press("j")
    expect(page.locator("#offline")).to_be_visible()
    page.close()
    page = context.new_page()
    page.goto(address)
    ready(page)
    assert len(votes(app)) == 3
    page.reload()
    page.locator("#begin").click()
    assert ready(page) == "trial"
    expect(page.locator("#progress-text")).to_have_text("4 of 6")
    finish(page, lambda: page.keyboard.press("f"))
    assert [vote.choice for vote in votes(app)] == ["left", "right", "right", *["left"] * 3]


@pytest.mark.browser
def test_two_tabs_vote_once(serve: Callable[..., Served], context: BrowserContext) -> None:
    app, address = serve()
    first = context.new_page()
    begin(first, address)
    assert ready(first) == "trial"
    second = context.new_page()
    second.goto(address)
    second.locator("#begin").click()
    assert ready(second) == "trial"
    first.keyboard.press("f")
    assert ready(first) == "feedback"
    second.keyboard.press("j")
    assert ready(second) == "trial"
    assert [vote.choice for vote in votes(app)] == ["left"]
    expect(second.locator("#progress-text")).to_have_text("2 of 6")


@pytest.mark.browser
def test_pause_and_lost_focus_are_recorded(
    serve: Callable[..., Served], context: BrowserContext
) -> None:
    app, address = serve()
    page = context.new_page()
    begin(page, address)
    assert ready(page) == "trial"
    page.locator("#pause").click()
    expect(page.locator("#trial img")).to_have_count(0)
    expect(page.locator("#paused [data-withdrawal]")).to_have_text(
        re.compile(r"^[A-Z2-7]{4}(-[A-Z2-7]{4}){2}$")
    )
    page.wait_for_timeout(400)
    page.locator("#resume").click()
    assert ready(page) == "trial"
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(150)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.keyboard.press("f")
    assert ready(page) == "feedback"
    (vote,) = votes(app)
    assert (vote.pauses, vote.shows) == (1, 2)
    assert vote.focus_losses == 1
    assert 500 <= vote.hidden_ms < 5000
    assert vote.response_ms < 2000, "the clock starts anew after a pause"


@pytest.mark.browser
@pytest.mark.parametrize(("protocol", "trials"), [("flip", 6), ("real-or-fake", 6), ("ranking", 6)])
def test_other_protocols(
    serve: Callable[..., Served], context: BrowserContext, protocol: str, trials: int
) -> None:
    app, address = serve(
        protocol=protocol,
        trials={
            "count": 3,
            "practice": 1,
            "checks": 1,
            "repeats": 1,
            "exposure_ms": 300,
            "blank_ms": 100,
            "cant_tell": True,
        },
    )
    page = context.new_page()
    begin(page, address)
    shown: list[float] = []

    def answer() -> None:
        if protocol == "flip":
            front = page.locator("#frame").get_attribute("data-front")
            page.locator("#switch").tap()
            expect(page.locator("#frame")).not_to_have_attribute("data-front", front or "")
        if protocol == "real-or-fake":
            expect(page.locator("#trial img")).to_have_count(0)
        shown.append(page.evaluate("performance.now()"))
        page.locator('#trial [data-choice="cant-tell"]').tap()

    assert finish(page, answer) == trials
    assert {vote.choice for vote in votes(app)} == {"cant-tell"}
    assert {vote.input for vote in votes(app)} == {"touch"}
    if protocol == "real-or-fake":
        # Two exposures and three blanks lie between two answers.
        gaps = [b - a for a, b in pairwise(shown[1:])]
        assert min(gaps) >= 2 * 300 + 3 * 100
