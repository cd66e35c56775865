/**
 * What the model knows, laid over the photo: influence, doubt, and the unary beside the result.
 *
 * @import { Influence, Insight, Point, Store } from "../core/types.js"
 * @import { StageView } from "./stage-view.js"
 */

import { ApiError, fetchJson, placeQuery } from "../api.js";
import { readField } from "../core/join/field.js";
import { pickKey } from "../core/sheet.js";
import { say, WORDS } from "../words.js";
import { context2d, element, make, onClick, press } from "./elements.js";
import { toggled } from "./keys.js";

/** @type {readonly Insight[]} */
const ALL = ["influence", "uncertainty", "unary"];
const AMBER = [255, 176, 46];
const BLUE = [70, 150, 255];

export class InsightView {
  #badge = element("badge");
  #asking = new AbortController();
  #shown = "";

  /** @param {Store} store @param {StageView} stage */
  constructor(store, stage) {
    this.store = store;
    this.stage = stage;
    for (const name of ALL) {
      onClick(name, () => store.dispatch(toggled(store.state(), name)));
    }
    store.subscribe((state, before) => {
      for (const name of ALL) press(name, state.insight === name);
      this.#label();
      if (state.insight !== before.insight || state.photo?.id !== before.photo?.id) this.#clear();
      const answered = state.colorization !== before.colorization;
      const other = state.insight !== before.insight || state.selected !== before.selected;
      if (answered || other) this.#ask();
    });
  }

  /** Show the influence of a place. @param {Point} place */
  async pointAt(place) {
    const { insight, photo } = this.store.state();
    const query = placeQuery(this.store.state(), place);
    if (insight !== "influence" || !photo || !query) return;
    await this.#try(async (signal) => {
      /** @type {Influence} */
      const { grid, listens, reaches } = await fetchJson(photo.influence, query, signal);
      if (signal.aborted) return;
      const heard = scaled(listens);
      const reached = scaled(reaches);
      this.stage.overlay = mapOf(grid, (k) => {
        const [blue, amber] = [heard[k] ** 0.6, Math.max(0, reached[k])];
        const share = amber + blue > 0 ? amber / (amber + blue) : 0;
        const color = AMBER.map((value, c) => share * value + (1 - share) * BLUE[c]);
        return [...color, 215 * Math.max(amber, blue)];
      });
      this.stage.refresh();
    });
  }

  #label() {
    const { insight, before, peek, compare } = this.store.state();
    const text = before
      ? WORDS.before
      : peek !== null
        ? say(WORDS.sample, { number: peek + 1 })
        : insight
          ? WORDS[`${insight}_text`]
          : "";
    this.#badge.hidden = text === "" || (compare !== null && insight === null);
    this.#badge.textContent = text;
  }

  #clear() {
    this.#asking.abort();
    this.#shown = "";
    this.stage.overlay = null;
    this.stage.ring = null;
    this.stage.unary = null;
  }

  async #ask() {
    const { insight, photo, colorization, model, sheet, selected } = this.store.state();
    if (!photo || !colorization || !insight || insight === "influence") return;
    const word = pickKey(sheet[selected].pick);
    const wanted = `${insight} ${colorization.id} ${insight === "unary" ? word : ""}`;
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    await this.#try(async (signal) => {
      if (insight === "unary") {
        const addresses = colorization.samples.get(word);
        if (!addresses) return;
        const field = readField(await fetchJson(addresses.unary, {}, signal));
        this.stage.unary = { key: `unary ${colorization.id} ${word}`, field, edits: [] };
      } else {
        const query = { colorization: colorization.id, ...(model ? { model } : {}) };
        /** @type {{ grid: [number, number], helps: number[] }} */
        const { grid, helps } = await fetchJson(photo.uncertainty, query, signal);
        if (signal.aborted) return;
        const doubt = scaled(helps);
        this.stage.overlay = mapOf(grid, (k) => [...AMBER, 190 * doubt[k] ** 1.5]);
        const most = helps.indexOf(Math.max(...helps));
        this.stage.ring = [
          (((most % grid[0]) + 0.5) / grid[0]) * photo.size[0],
          ((Math.floor(most / grid[0]) + 0.5) / grid[1]) * photo.size[1],
        ];
      }
      if (!signal.aborted) this.stage.refresh();
    });
  }

  /** @param {(signal: AbortSignal) => Promise<void>} work */
  async #try(work) {
    this.#asking.abort();
    this.#asking = new AbortController();
    try {
      await work(this.#asking.signal);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === "aborted") return;
      this.#shown = "";
      this.store.dispatch({ type: "noticed", text: error.message });
    }
  }
}

/** Values from 0 to 1, their extremes left out. @param {readonly number[]} values */
function scaled(values) {
  const ordered = [...values].sort((a, b) => a - b);
  const low = ordered[Math.floor(0.02 * ordered.length)];
  const high = ordered[Math.floor(0.995 * (ordered.length - 1))];
  return values.map((value) => Math.min(Math.max((value - low) / (high - low || 1), 0), 1));
}

/**
 * @param {readonly [number, number]} grid
 * @param {(cell: number) => number[]} color  RGBA of a cell, 0 to 255
 */
function mapOf([width, height], color) {
  const canvas = make("canvas", { width: String(width), height: String(height) });
  const image = new ImageData(width, height);
  for (let k = 0; k < width * height; k++) image.data.set(color(k).map(Math.round), 4 * k);
  context2d(canvas).putImageData(image, 0, 0);
  return canvas;
}
