/**
 * Carries wishes to the server: samples for the present edits, drafts while a line is drawn, and
 * photos sent again when the server has forgotten them.
 *
 * @import { Photo, Store } from "./core/types.js"
 */

import { ApiError, addPhoto, colorize } from "./api.js";
import { toEditFile } from "./core/edit-file.js";
import { freshId } from "./core/edits.js";
import { readField } from "./core/join/field.js";
import { lineAsEdit } from "./core/reduce-edits.js";
import { due } from "./core/requests.js";
import { pickKey } from "./core/sheet.js";
import { WORDS } from "./words.js";

/** Milliseconds between two drafts at least, and how often the time that the last one took. */
const DRAFT_EVERY = 60;
const DRAFT_PAUSE = 2;
/** Milliseconds until a lost connection is tried again, at first and at most. */
const PATIENCE = [1500, 12_000];

export class Session {
  #drafting = false;
  #drafted = 0;
  #draftTime = 0;
  #fields = 0;
  #retry = 0;
  #wait = PATIENCE[0];
  /** What the open photo came from, to send it again. @type {Blob | string} */
  source = "";
  /** Name of the file that it came from. */
  name = "";

  /** @param {Store} store @param {string} url  that takes photos */
  constructor(store, url) {
    this.store = store;
    this.url = url;
    store.subscribe((state, before) => {
      const number = due(state.requests);
      if (number) this.#ask(number);
      if (state.line && state.line !== before.line) this.#draft();
    });
  }

  /** Ask for the samples of the present wish. @param {number} number */
  async #ask(number) {
    const { photo, model, sheet, history } = this.store.state();
    if (!photo) return;
    const edits = history.present;
    const picks = sheet.map(({ pick }) => pick);
    this.store.dispatch({ type: "request-sent", number });
    clearTimeout(this.#retry);
    try {
      const wish = { picks, edits: toEditFile(edits, photo.size), model: model || undefined };
      const whole = await colorize(photo, wish, ({ index, field }) => {
        const pick = pickKey(picks[index]);
        const key = this.#freshKey();
        const came = { pick, key, field: readField(field), edits };
        this.store.dispatch({ type: "sample-came", number, ...came });
      });
      if (!whole) return;
      const samples = new Map(
        whole.samples.map(({ index, download, unary }) => [
          pickKey(picks[index]),
          { download, unary },
        ]),
      );
      const colorization = { id: whole.id, edits, samples };
      this.store.dispatch({ type: "request-answered", number, colorization });
      this.#wait = PATIENCE[0];
    } catch (error) {
      if (await this.sentAgain(error, photo)) return;
      this.store.dispatch({ type: "request-failed", number, text: wordsFor(error, false) });
      this.#tryLater(error);
    }
  }

  /** Show what the line under way does, on the chosen sample alone. */
  async #draft() {
    // A server with much to do gets fewer drafts, so that it is free when the line ends.
    const pause = Math.max(DRAFT_EVERY, DRAFT_PAUSE * this.#draftTime);
    const wait = this.#drafted + pause - performance.now();
    if (this.#drafting) return;
    this.#drafting = true;
    try {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const state = this.store.state();
      const { photo, model, sheet, selected, history, requests, colorization } = state;
      const line = lineAsEdit(state);
      const tile = sheet[selected];
      if (!photo || !line || !tile || !colorization || requests.sent !== 0) return;
      this.#drafted = performance.now();
      const edits = [...history.present, { ...line, id: freshId(history.present) }];
      const wish = {
        picks: [tile.pick],
        edits: toEditFile(edits, photo.size),
        draft: true,
        model: model || undefined,
      };
      await colorize(photo, wish, ({ field }) => {
        const came = { key: this.#freshKey(), field: readField(field), edits };
        this.#draftTime = performance.now() - this.#drafted;
        this.store.dispatch({ type: "draft-came", pick: pickKey(tile.pick), ...came });
      });
    } catch (error) {
      // A draft is an extra: the answer after the line's end says what is wrong.
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#drafting = false;
    }
  }

  /**
   * Whether the server had forgotten the photo and has it again now.
   *
   * @param {unknown} error
   * @param {Photo} photo
   */
  async sentAgain(error, photo) {
    if (!(error instanceof ApiError) || error.kind !== "photo-not-found" || !this.source) {
      return false;
    }
    if (this.store.state().photo !== photo) return true;
    try {
      const again = await addPhoto(this.url, this.source, this.name);
      if (this.store.state().photo !== photo) return true;
      this.store.dispatch({ type: "reopened", photo: again });
      return true;
    } catch (second) {
      if (!(second instanceof ApiError)) throw second;
      return false;
    }
  }

  /** @param {unknown} error */
  #tryLater(error) {
    if (!(error instanceof ApiError) || !["offline", "timeout"].includes(error.kind)) return;
    this.#retry = setTimeout(() => {
      if (this.store.state().requests.failed) this.store.dispatch({ type: "retry" });
    }, this.#wait);
    this.#wait = Math.min(2 * this.#wait, PATIENCE[1]);
  }

  #freshKey() {
    return String(++this.#fields);
  }
}

/** @param {unknown} error @param {boolean} opening */
export function wordsFor(error, opening) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return WORDS.failed;
  }
  return opening && error.kind === "offline" ? WORDS.open_offline : error.message;
}
