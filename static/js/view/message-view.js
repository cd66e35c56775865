/**
 * Progress and messages: a line and a word for anything that takes longer than a moment, and
 * failures in words with a way to try again.
 *
 * @import { Store } from "../core/types.js"
 */

import { isWaiting } from "../core/requests.js";
import { WORDS } from "../words.js";
import { button, element, onClick } from "./elements.js";

/** Milliseconds of work that need no word. */
const PATIENCE = 400;
/** Milliseconds that a message stays which asks for nothing. */
const READING = 9000;

export class MessageView {
  #stage = element("stage");
  #progress = element("progress");
  #status = element("status");
  #notice = element("notice");
  #text = element("notice-text");
  #retry = button("notice-retry");
  #timer = 0;
  #fading = 0;
  #busy = "";
  #drawing = false;
  #saving = "";

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.#retry.addEventListener("click", () => store.dispatch({ type: "retry" }));
    onClick("notice-close", () => store.dispatch({ type: "notice-closed" }));
    store.subscribe((state, before) => {
      this.#refresh();
      if (state.notice === before.notice) return;
      this.#notice.hidden = !state.notice;
      this.#text.textContent = state.notice?.text ?? "";
      this.#retry.hidden = !state.notice?.canRetry;
      this.#notice.toggleAttribute("data-failure", state.notice?.canRetry === true);
      clearTimeout(this.#fading);
      if (state.notice && !state.notice.canRetry) {
        this.#fading = setTimeout(() => store.dispatch({ type: "notice-closed" }), READING);
      }
    });
  }

  /** Whether a picture is on its way. @param {boolean} drawing */
  setDrawing(drawing) {
    this.#drawing = drawing;
    this.#refresh();
  }

  /** What file is being made; empty for none. @param {string} saving */
  setSaving(saving) {
    this.#saving = saving;
    this.#refresh();
  }

  #refresh() {
    const busy = this.#word();
    if (busy === this.#busy) return;
    this.#stage.setAttribute("aria-busy", String(busy !== ""));
    const goesOn = this.#busy !== "" && busy !== "";
    this.#busy = busy;
    if (goesOn) {
      if (!this.#progress.hidden) this.#status.textContent = busy;
      return;
    }
    clearTimeout(this.#timer);
    if (busy) this.#timer = setTimeout(() => this.#show(), PATIENCE);
    else this.#show();
  }

  #show() {
    this.#progress.hidden = !this.#busy;
    this.#status.textContent = this.#busy;
  }

  #word() {
    const state = this.store.state();
    if (state.opening) return WORDS.opening;
    if (this.#saving) return this.#saving;
    if (isWaiting(state.requests)) return WORDS.coloring;
    return this.#drawing && state.photo && !state.notice ? WORDS.rendering : "";
  }
}
