import assert from "node:assert/strict";
import { test } from "node:test";
import { dueMethod, offered, RIVAL, titleOf, wishOf } from "../../static/js/core/methods.js";
import { resultAt, START, wordAt } from "../../static/js/core/state.js";
import { reduce } from "../../static/js/core/studio.js";

/** @typedef {import("../../static/js/core/types.js").State} State */
/** @typedef {import("../../static/js/core/types.js").Action} Action */

/**
 * @param {string} name
 * @param {string} title
 * @param {"samples" | "strokes"} kind
 */
function method(name, title, kind) {
  return { name, title, kind, description: "", seconds: null };
}

const METHODS = [
  method("faces-cgan", "c-GAN", "samples"),
  method("photos-cgan", "c-GAN", "samples"),
  method("levin", "Levin 2004", "strokes"),
];
const PHOTO = /** @type {any} */ ({ id: "one", name: "mill", size: [400, 300] });
const FIELD = { width: 1, height: 1, ab: new Float32Array(2) };

/** @param {State} state @param {...Action} actions */
function after(state, ...actions) {
  return actions.reduce(reduce, state);
}

/** @param {State} state */
function painted(state) {
  return after(state, { type: "line-started", point: [20, 20] }, { type: "line-ended" });
}

/** @param {string} name @param {object} change @returns {Action} */
function changed(name, change) {
  return { type: "row-changed", name, photo: "one", change };
}

/** @param {string} key */
function result(key) {
  return { key, field: FIELD, edits: [] };
}

const OPEN = after(
  START,
  { type: "methods-came", methods: METHODS },
  { type: "opened", photo: PHOTO },
);

test("methods of strokes are on offer while a colour is painted", () => {
  const names = (/** @type {State} */ state) => offered(state).map(({ name }) => name);
  assert.deepEqual(names(OPEN), ["faces-cgan", "photos-cgan"]);
  const state = painted(OPEN);
  assert.deepEqual(names(state), ["faces-cgan", "photos-cgan", "levin"]);
  const id = state.history.present[0].id;
  const hidden = after(state, { type: "edit-changed", id, change: { hidden: true } });
  assert.deepEqual(names(hidden), ["faces-cgan", "photos-cgan"]);
  assert.deepEqual(names(after(state, { type: "undo" })), ["faces-cgan", "photos-cgan"]);
});

test("a title that two methods have is followed by the name", () => {
  assert.equal(titleOf(OPEN, "faces-cgan"), "c-GAN (faces-cgan)");
  assert.equal(titleOf(OPEN, "levin"), "Levin 2004");
});

test("the drawer opens with the first method, and again with those chosen", () => {
  const state = after(OPEN, { type: "drawer-shown", drawer: true });
  assert.deepEqual([...state.rows.keys()], ["faces-cgan"]);
  const other = after(
    state,
    { type: "method-chosen", name: "faces-cgan" },
    { type: "method-chosen", name: "photos-cgan" },
    { type: "drawer-shown", drawer: false },
    { type: "drawer-shown", drawer: true },
  );
  assert.deepEqual([...other.rows.keys()], ["photos-cgan"]);
});

test("only what is in sight is asked for, and once", () => {
  const chosen = after(OPEN, { type: "method-chosen", name: "faces-cgan" });
  assert.equal(dueMethod(chosen), undefined);
  const state = after(chosen, { type: "drawer-shown", drawer: true });
  assert.equal(dueMethod(state), "faces-cgan");
  const edits = wishOf(state, "faces-cgan");
  const came = after(state, changed("faces-cgan", { results: [result("a")], edits }));
  assert.equal(dueMethod(came), undefined);
  assert.equal(dueMethod(painted(came)), undefined);
  const failed = after(state, changed("faces-cgan", { text: "no", edits }));
  assert.equal(dueMethod(failed), undefined);
  const again = after(failed, changed("faces-cgan", { text: "", edits: null }));
  assert.equal(dueMethod(again), "faces-cgan");
});

