import assert from "node:assert/strict";
import { test } from "node:test";
import { largestBrush } from "../../static/js/core/reduce-view.js";
import { due } from "../../static/js/core/requests.js";
import { pickKey } from "../../static/js/core/sheet.js";
import { partInSight, pendingEdits } from "../../static/js/core/sight.js";
import { resultAt, START, shownResult, workOf } from "../../static/js/core/state.js";
import { reduce } from "../../static/js/core/studio.js";

/**
 * @typedef {import("../../static/js/core/types.js").State} State
 * @typedef {import("../../static/js/core/types.js").Action} Action
 */

const photo = {
  id: "p",
  name: "mill",
  size: /** @type {const} */ ([1024, 768]),
  has_color: false,
  url: "/p",
  grid: /** @type {const} */ ([8, 6]),
  grey: "/p/grey",
  original: "/p/original",
  colorizations: "/p/c",
  influence: "/p/influence",
  uncertainty: "/p/uncertainty",
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

const field = { width: 8, height: 6, ab: new Float32Array(96) };
let keys = 0;

/** All samples of the present sheet, and the whole answer. */
const answers = (/** @type {State} */ state, /** @type {number} */ number) => {
  const edits = state.history.present;
  const picks = state.sheet.map(({ pick }) => pickKey(pick));
  /** @type {Action[]} */
  const came = picks.map((pick) => ({
    type: "sample-came",
    number,
    pick,
    key: String(++keys),
    field,
    edits,
  }));
  const samples = new Map(picks.map((pick) => [pick, { download: `/d/${pick}`, unary: "" }]));
  const colorization = { id: `c${keys}`, edits, samples };
  return [...came, /** @type {Action} */ ({ type: "request-answered", number, colorization })];
};

const open = run(
  START,
  { type: "stage-sized", stage: { width: 900, height: 700 } },
  { type: "opened", photo },
);

/** The state after the wish that is due was answered. */
const answered = (/** @type {State} */ state) => {
  const number = due(state.requests);
  return run(state, { type: "request-sent", number }, ...answers(state, number));
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
  const [stroke] = painted.history.present;
  assert.equal(stroke.color, "#b3352d");
  assert.equal(stroke.radius, painted.brush / 2);
  assert.deepEqual(stroke.points[0], [100, 100]);
  assert.deepEqual(stroke.points.at(-1), [300, 300]);
  assert.ok(due(painted.requests) > due(before.requests));
  assert.deepEqual(shownResult(painted)?.edits, []);
  assert.deepEqual(shownResult(answered(painted))?.edits, [stroke]);
  assert.equal(painted.chosen, stroke.id);
  assert.deepEqual(painted.recent, ["#b3352d"]);

  const undone = run(painted, { type: "undo" });
  assert.equal(undone.history.present, before.history.present);
  assert.ok(due(undone.requests) > due(painted.requests));
  assert.deepEqual([undone.history.past.length, undone.history.future.length], [0, 1]);
  assert.equal(run(undone, { type: "redo" }).history.present, painted.history.present);
  assert.equal(run(before, { type: "undo" }), before);
});

