import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../static/js/core/store.js";

test("listeners see every change once and in order, even when one of them dispatches", () => {
  const store = createStore(
    (/** @type {number} */ state, /** @type {number} */ add) => state + add,
    0,
  );
  /** @type {[number, number][]} */
  const seen = [];
  store.subscribe((state) => {
    if (state === 1) store.dispatch(10);
  });
  store.subscribe((state, before) => seen.push([before, state]));
  store.dispatch(1);
  store.dispatch(0);
  assert.deepEqual(seen, [
    [0, 1],
    [1, 11],
  ]);
  assert.equal(store.state(), 11);
});

test("a listener that throws does not block what comes after", () => {
  const store = createStore(
    (/** @type {number} */ state, /** @type {number} */ add) => state + add,
    0,
  );
  store.subscribe((state) => {
    if (state === 1) throw new Error("broken view");
  });
  assert.throws(() => store.dispatch(1), /broken view/);
  store.dispatch(1);
  assert.equal(store.state(), 2);
});
