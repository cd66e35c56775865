/** The tabs under the contact sheet; on a phone they come up from below. */

import { button, element, onClick } from "./elements.js";

const NAMES = ["color", "edits", "finish"];

export class Trays {
  #box = element("trays");
  #sheet = element("sheet");

  constructor() {
    NAMES.forEach((name, index) => {
      const tab = button(`tab-${name}`);
      tab.addEventListener("click", () => this.show(name));
      tab.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const next = NAMES[(index + by + NAMES.length) % NAMES.length];
        this.show(next);
        button(`tab-${next}`).focus();
      });
    });
    for (const opener of document.querySelectorAll("[data-panel]")) {
      opener.addEventListener("click", () => {
        const name = opener.getAttribute("data-panel") ?? NAMES[0];
        const open = "open" in this.#box.dataset && !element(`tray-${name}`).hidden;
        this.show(name);
        this.#box.toggleAttribute("data-open", !open);
      });
    }
    onClick("sheet-options", () => this.#openOptions(!("open" in this.#sheet.dataset)));
    onClick("trays-close", () => this.close());
    element("stage").addEventListener("pointerdown", () => this.close());
  }

  /** @param {string} name */
  show(name) {
    for (const each of NAMES) {
      const tab = button(`tab-${each}`);
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
      element(`tray-${each}`).hidden = each !== name;
    }
  }

  close() {
    this.#box.removeAttribute("data-open");
    this.#openOptions(false);
  }

  /** @param {boolean} open */
  #openOptions(open) {
    this.#sheet.toggleAttribute("data-open", open);
    button("sheet-options").setAttribute("aria-expanded", String(open));
  }
}
