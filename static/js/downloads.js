/**
 * Files to keep: the chosen colouring, its colour layer, all favourites, the edits.
 *
 * @import { State, Store } from "./core/types.js"
 * @import { Session } from "./session.js"
 */

import { fetchFile } from "./api.js";
import { EditFileError, readEditFile, writeEditFile } from "./core/edit-file.js";
import { pickKey } from "./core/sheet.js";
import { zip } from "./core/zip.js";
import { wordsFor } from "./session.js";
import { say, WORDS } from "./words.js";

export class Downloads {
  /**
   * @param {Store} store
   * @param {Session} session
   * @param {(text: string) => void} showProgress  empty: none
   */
  constructor(store, session, showProgress) {
    this.store = store;
    this.session = session;
    this.showProgress = showProgress;
  }

  /** @param {string} format @param {boolean} layer */
  save(format, layer) {
    return this.#try(async (state, name) => {
      this.showProgress(WORDS.saving);
      const blob = await fetchFile(addressOf(state, state.selected, format, layer));
      const ending = layer ? "-layer.png" : `.${format}`;
      download(blob, `${name}-${state.selected + 1}${ending}`);
    });
  }

  saveStars() {
    return this.#try(async (state, name) => {
      const stars = state.sheet.flatMap(({ star }, index) => (star ? [index] : []));
      const files = [];
      for (const index of stars) {
        const number = files.length + 1;
        this.showProgress(say(WORDS.saving_many, { number, count: stars.length }));
        const blob = await fetchFile(addressOf(state, index, "png", false));
        const data = new Uint8Array(await blob.arrayBuffer());
        files.push({ name: `${name}-${index + 1}.png`, data });
      }
      download(new Blob(zip(files), { type: "application/zip" }), `${name}.zip`);
    });
  }

  saveEdits() {
    const { photo, history, model, sheet, selected, tone } = this.store.state();
    if (!photo) return;
    const text = writeEditFile(history.present, photo.size, { model, sheet, selected, tone });
    download(new Blob([text], { type: "application/json" }), `${photo.name}-edits.json`);
  }

  /** @param {File} file */
  async openEdits(file) {
    const { photo } = this.store.state();
    if (!photo) return void this.store.dispatch({ type: "noticed", text: WORDS.no_image });
    try {
      const { edits, notes } = readEditFile(await file.text(), photo.size);
      this.store.dispatch({ type: "edits-loaded", edits, notes });
    } catch (error) {
      if (!(error instanceof EditFileError)) throw error;
      this.store.dispatch({ type: "noticed", text: error.message });
    }
  }

  /** @param {(state: State, name: string) => Promise<void>} work */
  async #try(work) {
    const state = this.store.state();
    const { photo } = state;
    if (!photo || !state.colorization) return;
    try {
      await work(state, photo.name);
    } catch (error) {
      const again = await this.session.sentAgain(error, photo);
      const text = again ? WORDS.expired : wordsFor(error, false);
      this.store.dispatch({ type: "noticed", text });
    } finally {
      this.showProgress("");
    }
  }
}

/** @param {State} state @param {number} index @param {string} format @param {boolean} layer */
function addressOf({ colorization, sheet, tone, mark }, index, format, layer) {
  const addresses = colorization?.samples.get(pickKey(sheet[index].pick));
  if (!addresses) throw new Error(`expected an address of sample ${index}, got none`);
  const query = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(tone)) query.set(name, value.toFixed(2));
  if (mark) query.set("mark", "1");
  if (layer) query.set("layer", "1");
  return `${addresses.download}?${query}`;
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