test("a method of strokes is asked again after every edit", () => {
  const state = after(
    painted(OPEN),
    { type: "drawer-shown", drawer: true },
    { type: "method-chosen", name: "faces-cgan" },
    { type: "method-chosen", name: "levin" },
  );
  assert.equal(dueMethod(state), "levin");
  const edits = wishOf(state, "levin");
  assert.equal(edits, state.history.present);
  const came = after(state, changed("levin", { results: [result("a")], edits }));
  assert.equal(dueMethod(came), undefined);
  assert.equal(dueMethod(painted(came)), "levin");
  const shut = after(painted(came), { type: "drawer-shown", drawer: false });
  assert.equal(dueMethod(shut), undefined);
  const stands = after(shut, { type: "rival-chosen", name: "levin", index: 0 });
  assert.equal(dueMethod(stands), "levin");
});

test("an answer for another photo or a row that is gone is dropped", () => {
  const state = after(OPEN, { type: "drawer-shown", drawer: true });
  const late = { ...changed("faces-cgan", { text: "late" }), photo: "two" };
  assert.equal(after(state, /** @type {Action} */ (late)), state);
  const gone = after(state, { type: "method-chosen", name: "faces-cgan" });
  assert.equal(after(gone, changed("faces-cgan", { text: "late" })), gone);
});

test("a rival stands on the stage in the way of comparing that is in use", () => {
  const results = [result("a"), result("b")];
  const state = after(
    OPEN,
    { type: "drawer-shown", drawer: true },
    changed("faces-cgan", { results }),
    { type: "rival-chosen", name: "faces-cgan", index: 1 },
  );
  assert.deepEqual(state.compare, { mode: "split", other: RIVAL, at: 0.5 });
  assert.equal(resultAt(state, RIVAL), results[1]);
  assert.equal(wordAt(state, RIVAL), "faces-cgan 1");
  const side = after(
    state,
    { type: "compared", compare: { mode: "side", other: -1, at: 0.3 } },
    { type: "rival-chosen", name: "faces-cgan", index: 0 },
  );
  assert.deepEqual(side.compare, { mode: "side", other: RIVAL, at: 0.3 });
  assert.equal(resultAt(side, RIVAL), results[0]);
});

test("a rival goes with its row, its last stroke and its photo", () => {
  const state = after(
    painted(OPEN),
    { type: "method-chosen", name: "levin" },
    { type: "rival-chosen", name: "levin", index: 0 },
  );
  const grey = { mode: "split", other: -1, at: 0.5 };
  for (const action of /** @type {Action[]} */ ([
    { type: "method-chosen", name: "levin" },
    { type: "undo" },
  ])) {
    const left = after(state, action);
    assert.equal(left.rival, null);
    assert.deepEqual(left.compare, grey);
  }
  const elsewhere = { type: "compared", compare: { ...grey, other: 3 } };
  const left = after(state, /** @type {Action} */ (elsewhere), { type: "undo" });
  assert.equal(left.compare?.other, 3);
  const next = after(state, { type: "opened", photo: { ...PHOTO, id: "two" } });
  assert.equal(next.rival, null);
  assert.deepEqual(next.methods, METHODS);
});

test("another photo or address keeps the chosen rows and forgets their results", () => {
  const state = after(
    OPEN,
    { type: "drawer-shown", drawer: true },
    changed("faces-cgan", { results: [result("a")], busy: true, edits: [] }),
  );
  for (const type of /** @type {("opened" | "reopened")[]} */ (["opened", "reopened"])) {
    const next = after(state, { type, photo: { ...PHOTO, id: "two" } });
    assert.equal(next.drawer, true);
    assert.deepEqual(next.rows.get("faces-cgan"), {
      results: [],
      edits: null,
      busy: false,
      text: "",
    });
    assert.equal(dueMethod(next), "faces-cgan");
  }
  assert.equal(after(state, { type: "closed" }).rows.size, 0);
});
