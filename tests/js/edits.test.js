import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EditFileError,
  readEditFile,
  toEditFile,
  writeEditFile,
} from "../../static/js/core/edit-file.js";
import { addEdit, NO_EDITS, reorderEdit } from "../../static/js/core/edits.js";
import { distance, erase } from "../../static/js/core/erase.js";

/** @type {readonly [number, number]} */
const SIZE = [1024, 768];
const stroke = /** @type {const} */ ({
  points: [
    [10.5, 20],
    [14, 22.5],
  ],
  radius: 6,
  kind: "color",
  hidden: false,
  color: "#c03028",
  strength: 1,
});
const { color: _, ...uncolored } = stroke;
const keep = /** @type {const} */ ({ ...uncolored, kind: "keep" });
const neutral = /** @type {const} */ ({ ...uncolored, ab: [0, 0], strength: 0.4 });
const other = /** @type {const} */ ({ points: [[9, 9]], radius: 5 });
const tie = /** @type {const} */ ({ ...uncolored, kind: "tie", other });
const all = [stroke, keep, { ...neutral, hidden: true }, tie].reduce(addEdit, NO_EDITS);

test("edits are numbered and added without touching those before", () => {
  assert.equal(NO_EDITS.length, 0);
  assert.deepEqual(
    all.map(({ id }) => id),
    [1, 2, 3, 4],
  );
  assert.equal(reorderEdit(all, 1, -1), all);
  assert.deepEqual(
    reorderEdit(all, 1, 9).map(({ id }) => id),
    [2, 3, 4, 1],
  );
});

test("the edit file holds what is visible, in the contract's own members", () => {
  const file = toEditFile(all, SIZE);
  assert.deepEqual(file.size, [1024, 768]);
  assert.deepEqual(file.strokes, [
    { points: stroke.points, radius: 6, color: "#c03028", strength: 1 },
    { points: stroke.points, radius: 6, keep: true, strength: 1 },
  ]);
  assert.deepEqual(file.ties, [{ a: { points: stroke.points, radius: 6 }, b: other }]);
});

test("a saved file gives the same edits and notes again, hidden ones too", () => {
  const notes = {
    model: "faces",
    sheet: [
      {
        pick: { seed: 3, index: 1, near: /** @type {[number, number][]} */ ([[0, 2]]), wide: true },
        star: true,
      },
    ],
    selected: 0,
    tone: { saturation: 1.2, warmth: -0.1, strength: 0.9 },
  };
  const read = readEditFile(writeEditFile(all, SIZE, notes), SIZE);
  assert.deepEqual(read.notes, notes);
  assert.deepEqual(read.edits, all);
});

test("a file made elsewhere needs no notes", () => {
  const { edits, notes } = readEditFile(JSON.stringify(toEditFile(all, SIZE)), SIZE);
  assert.equal(edits.length, 3);
  assert.deepEqual(notes, {});
});

const broken = /** @type {[string, object | string][]} */ ([
  ["not an edit file", "{"],
  ["version 1", {}],
  ["made for a photo of 5 × 5", { version: 1, size: [5, 5] }],
  ["strokes: expected a list", { version: 1, size: SIZE, strokes: 4 }],
  ["strokes[0].radius", { version: 1, size: SIZE, strokes: [{ points: [[1, 1]], radius: 0 }] }],
  [
    "strokes[0]: expected a color",
    { version: 1, size: SIZE, strokes: [{ points: [[1, 1]], radius: 2 }] },
  ],
  ["strokes[0].points[0]", { version: 1, size: SIZE, strokes: [{ points: [[1]], radius: 2 }] }],
  ["ties[0].b", { version: 1, size: SIZE, ties: [{ a: other }] }],
  ["studio.hidden[0]", { version: 1, size: SIZE, studio: { hidden: [{ at: 1 }] } }],
]);
for (const [words, file] of broken) {
  test(`a broken file is refused: ${words}`, () => {
    const text = typeof file === "string" ? file : JSON.stringify(file);
    assert.throws(
      () => readEditFile(text, SIZE),
      (error) => error instanceof EditFileError && error.message.includes(words),
    );
  });
}

test("the eraser leaves the pieces beside its way, as strokes of the same colour", () => {
  const long = addEdit(NO_EDITS, {
    ...stroke,
    points: [
      [0, 100],
      [400, 100],
    ],
    radius: 10,
  });
  const left = erase(
    long,
    [
      [200, 60],
      [200, 140],
    ],
    20,
  );
  assert.equal(left.length, 2);
  assert.ok(left.every(({ color, radius }) => color === "#c03028" && radius === 10));
  assert.deepEqual(left[0].points[0], [0, 100]);
  assert.deepEqual(left[1].points.at(-1), [400, 100]);
  for (const { points } of left) {
    for (const point of points)
      assert.ok(
        distance(point, [
          [200, 60],
          [200, 140],
        ]) >= 25,
      );
  }
  assert.notEqual(left[0].id, left[1].id);
});

test("the eraser takes a point or tie that it touches whole, and leaves what is hidden or far", () => {
  const point = { ...stroke, points: /** @type {[number, number][]} */ ([[50, 50]]) };
  const edits = [
    point,
    tie,
    { ...point, hidden: true },
    { ...point, points: /** @type {[number, number][]} */ ([[900, 700]]) },
  ].reduce(addEdit, NO_EDITS);
  assert.deepEqual(
    erase(edits, [[50, 52]], 5).map(({ id }) => id),
    [2, 3, 4],
  );
  assert.deepEqual(
    erase(edits, [[9, 12]], 5).map(({ id }) => id),
    [1, 3, 4],
  );
  assert.equal(erase(edits, [[500, 500]], 5), edits);
});
