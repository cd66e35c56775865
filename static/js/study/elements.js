/** Elements of the study page by id. */

/**
 * The element with that id.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} kind
 * @returns {E}
 */
export function get(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`expected a ${kind.name} with the id ${id}`);
  return found;
}

/**
 * Shows one of the page's sections and moves the focus to its heading.
 *
 * @param {string} name
 */
export function showSection(name) {
  for (const section of document.querySelectorAll("main > section")) {
    if (section instanceof HTMLElement) section.hidden = section.id !== name;
  }
  document.body.dataset.section = name;
  const heading = document.querySelector(`#${name} h1, #${name} h2`);
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Resolves with the time at which what was just changed has been painted. */
export function nextPaint() {
  return new Promise((/** @type {(time: number) => void} */ resolve) => {
    // The first frame paints the change; the second begins once that frame is out.
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
}
