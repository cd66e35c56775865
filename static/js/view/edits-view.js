/**
 * The list of edits, the latest on top: choose, hide, reorder, set the strength of, delete.
 *
 * @import { Edit, Store } from "../core/types.js"
 */

import { say, WORDS } from "../words.js";
import { button, element, make, makeButton, makeIcon, onClick, press } from "./elements.js";
import { colorOf } from "./stage-painter.js";

export class EditsView {
  #list = element("edit-list");
  /** @type {WeakMap<Edit, Element>} */
  #rows = new WeakMap();

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    onClick("clear", () => store.dispatch({ type: "edits-cleared" }));
    store.subscribe((state, before) => {
      if (state.history.present !== before.history.present) this.#lay();
      else if (state.chosen !== before.chosen) this.#mark();
    });
  }

  #lay() {
    const edits = this.store.state().history.present;
    const held = document.activeElement;
    const focus =
      held instanceof HTMLElement && this.#list.contains(held) ? held.dataset.key : null;
    const rows = edits.map((edit) => this.#row(edit)).reverse();
    for (const row of [...this.#list.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, k) => {
      const there = this.#list.children[k] ?? null;
      if (row !== there) this.#list.insertBefore(row, there);
    });
    element("edits-none").hidden = edits.length > 0;
    element("edits-count").textContent = edits.length > 0 ? String(edits.length) : "";
    button("clear").disabled = edits.length === 0;
    this.#mark();
    // A row made anew keeps the focus on the button in use.
    if (focus) this.#find(focus)?.focus();
  }

  /** @param {string} key @returns {HTMLElement | null} */
  #find(key) {
    return this.#list.querySelector(`[data-key="${key}"]`);
  }

  #mark() {
    const { chosen } = this.store.state();
    for (const row of this.#list.querySelectorAll(".edit-name")) {
      press(row, row.getAttribute("data-key") === `name-${chosen}`);
    }
  }

  /** The row of an edit, made once. @param {Edit} edit */
  #row(edit) {
    const known = this.#rows.get(edit);
    if (known) return known;
    const { id } = edit;
    const name = say(WORDS.edit_name, { kind: kindOf(edit), number: id });
    const chip = make("i", { class: "chip", "data-kind": edit.kind });
    if (edit.kind === "color") chip.style.setProperty("--chip", colorOf(edit));
    const title = makeButton(
      { class: "edit-name", "data-key": `name-${id}` },
      () => this.store.dispatch({ type: "edit-chosen", id }),
      chip,
      name,
    );
    const strength = make("input", {
      type: "range",
      min: "0",
      max: "100",
      step: "5",
      value: String(Math.round(100 * edit.strength)),
      "aria-label": say(WORDS.edit_strength, { name }),
      "data-key": `strength-${id}`,
    });
    strength.addEventListener("change", () =>
      this.store.dispatch({
        type: "edit-changed",
        id,
        change: { strength: Number(strength.value) / 100 },
      }),
    );
    const hide = edit.hidden ? WORDS.edit_show : WORDS.edit_hide;
    const eye = this.#button("hide", "eye", say(hide, { name }), id, () =>
      this.store.dispatch({ type: "edit-changed", id, change: { hidden: !edit.hidden } }),
    );
    press(eye, edit.hidden);
    const row = make(
      "li",
      { class: "edit" },
      title,
      ...(edit.kind === "tie" ? [] : [strength]),
      eye,
      this.#button("up", "up", say(WORDS.edit_up, { name }), id, () =>
        this.store.dispatch({ type: "edit-reordered", id, by: 1 }),
      ),
      this.#button("down", "below", say(WORDS.edit_down, { name }), id, () =>
        this.store.dispatch({ type: "edit-reordered", id, by: -1 }),
      ),
      this.#button("delete", "bin", say(WORDS.edit_delete, { name }), id, () =>
        this.store.dispatch({ type: "edit-removed", id }),
      ),
    );
    row.toggleAttribute("data-hidden", edit.hidden);
    this.#rows.set(edit, row);
    return row;
  }

  /**
   * @param {string} key
   * @param {string} icon
   * @param {string} name
   * @param {number} id
   * @param {() => void} act
   */
  #button(key, icon, name, id, act) {
    const about = { class: "small", title: name, "aria-label": name, "data-key": `${key}-${id}` };
    return makeButton(about, act, makeIcon(icon));
  }
}

/** @param {Edit} edit */
function kindOf(edit) {
  if (edit.kind === "keep") return WORDS.edit_keep;
  if (edit.kind === "tie") return WORDS.edit_tie;
  if (edit.ab && edit.ab[0] === 0 && edit.ab[1] === 0) return WORDS.edit_neutral;
  return edit.points.length === 1 ? WORDS.edit_point : WORDS.edit_color;
}
