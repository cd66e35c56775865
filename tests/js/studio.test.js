import assert from "node:assert/strict";
import { test } from "node:test";
import { due } from "../../static/js/core/requests.js";
import { START } from "../../static/js/core/state.js";
import {
  canRedo,
  canUndo,
  largestBrush,
  pendingStrokes,
  reduce,
} from "../../static/js/core/studio.js";

/**
 * @typedef {import("../../static/js/core/state.js").State} State
 * @typedef {import("../../static/js/core/state.js").Action} Action
 */

const photo = {
  id: "p",
  name: "mill",
  size: /** @type {const} */ ([1024, 768]),
  has_color: false,
  url: "/p",
  grey: "/p/grey",
  colorizations: "/p/c",
  palette: "/p/palette",
};

/**
 * @param {State} state
 * @param {...Action} actions
 */
function run(state, ...actions) {
  return actions.reduce(reduce, state);
}

/** @type {(from: number, to: number) => Action[]} */
const line = (from, to) => [
  { type: "line-started", point: [from, from] },
  {
    type: "line-extended",
    points: [
      [(from + to) / 2, from],
      [to, to],
    ],
  },
  { type: "line-ended" },
];

const colorization = (/** @type {State} */ state, id = "c") => ({
  id,
  edits: state.history.present,
  samples: [0, 1, 2, 3, 4, 5].map((index) => ({
    index,
    seed: 0,
    component: 0,
    log_prob: null,
    fit: null,
    preview: `/p/c/${id}/${index}`,
    download: "",
  })),
});

const open = run(
  START,
  { type: "stage-sized", stage: { width: 900, height: 700 } },
  { type: "opened", photo },
);

/** The state after the wish that is due was answered. */
const answered = (/** @type {State} */ state) => {
  const number = due(state.requests);
  return run(
    state,
    { type: "request-sent", number },
    { type: "request-answered", number, colorization: colorization(state) },
  );
};

test("opening a photo asks for samples and fits it into the stage", () => {
  assert.equal(due(open.requests), 1);
  assert.ok(open.view.fitted);
  assert.ok(open.view.scale < 1);
  assert.equal(open.notice, null);
});

test("a stroke becomes an edit in pixels of the photo and asks again; undo takes it back", () => {
  const before = answered(open);
  const painted = run(before, { type: "color-chosen", color: "#b3352d" }, ...line(100, 300));
  const [stroke] = painted.history.present.strokes;
  assert.equal(stroke.color, "#b3352d");
  assert.equal(stroke.radius, painted.brush / 2);
  assert.deepEqual(stroke.points[0], [100, 100]);
  assert.deepEqual(stroke.points.at(-1), [300, 300]);
  assert.ok(due(painted.requests) > due(before.requests));
  assert.deepEqual(pendingStrokes(painted, before.colorization?.edits ?? null), [stroke]);
  assert.deepEqual(pendingStrokes(answered(painted), painted.history.present), []);

  const undone = run(painted, { type: "undo" });
  assert.equal(undone.history.present, before.history.present);
  assert.ok(due(undone.requests) > due(painted.requests));
  assert.ok(!canUndo(undone) && canRedo(undone));
  assert.equal(run(undone, { type: "redo" }).history.present, painted.history.present);
  assert.equal(run(before, { type: "undo" }), before);
});

test("deleting all strokes is one step that undo takes back", () => {
  const painted = run(open, ...line(10, 60), ...line(80, 200));
  const cleared = run(painted, { type: "edits-cleared" });
  assert.equal(cleared.history.present.strokes.length, 0);
  assert.equal(run(cleared, { type: "undo" }).history.present.strokes.length, 2);
  assert.equal(run(open, { type: "edits-cleared" }), open);
});

test("a stroke outside the photo or dropped half-way is no edit", () => {
  const outside = run(
    open,
    { type: "line-started", point: [-500, -500] },
    { type: "line-extended", points: [[-400, -450]] },
    { type: "line-ended" },
  );
  assert.equal(outside.history, open.history);
  assert.equal(outside.line, null);
  const dropped = run(
    open,
    { type: "line-started", point: [5, 5] },
    { type: "line-dropped" },
    { type: "line-ended" },
  );
  assert.equal(dropped.history, open.history);
});

