/**
 * Bar, rail and zoom: buttons show the state and turn presses into actions.
 *
 * @import { Action, State, Store } from "../core/types.js"
 */

import { say, WORDS } from "../words.js";
import { button, element, onClick, press } from "./elements.js";

/** Milliseconds from which a press of "Before" is a hold and not a click. */
const HOLD = 300;
export const ZOOM = 1.4;

export class ToolView {
  #before = button("before");
  #tools = element("tools");
  #pressed = 0;
  onClose = () => {};

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    for (const tool of this.#buttons()) {
      tool.addEventListener("click", () => {
        const name = /** @type {State["tool"]} */ (tool.dataset.tool);
        store.dispatch({ type: "tool-chosen", tool: name });
        this.#openTools(false);
      });
    }
    onClick("tools-toggle", () => this.#openTools(!("open" in this.#tools.dataset)));
    this.#on("undo", () => ({ type: "undo" }));
    this.#on("redo", () => ({ type: "redo" }));
    this.#on("marks", (state) => ({ type: "marks-shown", marks: !state.marks }));
    this.#on("zoom-in", (state) => zoomMiddle(state, ZOOM));
    this.#on("zoom-out", (state) => zoomMiddle(state, 1 / ZOOM));
    this.#on("zoom-fit", () => ({ type: "fitted" }));
    this.#on("zoom-full", () => ({ type: "zoomed-to", scale: 1 / devicePixelRatio }));
    onClick("close", () => this.onClose());
    this.#before.addEventListener("pointerdown", () => {
      this.#pressed = performance.now();
      this.#toggleBefore();
    });
    this.#before.addEventListener("click", (event) => {
      // Without a pointer (keyboard, screen reader) there was no press before the click.
      const isHold = event.detail > 0 && performance.now() - this.#pressed > HOLD;
      if (event.detail === 0 || isHold) this.#toggleBefore();
    });
    store.subscribe((state, before) => this.#update(state, before));
  }

  /** @param {string} id @param {(state: State) => Action} action */
  #on(id, action) {
    onClick(id, () => this.store.dispatch(action(this.store.state())));
  }

  #buttons() {
    return this.#tools.querySelectorAll("button");
  }

  /** @param {boolean} open */
  #openTools(open) {
    this.#tools.toggleAttribute("data-open", open);
    button("tools-toggle").setAttribute("aria-expanded", String(open));
  }

  #toggleBefore() {
    this.store.dispatch({ type: "before-shown", before: !this.store.state().before });
  }

  /** @param {State} state @param {State} before */
  #update(state, before) {
    if (state.tool !== before.tool) {
      for (const tool of this.#buttons()) {
        press(tool, tool.dataset.tool === state.tool);
        if (tool.dataset.tool !== state.tool) continue;
        const icon = tool.querySelector("use")?.getAttribute("href") ?? "";
        document.getElementById("tool-icon")?.setAttribute("href", icon);
      }
    }
    press("marks", state.marks);
    press("before", state.before);
    button("undo").disabled = state.history.past.length === 0;
    button("redo").disabled = state.history.future.length === 0;
    const value = Math.round(100 * state.view.scale * devicePixelRatio);
    element("zoom-value", HTMLOutputElement).value = say(WORDS.percent, { value });
    document.body.dataset.state = state.photo || state.opening ? "open" : "start";
    if (state.tieStart !== before.tieStart && state.tieStart) {
      this.store.dispatch({ type: "noticed", text: WORDS.tie_next });
    }
    if (state.photo === before.photo) return;
    const { photo } = state;
    document.title = photo ? `${photo.name} – ${WORDS.title}` : WORDS.title;
    element("photo-name").textContent = photo?.name ?? "";
    element("photo-size").textContent = photo
      ? say(WORDS.size, { width: photo.size[0], height: photo.size[1] })
      : "";
  }
}

/** @param {State} state @param {number} factor @returns {Action} */
export function zoomMiddle(state, factor) {
  return { type: "zoomed", factor, x: state.stage.width / 2, y: state.stage.height / 2 };
}
