/**
 * The keyboard: every tool, and painting without a pointer.
 *
 * @import { Action, Insight, Point, State, Store } from "../core/types.js"
 */

import { ARROWS, element } from "./elements.js";
import { ZOOM, zoomMiddle } from "./tool-view.js";

/** @type {Record<string, State["tool"]>} */
const TOOLS = {
  p: "paint",
  o: "point",
  n: "neutral",
  k: "keep",
  t: "tie",
  e: "erase",
  q: "pick",
  v: "move",
};
/** @type {Record<string, Insight>} */
const INSIGHTS = { i: "influence", u: "uncertainty", y: "unary" };

export class Keys {
  #canvas = element("picture", HTMLCanvasElement);
  /** @type {(held: boolean) => void} */
  onSpace = () => {};
  /** Called with the place that the cursor came to. @type {(place: Point) => void} */
  onCursor = () => {};
  onHelp = () => {};
  onCompare = () => {};

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    addEventListener("keydown", (event) => this.#down(event));
    addEventListener("keyup", (event) => this.#up(event));
    addEventListener("blur", () => this.onSpace(false));
    this.#canvas.addEventListener("blur", () => store.dispatch({ type: "cursor-hidden" }));
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    const { target } = event;
    const typing =
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox");
    if (typing || document.querySelector("dialog[open]")) return;
    if (event.key === "?") return this.onHelp();
    const state = this.store.state();
    if (!state.photo) return;
    if (target === this.#canvas && this.#onCanvas(event, state)) {
      event.preventDefault();
      return;
    }
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key.toLowerCase() === "c") {
      return this.onCompare();
    }
    const action = keyAction(event, state);
    if (!action) return;
    event.preventDefault();
    this.store.dispatch(action);
  }

  /**
   * Whether a key on the photo was one of those that move, paint and delete there.
   *
   * @param {KeyboardEvent} event
   * @param {State} state
   */
  #onCanvas(event, state) {
    if (event.key === " ") {
      this.onSpace(true);
      return true;
    }
    if (event.key === "Delete" || event.key === "Backspace") {
      if (state.chosen) this.store.dispatch({ type: "edit-removed", id: state.chosen });
      return true;
    }
    if (event.key === "Enter" && state.cursor) {
      const point = state.cursor;
      this.store.dispatch({ type: "line-started", point });
      this.store.dispatch({ type: "line-ended" });
      return true;
    }
    const arrow = ARROWS[event.key];
    if (!arrow) return false;
    const step = (event.shiftKey ? 2 : 16) / state.view.scale;
    const [dx, dy] = [arrow[0] * step, arrow[1] * step];
    if (event.altKey) {
      if (state.chosen) this.store.dispatch({ type: "edit-shifted", id: state.chosen, dx, dy });
      return true;
    }
    this.store.dispatch({ type: "cursor-moved", dx, dy });
    const { cursor } = this.store.state();
    if (cursor) this.onCursor(cursor);
    return true;
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    const { before, flipped } = this.store.state();
    if (event.key === " ") this.onSpace(false);
    const key = event.key.toLowerCase();
    if (key === "b" && before) this.store.dispatch({ type: "before-shown", before: false });
    if (key === "f" && flipped) this.store.dispatch({ type: "flipped", flipped: false });
  }
}

/**
 * What a key does, or null.
 *
 * @param {KeyboardEvent} event
 * @param {State} state
 * @returns {Action | null}
 */
function keyAction(event, state) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return { type: event.shiftKey ? "redo" : "undo" };
    return key === "y" ? { type: "redo" } : null;
  }
  if (event.altKey) return null;
  const number = Number(key);
  if (number >= 1 && number <= state.sheet.length) {
    return { type: "sample-chosen", index: number - 1 };
  }
  if (TOOLS[key]) return { type: "tool-chosen", tool: TOOLS[key] };
  if (INSIGHTS[key]) return toggled(state, INSIGHTS[key]);
  switch (event.code === "Digit0" && event.shiftKey ? "full" : key) {
    case "b":
      return { type: "before-shown", before: true };
    case "f":
      return state.compare ? { type: "flipped", flipped: true } : null;
    case "s":
      return { type: "marks-shown", marks: !state.marks };
    case "d":
      return { type: "more-different" };
    case "l":
      return { type: "more-like", index: state.selected };
    case "[":
      return { type: "brush-scaled", factor: 1 / 1.15 };
    case "]":
      return { type: "brush-scaled", factor: 1.15 };
    case "+":
    case "=":
      return zoomMiddle(state, ZOOM);
    case "-":
      return zoomMiddle(state, 1 / ZOOM);
    case "0":
      return { type: "fitted" };
    case "full":
      return { type: "zoomed-to", scale: 1 / devicePixelRatio };
    case "escape":
      return state.line || state.tieStart ? { type: "line-dropped" } : null;
    default:
      return null;
  }
}

/** @param {State} state @param {Insight} insight @returns {Action} */
export function toggled(state, insight) {
  return { type: "insight-chosen", insight: state.insight === insight ? null : insight };
}
