/**
 * Two pictures compared: split by a divider, side by side with joint zoom, or flipped by a key.
 *
 * @import { CompareMode, State, Store } from "../core/types.js"
 */

import { RIVAL, titleOf } from "../core/methods.js";
import { say, WORDS } from "../words.js";
import { element, make, onClick, onDrag, press } from "./elements.js";

export class CompareView {
  #bar = element("compare-bar");
  #divider = element("divider");
  #other = element("compare-other", HTMLSelectElement);

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    onClick("compare", () => this.toggle());
    for (const mode of this.#modes()) {
      const name = /** @type {CompareMode} */ (mode.dataset.mode);
      mode.addEventListener("click", () => this.#change({ mode: name }));
      if (name !== "flip") continue;
      const flip = (/** @type {boolean} */ flipped) => store.dispatch({ type: "flipped", flipped });
      mode.addEventListener("pointerdown", () => {
        this.#change({ mode: "flip" });
        flip(true);
      });
      for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
        mode.addEventListener(end, () => flip(false));
      }
    }
    this.#other.addEventListener("change", () =>
      this.#change({ other: Number(this.#other.value) }),
    );
    onDrag(this.#divider, (event) => {
      const box = element("stage").getBoundingClientRect();
      this.#slide((event.clientX - box.left) / box.width);
    });
    this.#divider.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      const { compare } = store.state();
      if (!by || !compare) return;
      event.preventDefault();
      this.#slide(compare.at + by);
    });
    store.subscribe((state, before) => {
      const parts = /** @type {const} */ (["compare", "sheet", "rival"]);
      if (parts.some((part) => state[part] !== before[part])) this.#show();
    });
  }

  toggle() {
    const { compare, selected } = this.store.state();
    // The grey photo is what a person compares with first, unless a favourite asks for it.
    const star = this.store.state().sheet.findIndex(({ star: is }, k) => is && k !== selected);
    this.store.dispatch({
      type: "compared",
      compare: compare ? null : { mode: "split", other: star, at: 0.5 },
    });
  }

  /** @param {Partial<NonNullable<State["compare"]>>} change */
  #change(change) {
    const { compare } = this.store.state();
    if (compare) this.store.dispatch({ type: "compared", compare: { ...compare, ...change } });
  }

  /** @param {number} at */
  #slide(at) {
    this.#change({ at: Math.min(Math.max(at, 0.02), 0.98) });
  }

  #modes() {
    return /** @type {HTMLButtonElement[]} */ ([...this.#bar.querySelectorAll("[data-mode]")]);
  }

  #show() {
    const { compare, sheet, rival } = this.store.state();
    press("compare", compare !== null);
    this.#bar.hidden = compare === null;
    this.#divider.hidden = compare?.mode !== "split";
    if (!compare) return;
    for (const mode of this.#modes()) press(mode, mode.dataset.mode === compare.mode);
    this.#divider.style.left = `${100 * compare.at}%`;
    this.#divider.setAttribute("aria-valuenow", String(Math.round(100 * compare.at)));
    this.#other.replaceChildren(
      make("option", { value: "-1" }, WORDS.grey_photo),
      ...sheet.map((_, k) =>
        make("option", { value: String(k) }, say(WORDS.sample, { number: k + 1 })),
      ),
    );
    if (rival) {
      const name = { title: titleOf(this.store.state(), rival.name), number: rival.index + 1 };
      this.#other.append(make("option", { value: String(RIVAL) }, say(WORDS.method_sample, name)));
    }
    this.#other.value = String(compare.other);
  }
}
