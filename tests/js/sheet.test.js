import assert from "node:assert/strict";
import { test } from "node:test";
import {
  firstSheet,
  moreDifferent,
  moreLike,
  pickKey,
  readTiles,
  resize,
  toggleStar,
} from "../../static/js/core/sheet.js";

const six = firstSheet(6);
const names = (/** @type {readonly import("../../static/js/core/types.js").Tile[]} */ sheet) =>
  sheet.map(({ pick }) => pickKey(pick));

test("a sheet begins with the first samples of seed 0", () => {
  assert.deepEqual(names(six), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
});

test("different ones keep favourites and the size", () => {
  const next = moreDifferent(toggleStar(six, 3), 7);
  assert.deepEqual(names(next), [
    "0.3",
    "wide/7.0",
    "wide/7.1",
    "wide/7.2",
    "wide/7.3",
    "wide/7.4",
  ]);
  assert.ok(next[0].star && !next[1].star);
  assert.equal(names(moreLike(next, 2, 9))[2], "wide/7.1/9.1");
  assert.deepEqual(names(resize(next, 8)).slice(6), ["wide/7.5", "wide/7.6"]);
});

test("ones like another lie near it, and keep it", () => {
  const next = moreLike(six, 2, 4);
  assert.deepEqual(names(next), ["0.2", "0.2/4.1", "0.2/4.2", "0.2/4.3", "0.2/4.4", "0.2/4.5"]);
  assert.equal(names(moreLike(next, 3, 5))[1], "0.2/4.3/5.1");
  const full = six.map((tile) => ({ ...tile, star: true }));
  assert.equal(moreLike(full, 0, 4).length, 9);
});

test("a way of steps has an end that the server takes", () => {
  let sheet = six;
  for (let seed = 1; seed < 12; seed++) sheet = moreLike(sheet, 1, seed);
  assert.ok(sheet.every(({ pick }) => pick.near.length <= 8));
  assert.equal(new Set(names(sheet)).size, sheet.length);
});

test("a sheet grows by its own set and shrinks from the end, favourites last", () => {
  assert.deepEqual(names(resize(six, 8)).slice(6), ["0.6", "0.7"]);
  assert.equal(resize(six, 40).length, 12);
  assert.deepEqual(names(resize(toggleStar(six, 5), 4)), ["0.0", "0.1", "0.2", "0.5"]);
  assert.equal(resize(six, 1).length, 4);
  assert.equal(new Set(names(resize(moreLike(six, 1, 3), 12))).size, 12);
});

test("a saved sheet is read with care", () => {
  assert.deepEqual(readTiles(JSON.parse(JSON.stringify(six))), six);
  const wide = moreDifferent(six, 2);
  assert.deepEqual(readTiles(JSON.parse(JSON.stringify(wide))), wide);
  const older = [{ pick: { seed: 3, index: 1, near: [] }, star: true }];
  assert.deepEqual(names(readTiles(older) ?? []), ["3.1"]);
  for (const wrong of [
    null,
    [],
    {},
    [{ pick: { seed: -1, index: 0, near: [] } }],
    [{ pick: {} }],
  ]) {
    assert.equal(readTiles(wrong), null);
  }
});
