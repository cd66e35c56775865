/**
 * The stage of a trial: puts the pictures up in the study's protocol, tells when they are painted
 * and which answer was given. It knows nothing of the server.
 *
 * @typedef {import("./pictures.js").Ready} Ready
 * @typedef {import("./server.js").Trial} Trial
 * @typedef {"choice" | "flip" | "real-or-fake" | "ranking"} Protocol
 * @typedef {{ exposure: number, blank: number, flip: number }} Times  in milliseconds
 */

import { fitOne, fitPair } from "../core/study-layout.js";
import { get, nextPaint } from "./elements.js";

const GAP = 8;

/** One stage; `show` may be called again for the same trial, after a pause. */
export class Stage {
  /**
   * @param {Protocol} protocol
   * @param {Times} times
   */
  constructor(protocol, times) {
    this.protocol = protocol;
    this.times = times;
    this.space = get("space", HTMLElement);
    this.pair = get("pair", HTMLElement);
    this.answers = get("answers", HTMLElement);
    this.spoken = get("spoken", HTMLElement);
    /** @type {AbortController | null} */
    this.running = null;
    /** @type {Trial | null} */
    this.trial = null;
    this.frontIsLeft = true;
    new ResizeObserver(() => this.#fit()).observe(this.space);
    document.getElementById("switch")?.addEventListener("click", () => this.flip());
  }

  /**
   * Puts a trial up and resolves with the time at which the answer could first be given; null when
   * it was taken down before.
   *
   * @param {Trial} trial
   * @param {Ready} ready
   * @returns {Promise<number | null>}
   */
  async show(trial, ready) {
    this.clear();
    const running = new AbortController();
    this.running = running;
    this.trial = trial;
    if (this.protocol === "real-or-fake") return this.#expose(ready, running.signal);
    if (this.protocol === "flip") {
      get("frame", HTMLElement).replaceChildren(ready.left, ready.right);
      this.#front(true);
      this.#autoFlip(running.signal);
    } else {
      get("left", HTMLElement).replaceChildren(ready.left);
      get("right", HTMLElement).replaceChildren(ready.right);
      if (ready.gray) get("gray", HTMLElement).replaceChildren(ready.gray);
    }
    this.#fit();
    this.pair.dataset.up = "";
    const painted = await nextPaint();
    if (running.signal.aborted) return null;
    this.#answerable(true);
    return painted;
  }

  /** Takes everything down. */
  clear() {
    this.running?.abort();
    this.running = null;
    this.trial = null;
    delete this.pair.dataset.up;
    this.#answerable(false);
    for (const holder of this.pair.querySelectorAll(".picture")) holder.replaceChildren();
  }

  /** The other picture in front, in the flip protocol. */
  flip() {
    if (this.protocol === "flip" && this.trial) this.#front(!this.frontIsLeft);
  }

  /**
   * @param {Ready} ready
   * @param {AbortSignal} signal
   */
  async #expose(ready, signal) {
    const frame = get("frame", HTMLElement);
    for (const [image, word] of /** @type {const} */ ([
      [ready.left, "First picture"],
      [ready.right, "Second picture"],
    ])) {
      await wait(this.times.blank, signal);
      if (signal.aborted) return null;
      this.spoken.textContent = word;
      frame.replaceChildren(image);
      this.#fit();
      this.pair.dataset.up = "";
      const painted = await nextPaint();
      await wait(this.times.exposure - (performance.now() - painted), signal);
      if (signal.aborted) return null;
      delete this.pair.dataset.up;
    }
    await wait(this.times.blank, signal);
    if (signal.aborted) return null;
    frame.replaceChildren();
    this.#answerable(true);
    const painted = await nextPaint();
    return signal.aborted ? null : painted;
  }

  /** @param {AbortSignal} signal */
  #autoFlip(signal) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timer = setInterval(() => this.flip(), this.times.flip);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** @param {boolean} left */
  #front(left) {
    this.frontIsLeft = left;
    const frame = get("frame", HTMLElement);
    frame.dataset.front = left ? "left" : "right";
    frame.setAttribute("aria-label", left ? "Picture A" : "Picture B");
  }

  /** @param {boolean} able */
  #answerable(able) {
    this.answers.dataset.ready = String(able);
    for (const button of document.querySelectorAll("#trial [data-choice], #switch")) {
      if (button instanceof HTMLButtonElement) button.disabled = !able;
    }
  }

  #fit() {
    if (!this.trial) return;
    const room = { width: this.space.clientWidth, height: this.space.clientHeight };
    const holders = this.pair.querySelectorAll(".picture");
    const fitted =
      holders.length === 1
        ? { stacked: false, ...fitOne(room, this.trial) }
        : fitPair(withoutThird(room, holders.length), this.trial, GAP);
    this.pair.dataset.stacked = String(fitted.stacked);
    for (const holder of holders) {
      if (!(holder instanceof HTMLElement)) continue;
      holder.style.width = `${fitted.width}px`;
      holder.style.height = `${fitted.height}px`;
    }
  }
}

/**
 * Room for two of three holders in a row or column of equal ones.
 *
 * @param {{ width: number, height: number }} room
 * @param {number} holders
 */
function withoutThird(room, holders) {
  const share = 2 / holders;
  const lost = holders === 3 ? (GAP * 2) / 3 : 0;
  return { width: room.width * share - lost, height: room.height * share - lost };
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, milliseconds));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
