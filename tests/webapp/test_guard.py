from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

Send = Callable[..., Any]
MakeApp = Callable[..., Flask]

POST = {"json": {"example": "mechanic"}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "http://localhost"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://public.example"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
    ],
)
def test_only_our_own_page_and_scripts_may_change_things(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/api/v1/photos", headers=headers, **POST).status_code == status


def test_another_site_can_not_delete(client: FlaskClient, send: Send) -> None:
    photo = send()
    assert client.delete(photo["url"], headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get(photo["url"]).status_code == 200


def test_the_cookie_is_for_this_site_and_no_script(client: FlaskClient) -> None:
    answer = client.post("/api/v1/photos", **POST)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert "Set-Cookie" not in client.get("/").headers


def test_the_cookie_can_be_kept_to_https(make_app: MakeApp) -> None:
    client = make_app(SESSION_COOKIE_SECURE=True).test_client()
    answer = client.post("/api/v1/photos", base_url="https://localhost", **POST)
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/", "/api/v1/models", "/static/js/studio.js", "/nowhere"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]


def test_the_page_keeps_its_own_policy(client: FlaskClient) -> None:
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\s(style|on[a-z]+)=", page)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def addresses(page: str) -> list[str]:
    return re.findall(r'(?:href|src|data-photos|data-examples|data-models)="([^"#]+)"', page)


def test_under_a_path_prefix_every_address_has_it(make_app: MakeApp, small_photo: bytes) -> None:
    client = make_app(APPLICATION_ROOT="/colour").test_client()
    page = client.get("/colour/")
    assert page.status_code == 200
    found = addresses(page.text)
    assert len(found) >= 6
    assert all(address.startswith("/colour/") for address in found)
    for address in found:
        assert client.get(address, buffered=True).status_code in (200, 405)
    answer = client.post(
        "/colour/api/v1/photos", data={"photo": (io.BytesIO(small_photo), "mill.jpg")}
    )
    photo = answer.get_json()
    assert photo["grey"].startswith("/colour/api/v1/")
    assert client.get(photo["grey"]).status_code == 200
    document = client.get("/colour/api/v1/openapi.json").get_json()
    assert document["servers"] == [{"url": "/colour"}]


def test_a_prefix_that_the_proxy_strips_is_put_back(make_app: MakeApp) -> None:
    page = make_app(APPLICATION_ROOT="/colour").test_client().get("/")
    assert all(address.startswith("/colour/") for address in addresses(page.text))


def test_a_proxy_is_believed_only_when_told_so(make_app: MakeApp) -> None:
    headers = {"X-Forwarded-Prefix": "/app", "X-Forwarded-Host": "photos.example"}
    plain = make_app().test_client().get("/", headers=headers)
    assert not any(address.startswith("/app") for address in addresses(plain.text))
    client = make_app(TRUSTED_PROXIES=1).test_client()
    behind = client.get("/", headers=headers)
    assert all(address.startswith("/app/") for address in addresses(behind.text))
    origin = {"Origin": "http://photos.example", **headers}
    assert client.post("/api/v1/photos", headers=origin, **POST).status_code == 201


def test_health_tells_what_runs(app: Flask, client: FlaskClient) -> None:
    before = client.get("/healthz").get_json()
    assert before["status"] == "ok"
    assert before["models"] == ["tiny"]
    assert before["provider"] is None
    app.extensions["huefield_bench"].warm()
    after = client.get("/healthz").get_json()
    assert after["provider"] == "CPUExecutionProvider"
    assert after["solver"] == "cpu-dense"
    assert after["gpu"] is False


def test_the_lifetime_on_the_page_is_the_one_in_force(make_app: MakeApp) -> None:
    assert "deleted an hour after" in make_app().test_client().get("/").text
    short = make_app(PHOTO_LIFETIME=600).test_client().get("/").text
    assert "deleted 10 minutes after" in short
