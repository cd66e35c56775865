import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answer,
  ask,
  due,
  fail,
  forget,
  isNews,
  isWaiting,
  NO_REQUESTS,
  send,
} from "../../static/js/core/requests.js";

test("one at a time, and the latest wish next", () => {
  let requests = ask(NO_REQUESTS);
  assert.equal(due(requests), 1);
  requests = send(requests, 1);
  requests = ask(ask(ask(requests)));
  assert.equal(due(requests), 0);
  requests = answer(requests, 1);
  assert.equal(due(requests), 4);
  assert.ok(isWaiting(requests));
  requests = answer(send(requests, 4), 4);
  assert.equal(due(requests), 0);
  assert.ok(!isWaiting(requests));
});

test("an answer that nobody waits for any more changes nothing", () => {
  const first = send(ask(NO_REQUESTS), 1);
  const other = send(ask(forget(first)), 2);
  assert.ok(!isNews(other, 1));
  assert.equal(answer(other, 1), other);
  assert.equal(fail(other, 1), other);
  assert.ok(isNews(other, 2));
});

test("a failure waits for a retry, unless a newer wish is there", () => {
  const failed = fail(send(ask(NO_REQUESTS), 1), 1);
  assert.ok(failed.failed);
  assert.equal(due(failed), 0);
  assert.equal(due(ask(failed)), 2);
  const newer = fail(ask(send(ask(NO_REQUESTS), 1)), 1);
  assert.ok(!newer.failed);
  assert.equal(due(newer), 2);
});
