/**
 * Bar, rail and keys: buttons show the state and turn presses into actions.
 *
 * @typedef {import("./stage-view.js").Store} Store
 * @typedef {import("../core/state.js").State} State
 * @typedef {import("../core/state.js").Action} Action
 */

import { isEmpty } from "../core/edits.js";
import { NUM_SAMPLES } from "../core/state.js";
import { canRedo, canUndo } from "../core/studio.js";
import { WORDS } from "../words.js";
import { button, element } from "./elements.js";

/** Milliseconds from which a press of "Before" is a hold and not a click. */
const HOLD = 300;
const ZOOM = 1.4;

export class ToolView {
  #before = button("before");
  #pressed = 0;
  /** @type {(held: boolean) => void} */
  onSpace = () => {};
  onClose = () => {};

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.#on("tool-paint", () => ({ type: "tool-chosen", tool: "paint" }));
    this.#on("tool-move", () => ({ type: "tool-chosen", tool: "move" }));
    this.#on("undo", () => ({ type: "undo" }));
    this.#on("redo", () => ({ type: "redo" }));
    this.#on("clear", () => ({ type: "edits-cleared" }));
    this.#on("marks", (state) => ({ type: "marks-shown", marks: !state.marks }));
    this.#on("reseed", (state) => ({ type: "seed-chosen", seed: state.seed + 1 }));
    this.#on("zoom-in", (state) => zoomMiddle(state, ZOOM));
    this.#on("zoom-out", (state) => zoomMiddle(state, 1 / ZOOM));
    this.#on("zoom-fit", () => ({ type: "fitted" }));
    button("close").addEventListener("click", () => this.onClose());
    this.#before.addEventListener("pointerdown", () => this.#pressBefore());
    this.#before.addEventListener("click", (event) => this.#clickBefore(event));
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("keyup", (event) => this.#keyUp(event));
    addEventListener("blur", () => this.onSpace(false));
    store.subscribe((state, before) => this.#update(state, before));
  }

  /**
   * @param {string} id
   * @param {(state: State) => Action} action
   */
  #on(id, action) {
    button(id).addEventListener("click", () => this.store.dispatch(action(this.store.state())));
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  #update(state, before) {
    press("tool-paint", state.tool === "paint");
    press("tool-move", state.tool === "move");
    press("marks", state.marks);
    press("before", state.before);
    button("undo").disabled = !canUndo(state);
    button("redo").disabled = !canRedo(state);
    button("clear").disabled = isEmpty(state.history.present);
    button("save").disabled = !state.colorization;
    button("save-edits").disabled = isEmpty(state.history.present);
    element("save-index", HTMLElement).textContent = String(state.selected + 1);
    if (state.photo === before.photo) return;
    document.body.dataset.state = state.photo ? "open" : "start";
    document.title = state.photo ? `${state.photo.name} – Huefield` : "Huefield";
    element("photo-name", HTMLElement).textContent = state.photo?.name ?? "";
    element("photo-size", HTMLElement).textContent = state.photo
      ? WORDS.size(state.photo.size)
      : "";
  }

  #pressBefore() {
    const { before } = this.store.state();
    this.#pressed = performance.now();
    this.store.dispatch({ type: "before-shown", before: !before });
  }

  /** @param {MouseEvent} event */
  #clickBefore(event) {
    const { before } = this.store.state();
    // Without a pointer (keyboard, screen reader) there was no press before the click.
    const isHold = event.detail > 0 && performance.now() - this.#pressed > HOLD;
    if (event.detail === 0 || isHold) {
      this.store.dispatch({ type: "before-shown", before: !before });
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target } = event;
    const typing =
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !["radio", "range"].includes(target.type));
    const state = this.store.state();
    if (!state.photo || typing) return;
    const action = keyAction(event, state);
    if (action) {
      event.preventDefault();
      this.store.dispatch(action);
    } else if (event.key === " " && target === element("picture", HTMLCanvasElement)) {
      event.preventDefault();
      this.onSpace(true);
    }
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (event.key === " ") this.onSpace(false);
    if (event.key.toLowerCase() === "b") {
      this.store.dispatch({ type: "before-shown", before: false });
    }
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
  if (number >= 1 && number <= NUM_SAMPLES && state.colorization) {
    return { type: "sample-chosen", index: number - 1 };
  }
  switch (key) {
    case "b":
      return { type: "before-shown", before: true };
    case "p":
      return { type: "tool-chosen", tool: "paint" };
    case "v":
      return { type: "tool-chosen", tool: "move" };
    case "s":
      return { type: "marks-shown", marks: !state.marks };
    case "n":
      return { type: "seed-chosen", seed: state.seed + 1 };
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
    case "escape":
      return state.line ? { type: "line-dropped" } : null;
    default:
      return null;
  }
}

/**
 * @param {State} state
 * @param {number} factor
 * @returns {Action}
 */
function zoomMiddle(state, factor) {
  return { type: "zoomed", factor, x: state.stage.width / 2, y: state.stage.height / 2 };
}

/**
 * @param {string} id
 * @param {boolean} pressed
 */
function press(id, pressed) {
  button(id).setAttribute("aria-pressed", String(pressed));
}
