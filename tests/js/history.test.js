import assert from "node:assert/strict";
import { test } from "node:test";
import { record, redo, startHistory, undo } from "../../static/js/core/history.js";

test("undo and redo walk through everything recorded", () => {
  let history = startHistory(0);
  for (let value = 1; value <= 500; value++) history = record(history, value);
  for (let value = 499; value >= 0; value--) {
    history = undo(history);
    assert.equal(history.present, value);
  }
  assert.equal(undo(history), history);
  for (let value = 1; value <= 500; value++) {
    history = redo(history);
    assert.equal(history.present, value);
  }
  assert.equal(redo(history), history);
});

test("a new step forgets what was undone", () => {
  const history = record(undo(record(record(startHistory("a"), "b"), "c")), "d");
  assert.equal(history.present, "d");
  assert.deepEqual(history.past, ["a", "b"]);
  assert.equal(redo(history), history);
});

test("recording the present again is no step", () => {
  const value = {};
  const history = startHistory(value);
  assert.equal(record(history, value), history);
});
