import assert from "node:assert/strict";
import { test } from "node:test";
import {
  comeBack,
  DOUBLE_TAP_MS,
  lose,
  NEW_CLOCK,
  paint,
  pause,
  responseTime,
} from "../../static/js/core/study-clock.js";
import { actionOf } from "../../static/js/core/study-keys.js";
import { fitOne, fitPair, MOST_SCALE } from "../../static/js/core/study-layout.js";
import { readVote, retryWait, verdict } from "../../static/js/core/study-outbox.js";

const press = { key: "f", repeat: false, ctrlKey: false, metaKey: false, altKey: false };

test("a wide photo is stacked on a phone and stands side by side on a desk", () => {
  const photo = { width: 640, height: 480 };
  const phone = fitPair({ width: 374, height: 640 }, photo, 8);
  assert.deepEqual(phone, { stacked: true, width: 374, height: 280 });
  const desk = fitPair({ width: 1424, height: 760 }, photo, 8);
  assert.deepEqual(desk, { stacked: false, width: 708, height: 531 });
});

test("both pictures always fit, and are never blown up too far", () => {
  for (const [width, height] of [
    [320, 500],
    [390, 700],
    [844, 300],
    [1900, 900],
  ]) {
    for (const picture of [
      { width: 64, height: 64 },
      { width: 300, height: 900 },
      { width: 1024, height: 200 },
    ]) {
      const fit = fitPair({ width, height }, picture, 8);
      const across = fit.stacked ? fit.width : 2 * fit.width + 8;
      const down = fit.stacked ? 2 * fit.height + 8 : fit.height;
      assert.ok(across <= width && down <= height);
      assert.ok(fit.width <= MOST_SCALE * picture.width);
      const one = fitOne({ width, height }, picture);
      assert.ok(one.width >= fit.width && one.height >= fit.height);
    }
  }
});

test("the clock starts at painting and takes no double tap", () => {
  assert.equal(responseTime(NEW_CLOCK, 5000), null);
  const clock = paint(NEW_CLOCK, 1000);
  assert.equal(responseTime(clock, 1000 + DOUBLE_TAP_MS - 1), null);
  assert.equal(responseTime(clock, 1900), 900);
  assert.equal(clock.shows, 1);
});

test("a lost focus is counted once, with the time away", () => {
  let clock = paint(NEW_CLOCK, 0);
  clock = lose(lose(clock, 100), 200);
  clock = comeBack(clock, 700);
  assert.deepEqual([clock.losses, clock.hidden], [1, 600]);
  assert.equal(comeBack(clock, 900), clock);
  assert.equal(responseTime(clock, 1000), 1000);
});

test("a pause takes the pictures down and starts the clock anew", () => {
  let clock = pause(paint(NEW_CLOCK, 0), 300);
  assert.equal(responseTime(clock, 900), null);
  clock = paint(comeBack(clock, 5300), 5400);
  assert.deepEqual([clock.pauses, clock.hidden, clock.shows], [1, 5000, 2]);
  assert.equal(responseTime(clock, 6000), 600);
});

test("keys stand for answers, but not when held or with a modifier", () => {
  assert.equal(actionOf(press), "left");
  assert.equal(actionOf({ ...press, key: "J" }), "right");
  assert.equal(actionOf({ ...press, key: "ArrowUp" }), "left");
  assert.equal(actionOf({ ...press, key: "ArrowRight" }), "right");
  assert.equal(actionOf({ ...press, key: "t" }), "cant-tell");
  assert.equal(actionOf({ ...press, key: " " }), "flip");
  assert.equal(actionOf({ ...press, key: "x" }), null);
  for (const part of ["repeat", "ctrlKey", "metaKey", "altKey"]) {
    assert.equal(actionOf({ ...press, [part]: true }), null);
  }
});

test("a kept vote is read back, anything else is not", () => {
  const vote = { trial: "abcdefgh", client_key: "12345678", choice: "left" };
  assert.deepEqual(readVote(JSON.stringify(vote)), vote);
  for (const text of [null, "", "{", "null", "3", "{}", '{"trial": 1}']) {
    assert.equal(readVote(text), null);
  }
});

test("waits grow, spread and end", () => {
  const waits = [1, 2, 3, 4].map((failures) => retryWait(failures, 0.5));
  assert.deepEqual(waits, [500, 1000, 2000, 4000]);
  assert.ok(retryWait(1, 0) < 500 && retryWait(1, 1) > 500);
  assert.equal(retryWait(40, 0.5), 15_000);
});

test("what an answer means for the vote on its way", () => {
  assert.equal(verdict(200), "stored");
  for (const status of [404, 409, 422]) assert.equal(verdict(status), "stale");
  for (const status of [401, 410]) assert.equal(verdict(status), "gone");
  for (const status of [0, 429, 500, 502, 503]) assert.equal(verdict(status), "retry");
});
