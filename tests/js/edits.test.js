import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addStroke,
  EditFileError,
  fromEditFile,
  isEmpty,
  NO_EDITS,
  toEditFile,
} from "../../static/js/core/edits.js";

/** @type {import("../../static/js/core/edits.js").Stroke} */
const stroke = {
  points: [
    [10.5, 20],
    [14, 22.5],
  ],
  radius: 6,
  color: "#c03028",
  strength: 1,
};

test("a stroke is added without touching the edits before", () => {
  const edits = addStroke(NO_EDITS, stroke);
  assert.equal(NO_EDITS.strokes.length, 0);
  assert.deepEqual(edits.strokes, [stroke]);
  assert.ok(isEmpty(NO_EDITS));
  assert.ok(!isEmpty(edits));
});

test("an edit file reads back as what was saved", () => {
  const edits = {
    strokes: [stroke, { points: [[1, 2]], radius: 3, ab: [12.5, -40], strength: 0.5 }],
    ties: [{ a: { points: [[1, 1]], radius: 5 }, b: { points: [[9, 9]], radius: 5 } }],
  };
  const text = JSON.stringify(toEditFile(edits, 1024, 768));
  assert.deepEqual(JSON.parse(text).size, [1024, 768]);
  assert.equal(JSON.parse(text).version, 1);
  assert.deepEqual(fromEditFile(text, 1024, 768), edits);
});

test("an edit file without strokes or ties has none", () => {
  assert.deepEqual(fromEditFile('{"version": 1, "size": [2, 3]}', 2, 3), NO_EDITS);
});

/** @type {[string, object | string, RegExp][]} */
const faults = [
  ["no JSON", "}", /not an edit file/],
  ["another version", { version: 2, size: [9, 9] }, /version 1/],
  ["another size", { size: [8, 9] }, /8 × 9, this one has 9 × 9/],
  ["no size", { size: undefined }, /another size/],
  ["strokes no list", { version: 1, size: [9, 9], strokes: 5 }, /strokes: expected a list/],
  ["radius zero", { strokes: [{ ...stroke, radius: 0 }] }, /strokes\[0\]\.radius/],
  [
    "no color",
    { strokes: [stroke, { ...stroke, color: "red" }] },
    /strokes\[1\]: expected a color/,
  ],
  [
    "half a point",
    { strokes: [{ ...stroke, points: [[1, 2], [3]] }] },
    /strokes\[0\]\.points\[1\]/,
  ],
  ["no points", { strokes: [{ ...stroke, points: [] }] }, /at least one point/],
  ["strength", { strokes: [{ ...stroke, strength: 1.5 }] }, /strokes\[0\]\.strength/],
  ["tie", { ties: [{ a: { points: [[1, 1]], radius: 5 } }] }, /ties\[0\]\.b/],
];

for (const [name, file, message] of faults) {
  test(`a faulty edit file is refused with its place named: ${name}`, () => {
    const text =
      typeof file === "string" ? file : JSON.stringify({ version: 1, size: [9, 9], ...file });
    assert.throws(
      () => fromEditFile(text, 9, 9),
      (error) => error instanceof EditFileError && message.test(error.message),
    );
  });
}
