import assert from "node:assert/strict";
import { test } from "node:test";
import { extendLine, smoothLine } from "../../static/js/core/line.js";

/** @typedef {import("../../static/js/core/types.js").Point} Point */

test("points nearer than the spacing are left out", () => {
  /** @type {readonly Point[]} */
  let line = [];
  for (let x = 0; x <= 10; x += 0.5) line = extendLine(line, [x, 0], 2);
  assert.deepEqual(
    line.map(([x]) => x),
    [0, 2, 4, 6, 8, 10],
  );
  assert.equal(extendLine(line, [10.5, 0], 2), line);
});

test("a smooth line keeps its ends and stays on a straight one", () => {
  const line = smoothLine(
    [
      [0, 0],
      [10, 5],
      [20, 10],
      [30, 15],
    ],
    0.25,
  );
  assert.deepEqual(line[0], [0, 0]);
  assert.deepEqual(line.at(-1), [30, 15]);
  for (const [x, y] of line) assert.ok(Math.abs(y - x / 2) < 0.1);
});

test("a circle drawn with few points stays a circle, without corners", () => {
  const rough = /** @type {Point[]} */ (
    Array.from({ length: 25 }, (_, k) => {
      const angle = (k / 24) * 2 * Math.PI;
      return [100 + 50 * Math.cos(angle), 100 + 50 * Math.sin(angle)];
    })
  );
  const smooth = smoothLine(rough, 0.25);
  for (const [x, y] of smooth) assert.ok(Math.abs(Math.hypot(x - 100, y - 100) - 50) < 1);
  const turn = (/** @type {Point[]} */ line) =>
    Math.max(
      ...line.slice(2).map((point, k) => {
        const first = Math.atan2(line[k + 1][1] - line[k][1], line[k + 1][0] - line[k][0]);
        const second = Math.atan2(point[1] - line[k + 1][1], point[0] - line[k + 1][0]);
        return Math.abs(Math.atan2(Math.sin(second - first), Math.cos(second - first)));
      }),
    );
  assert.ok(turn(smooth) < 0.8 * turn(rough));
});

test("a finer tolerance gives more points, a tap stays one", () => {
  /** @type {Point[]} */
  const bend = [
    [0, 0],
    [50, 0],
    [50, 50],
  ];
  assert.ok(smoothLine(bend, 0.05).length > smoothLine(bend, 1).length);
  assert.deepEqual(smoothLine([[3.1234, 2]], 0.25), [[3.1, 2]]);
  assert.deepEqual(
    smoothLine(
      [
        [3, 2],
        [3.01, 2],
      ],
      0.25,
    ),
    [[3, 2]],
  );
});
