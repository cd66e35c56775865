/**
 * Pointer, wheel and fingers on the stage, turned into actions.
 *
 * One pointer paints at a time; a second finger drops the line and zooms and moves instead.
 *
 * @import { Point, Store } from "../core/types.js"
 */

import { pane } from "../core/reduce-view.js";
import { toPhoto } from "../core/view.js";
import { element } from "./elements.js";

/** Milliseconds of rest before a place counts as pointed at. */
const REST = 220;

export class StageInput {
  #canvas = element("picture", HTMLCanvasElement);
  /** @type {Map<number, [number, number]>} */
  #pointers = new Map();
  /** @type {"paint" | "move" | "pinch" | null} */
  #gesture = null;
  #painter = -1;
  #rest = 0;
  #space = false;
  /** @type {(place: [number, number] | null) => void} */
  onPointer = () => {};
  /** Called with a place of the stage whose colour is wanted. @type {(place: [number, number]) => void} */
  onPick = () => {};
  /** Called with a place of the photo that the person points at. @type {(place: Point) => void} */
  onPlace = () => {};

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event, true));
    canvas.addEventListener("pointercancel", (event) => this.#up(event, false));
    canvas.addEventListener("pointerleave", () => {
      clearTimeout(this.#rest);
      this.onPointer(null);
    });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Whether the space bar is held, which moves the photo with any tool. @param {boolean} held */
  holdSpace(held) {
    this.#space = held;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 && event.button !== 1) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    clearTimeout(this.#rest);
    this.#canvas.setPointerCapture(event.pointerId);
    const place = this.#place(event);
    this.#pointers.set(event.pointerId, place);
    if (this.#pointers.size > 1) {
      if (this.#gesture === "paint") this.store.dispatch({ type: "line-dropped" });
      this.#gesture = "pinch";
      this.onPointer(null);
      return;
    }
    const state = this.store.state();
    if (state.tool === "move" || this.#space || event.button === 1) {
      this.#gesture = "move";
      return;
    }
    if (state.tool === "pick") return this.onPick(place);
    this.#gesture = "paint";
    this.#painter = event.pointerId;
    this.onPointer(place);
    this.store.dispatch({ type: "cursor-hidden" });
    this.store.dispatch({ type: "line-started", point: this.#photoPoint(place) });
    if (event.pointerType === "pen") {
      const points = [this.#photoPoint(place)];
      this.store.dispatch({ type: "line-extended", points, pressure: event.pressure });
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const place = this.#place(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) {
      if (this.#pointers.size === 0) this.#hover(event, place);
      return;
    }
    if (this.#gesture === "paint" && event.pointerId === this.#painter) {
      const events = event.getCoalescedEvents?.() ?? [];
      const points = (events.length > 0 ? events : [event]).map((each) =>
        this.#photoPoint(this.#place(each)),
      );
      this.onPointer(place);
      const pen = event.pointerType === "pen" ? { pressure: event.pressure } : {};
      this.store.dispatch({ type: "line-extended", points, ...pen });
    } else if (this.#gesture === "move") {
      this.store.dispatch({ type: "panned", dx: place[0] - before[0], dy: place[1] - before[1] });
    } else if (this.#gesture === "pinch") {
      this.#pinch(event.pointerId, before, place);
    }
    this.#pointers.set(event.pointerId, place);
  }

  /** @param {PointerEvent} event @param {boolean} completed */
  #up(event, completed) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#gesture === "paint" && event.pointerId === this.#painter) {
      const start = this.store.state().line?.points[0];
      this.store.dispatch({ type: completed ? "line-ended" : "line-dropped" });
      this.#painter = -1;
      if (event.pointerType === "touch") {
        this.onPointer(null);
        if (start && completed) this.onPlace(start);
      }
    }
    // Fingers that stay after a pinch do nothing until all are lifted.
    if (this.#pointers.size === 0) this.#gesture = null;
  }

  /** @param {PointerEvent} event @param {[number, number]} place */
  #hover(event, place) {
    clearTimeout(this.#rest);
    if (event.pointerType === "touch") return;
    this.onPointer(place);
    this.#rest = setTimeout(() => this.onPlace(this.#photoPoint(place)), REST);
  }

  /** @param {number} id @param {[number, number]} before @param {[number, number]} now */
  #pinch(id, before, now) {
    const other = [...this.#pointers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const spread = Math.hypot(before[0] - other[0], before[1] - other[1]);
    const factor = Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(spread, 1);
    const x = (now[0] + other[0]) / 2;
    const y = (now[1] + other[1]) / 2;
    this.store.dispatch({ type: "zoomed", factor, x, y });
    const dx = (now[0] - before[0]) / 2;
    const dy = (now[1] - before[1]) / 2;
    this.store.dispatch({ type: "panned", dx, dy });
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const turn = (event.deltaY || event.deltaX) * lines;
    if (event.shiftKey || event.altKey) {
      this.store.dispatch({ type: "brush-scaled", factor: Math.exp(-turn * 0.0015) });
      return;
    }
    const place = this.#place(event);
    const x = place[0] % pane(this.store.state()).width;
    const y = place[1];
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    this.store.dispatch({ type: "zoomed", factor: Math.exp(-turn * speed), x, y });
  }

  /**
   * The place of the photo under one of the stage, in either half where two stand side by side.
   *
   * @param {[number, number]} place
   */
  #photoPoint(place) {
    const state = this.store.state();
    return toPhoto(state.view, place[0] % pane(state).width, place[1]);
  }

  /** @param {MouseEvent} event @returns {[number, number]} */
  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}
