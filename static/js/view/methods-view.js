/**
 * The drawer of earlier methods: our colourings and theirs in rows of the same size; a click shows
 * one on the stage beside ours.
 *
 * @import { Action, Method, Row, State, Store } from "../core/types.js"
 * @import { Prints } from "./prints.js"
 */

import { offered, RIVAL, rowWord, titleOf } from "../core/methods.js";
import { wordAt } from "../core/state.js";
import { say, WORDS } from "../words.js";
import {
  ARROWS,
  button,
  drawSmall,
  element,
  make,
  makeButton,
  onClick,
  press,
} from "./elements.js";

/** Longer side of a picture. */
const SIDE = 256;
/** Places that wait for a method's first answer. */
const PLACES = 6;
const SHOWN = /** @type {const} */ ([
  ...["photo", "methods", "drawer", "rows", "rival", "history", "sheet", "selected"],
]);

export class MethodsView {
  #drawer = element("methods");
  #list = element("method-list");
  #rows = element("method-rows");

  /** @param {Store} store @param {Prints} prints */
  constructor(store, prints) {
    this.store = store;
    this.prints = prints;
    prints.onSmall.push((word) => this.#draw(word));
    onClick("methods-open", () => this.#open(!store.state().drawer));
    onClick("methods-close", () => this.#open(false));
    this.#drawer.addEventListener("keydown", (event) => this.#key(event));
    store.subscribe((state, before) => {
      const turned = state.compare?.other !== before.compare?.other;
      if (turned || SHOWN.some((part) => state[part] !== before[part])) this.#lay(state);
    });
  }

  /** @param {boolean} drawer */
  #open(drawer) {
    this.store.dispatch({ type: "drawer-shown", drawer });
    button(drawer ? "methods-close" : "compare").focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const [by] = ARROWS[event.key] ?? [0];
    const held = document.activeElement;
    const next = by > 0 ? held?.nextElementSibling : held?.previousElementSibling;
    if (event.key === "Escape") this.#open(false);
    else if (by && next instanceof HTMLButtonElement) next.focus();
  }

  /** @param {State} state */
  #lay(state) {
    const known = offered(state);
    const shown = state.drawer && state.photo !== null && known.length > 0;
    const opener = button("methods-open");
    opener.hidden = known.length === 0;
    opener.setAttribute("aria-expanded", String(shown));
    this.#drawer.hidden = !shown;
    if (!shown) return;
    const held = document.activeElement?.getAttribute("data-key");
    const scrolled = this.#strips().map(({ scrollLeft }) => scrollLeft);
    const choices = known.map(({ name, description, kind }) => {
      const about = { class: "button", title: description || WORDS[`method_${kind}`] };
      const made = this.#button(about, { type: "method-chosen", name }, titleOf(state, name));
      press(made, state.rows.has(name));
      return made;
    });
    this.#list.replaceChildren(...choices);
    const own = state.sheet.map((_, index) => {
      const name = say(WORDS.sample, { number: index + 1 });
      const word = wordAt(state, index);
      const picture = this.#picture(word, index, name, { type: "sample-chosen", index });
      press(picture, index === state.selected);
      return picture;
    });
    this.#rows.replaceChildren(rowOf(WORDS.methods_ours, "", own));
    for (const method of known) {
      const row = state.rows.get(method.name);
      if (row) this.#rows.append(this.#row(state, method, row));
    }
    const again = [...this.#drawer.querySelectorAll("button")].find((b) => b.dataset.key === held);
    if (held) again?.focus();
    this.#strips().forEach((strip, k) => {
      strip.scrollLeft = scrolled[k] ?? 0;
    });
  }

  #strips() {
    return [...this.#rows.querySelectorAll(".strip")];
  }

  /** @param {State} state @param {Method} method @param {Row} row */
  #row(state, { name, kind, description, seconds }, { results, busy, text }) {
    const title = titleOf(state, name);
    if (text) {
      const change = { text: "", edits: null };
      const action = { type: "row-changed", name, photo: state.photo?.id ?? "", change };
      const again = this.#button({ class: "button" }, /** @type {Action} */ (action), WORDS.retry);
      return rowOf(title, description, [make("p", { role: "alert" }, text), again]);
    }
    const waits = busy || results.length === 0;
    const waiting = seconds ? say(WORDS.method_seconds, { seconds }) : WORDS.method_waits;
    const shown = state.compare?.other === RIVAL && state.rival?.name === name;
    const count = results.length || (kind === "strokes" ? 1 : PLACES);
    const pictures = Array.from({ length: count }, (_, index) => {
      const label = say(WORDS.method_sample, { title, number: index + 1 });
      const word = rowWord(name, index);
      const picture = this.#picture(word, index, label, { type: "rival-chosen", name, index });
      press(picture, shown && index === state.rival?.index);
      picture.disabled = results.length === 0;
      picture.toggleAttribute("data-waiting", waits);
      return picture;
    });
    return rowOf(title, waits ? waiting : description, pictures);
  }

  /** @param {string} word @param {number} index @param {string} label @param {Action} action */
  #picture(word, index, label, action) {
    const canvas = make("canvas", { "data-word": word });
    const badge = make("span", { class: "number" }, String(index + 1));
    this.#draw(word, canvas);
    return this.#button({ class: "tile choice", "aria-label": label }, action, canvas, badge);
  }

  /** @param {Record<string, string>} about @param {Action} action @param {(Node | string)[]} parts */
  #button(about, action, ...parts) {
    const key = JSON.stringify(action);
    return makeButton({ ...about, "data-key": key }, () => this.store.dispatch(action), ...parts);
  }

  /** Draw a picture if it is here. @param {string} word @param {Element | null} [canvas] */
  #draw(word, canvas = this.#rows.querySelector(`[data-word="${word}"]`)) {
    const picture = this.prints.small(word);
    if (canvas instanceof HTMLCanvasElement && picture) drawSmall(canvas, picture.bitmap, SIDE);
  }
}

/** @param {string} title @param {string} hint @param {Node[]} parts */
function rowOf(title, hint, parts) {
  const head = make("h3", {}, title, " ", make("small", {}, hint));
  return make("section", { "aria-label": title }, head, make("div", { class: "strip" }, ...parts));
}