test("a line that leaves the photo comes back where it left, and stays near", () => {
  const painted = run(
    open,
    { type: "line-started", point: [500, 700] },
    {
      type: "line-extended",
      points: [
        [520, 5000],
        [700, 5000],
        [720, 700],
      ],
    },
    { type: "line-ended" },
  );
  const [stroke] = painted.history.present.strokes;
  const lowest = Math.max(...stroke.points.map(([, y]) => y));
  assert.ok(lowest > photo.size[1] + stroke.radius);
  assert.ok(lowest <= photo.size[1] + stroke.radius + 1);
});

test("a failing request keeps edits and samples, says so, and can be tried again", () => {
  const before = answered(open);
  const painted = run(before, ...line(100, 300));
  const number = due(painted.requests);
  const failed = run(
    painted,
    { type: "request-sent", number },
    { type: "request-failed", number, text: "The server did not answer." },
  );
  assert.equal(failed.history, painted.history);
  assert.equal(failed.colorization, before.colorization);
  assert.deepEqual(failed.notice, { text: "The server did not answer.", canRetry: true });
  assert.equal(due(failed.requests), 0);
  const again = run(failed, { type: "retry" });
  assert.equal(again.notice, null);
  assert.ok(due(again.requests) > number);
  assert.equal(answered(again).notice, null);
});

test("an answer for a photo that was closed is dropped", () => {
  const number = due(open.requests);
  const sent = run(open, { type: "request-sent", number });
  const late = { type: "request-answered", number, colorization: colorization(open) };
  const closed = run(sent, { type: "closed" });
  assert.equal(run(closed, /** @type {Action} */ (late)), closed);
  const other = run(sent, { type: "opened", photo: { ...photo, id: "q" } });
  assert.equal(run(other, /** @type {Action} */ (late)), other);
});

test("a photo sent again under a new address keeps its edits and its view", () => {
  const painted = run(
    answered(open),
    ...line(100, 300),
    { type: "zoomed", factor: 3, x: 400, y: 300 },
    { type: "sample-chosen", index: 4 },
  );
  const again = run(painted, { type: "reopened", photo: { ...photo, id: "q", url: "/q" } });
  assert.equal(again.photo?.url, "/q");
  assert.equal(again.history, painted.history);
  assert.equal(again.view, painted.view);
  assert.equal(again.selected, 4);
  assert.notEqual(due(again.requests), 0);
});

test("the chosen sample stays chosen when new ones come", () => {
  const chosen = run(answered(open), { type: "sample-chosen", index: 3 }, ...line(100, 300));
  assert.equal(answered(chosen).selected, 3);
});

test("a new seed and another model ask again, with the edits kept", () => {
  const painted = answered(run(open, ...line(100, 300)));
  for (const action of /** @type {Action[]} */ ([
    { type: "seed-chosen", seed: 7 },
    { type: "model-chosen", model: "faces" },
  ])) {
    const next = run(painted, action);
    assert.notEqual(due(next.requests), 0);
    assert.equal(next.history, painted.history);
  }
});

test("the brush keeps within its limits", () => {
  assert.equal(run(open, { type: "brush-sized", brush: 0 }).brush, 2);
  assert.equal(run(open, { type: "brush-scaled", factor: 1e6 }).brush, largestBrush(photo));
  assert.equal(run(open, { type: "brush-sized", brush: 30 }).brush, 30);
});

test("painting and choosing a sample leave the view before", () => {
  const before = run(answered(open), { type: "before-shown", before: true });
  assert.ok(before.before);
  assert.ok(!run(before, { type: "line-started", point: [1, 1] }).before);
  assert.ok(!run(before, { type: "sample-chosen", index: 1 }).before);
});

test("a stage that changes its size keeps a fitted photo fitted", () => {
  const wide = run(open, { type: "stage-sized", stage: { width: 1600, height: 900 } });
  assert.ok(wide.view.scale > open.view.scale);
  const zoomed = run(wide, { type: "zoomed", factor: 4, x: 800, y: 450 });
  const narrow = run(zoomed, { type: "stage-sized", stage: { width: 390, height: 500 } });
  assert.equal(narrow.view.scale, zoomed.view.scale);
  assert.ok(run(narrow, { type: "fitted" }).view.fitted);
});