test("deleting all strokes is one step that undo takes back", () => {
  const painted = run(open, ...line(10, 60), ...line(80, 200));
  const cleared = run(painted, { type: "edits-cleared" });
  assert.equal(cleared.history.present.length, 0);
  assert.equal(run(cleared, { type: "undo" }).history.present.length, 2);
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
  const [stroke] = painted.history.present;
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
  const late = answers(open, number);
  const closed = run(sent, { type: "closed" });
  assert.equal(run(closed, ...late), closed);
  const other = run(sent, { type: "opened", photo: { ...photo, id: "q" } });
  assert.equal(run(other, ...late), other);
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

test("other samples and another model ask again, with the edits and favourites kept", () => {
  const painted = answered(run(open, ...line(100, 300), { type: "sample-starred", index: 2 }));
  const starred = painted.sheet[2];
  for (const action of /** @type {Action[]} */ ([
    { type: "more-different" },
    { type: "more-like", index: 4 },
    { type: "sheet-resized", count: 9 },
    { type: "model-chosen", model: "faces" },
  ])) {
    const next = run(painted, action);
    assert.notEqual(due(next.requests), 0);
    assert.equal(next.history, painted.history);
    assert.ok(next.sheet.includes(starred));
  }
  const like = run(painted, { type: "sample-chosen", index: 4 }, { type: "more-like", index: 4 });
  assert.equal(like.sheet[like.selected], painted.sheet[4]);
});

test("a sample is on show as soon as it came, the others when they come", () => {
  const number = due(open.requests);
  const [first, second] = answers(open, number);
  const one = run(open, { type: "request-sent", number }, first);
  assert.notEqual(resultAt(one, 0), null);
  assert.equal(resultAt(one, 1), null);
  assert.notEqual(resultAt(run(one, second), 1), null);
});

test("a draft is on show while the line is drawn and until the answer", () => {
  const before = answered(open);
  const pick = pickKey(before.sheet[0].pick);
  const drawing = run(before, { type: "line-started", point: [50, 50] });
  /** @type {Action} */
  const draft = { type: "draft-came", key: "draft", pick, field, edits: [] };
  assert.equal(shownResult(run(drawing, draft))?.key, "draft");
  const ended = run(drawing, draft, { type: "line-ended" });
  assert.equal(shownResult(ended)?.key, "draft");
  assert.notEqual(shownResult(answered(ended))?.key, "draft");
  assert.equal(run(before, draft), before);
  assert.equal(run(drawing, { ...draft, pick: "9.9" }), drawing);
});

test("each tool leaves its own kind of edit", () => {
  /** @type {(tool: State["tool"]) => import("../../static/js/core/types.js").Edit | undefined} */
  const drawn = (tool) =>
    run(open, { type: "tool-chosen", tool }, ...line(100, 300)).history.present[0];
  assert.equal(drawn("paint")?.color, open.color);
  assert.equal(drawn("point")?.points.length, 1);
  assert.deepEqual(drawn("neutral")?.ab, [0, 0]);
  assert.equal(drawn("keep")?.kind, "keep");
  for (const tool of /** @type {const} */ (["tie", "erase", "move", "pick"])) {
    assert.equal(drawn(tool), undefined);
  }
});

test("a tie takes two places and is one step", () => {
  const tool = /** @type {Action} */ ({ type: "tool-chosen", tool: "tie" });
  const half = run(open, tool, ...line(100, 120));
  assert.notEqual(half.tieStart, null);
  assert.equal(run(half, { type: "line-dropped" }).tieStart, null);
  const tied = run(half, ...line(400, 420));
  assert.equal(tied.tieStart, null);
  assert.equal(tied.history.present.length, 1);
  assert.deepEqual(tied.history.present[0].other?.points[0], [400, 400]);
  assert.equal(run(tied, { type: "undo" }).history.present.length, 0);
});

test("the eraser cuts and can be undone; where nothing lies it is no step", () => {
  const painted = run(open, ...line(100, 700));
  const tool = /** @type {Action} */ ({ type: "tool-chosen", tool: "erase" });
  const cut = run(
    painted,
    tool,
    { type: "line-started", point: [550, 400] },
    { type: "line-ended" },
  );
  assert.equal(cut.history.present.length, 2);
  assert.equal(run(cut, { type: "undo" }).history.present, painted.history.present);
  assert.equal(run(open, tool, ...line(100, 120)).history, open.history);
});

test("a pen draws as thick as it was pressed at most", () => {
  /** @type {(pressure: number) => Action} */
  const press = (pressure) => ({ type: "line-extended", points: [[100, 100]], pressure });
  const start = run(open, { type: "line-started", point: [100, 100] });
  const light = run(start, press(0.1)).line?.radius ?? 0;
  const hard = run(start, press(0.1), press(0.9), press(0.2)).line?.radius ?? 0;
  assert.ok(light < hard && hard < open.brush / 2);
});

test("edits are hidden, reordered, moved, weakened and deleted, each one step", () => {
  const two = run(open, ...line(100, 200), ...line(300, 400));
  const [first, second] = two.history.present;
  const id = first.id;
  /** @type {(action: Action) => State["history"]["present"]} */
  const after = (action) => run(two, action).history.present;
  assert.ok(after({ type: "edit-changed", id, change: { hidden: true } })[0].hidden);
  assert.equal(after({ type: "edit-changed", id, change: { strength: 0.3 } })[0].strength, 0.3);
  assert.deepEqual(after({ type: "edit-reordered", id, by: 1 }), [second, first]);
  assert.deepEqual(after({ type: "edit-shifted", id, dx: 5, dy: -5 })[0].points[0], [105, 95]);
  assert.deepEqual(after({ type: "edit-removed", id }), [second]);
});

test("comparing keeps two different samples, and halves the view where they lie side by side", () => {
  const before = answered(open);
  const split = run(before, { type: "compared", compare: { mode: "split", other: 3, at: 0.5 } });
  const turned = run(split, { type: "sample-chosen", index: 3 });
  assert.equal(turned.compare?.other, 0);
  const side = run(before, { type: "compared", compare: { mode: "side", other: 3, at: 0.5 } });
  assert.ok(side.view.scale < before.view.scale);
  assert.equal(run(side, { type: "compared", compare: null }).view.scale, before.view.scale);
});

test("the keyboard's cursor stays on the photo and paints there", () => {
  const moved = run(open, { type: "cursor-moved", dx: 10, dy: 0 });
  assert.ok(Math.abs((moved.cursor?.[0] ?? 0) - photo.size[0] / 2 - 10) < 1);
  const edge = run(moved, { type: "cursor-moved", dx: 9999, dy: -9999 });
  assert.deepEqual(edge.cursor, [photo.size[0], 0]);
});

test("what is kept of a photo brings it back", () => {
  const painted = run(answered(open), ...line(100, 300), { type: "sample-chosen", index: 3 });
  const back = run(START, { type: "work-opened", work: workOf(painted) });
  assert.equal(back.history, painted.history);
  assert.equal(back.selected, 3);
  assert.notEqual(due(back.requests), 0);
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

test("strokes that no picture follows yet are pending, with the line under way", () => {
  const before = answered(open);
  const painted = run(before, ...line(100, 300));
  const [stroke] = painted.history.present;
  assert.deepEqual(pendingEdits(painted, []), [stroke]);
  assert.deepEqual(pendingEdits(painted, painted.history.present), []);
  const drawing = run(painted, { type: "line-started", point: [5, 5] });
  assert.equal(pendingEdits(drawing, painted.history.present).length, 1);
});

test("the part in sight holds what the stage shows, and little more", () => {
  assert.deepEqual(partInSight(open), [0, 0, 1, 1]);
  const near = run(open, { type: "zoomed", factor: 6, x: 450, y: 350 });
  const [left, top, right, bottom] = partInSight(near);
  assert.ok(left > 0.2 && top > 0.2 && right < 0.8 && bottom < 0.8);
  const [x] = [(0 - near.view.x) / near.view.scale / photo.size[0]];
  assert.ok(left <= x && left > x - 0.1);
});
