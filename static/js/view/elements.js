/** Elements of the page by id, checked once, so that a missing one is said with its name. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return found;
}

/** @param {string} id */
export function button(id) {
  return element(id, HTMLButtonElement);
}

/**
 * A new element with text and attributes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * An icon of the page's sprite.
 *
 * @param {string} name
 */
export function makeIcon(name) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  icon.append(use);
  return icon;
}

/**
 * @param {string} id
 * @param {boolean} pressed
 */
export function press(id, pressed) {
  button(id).setAttribute("aria-pressed", String(pressed));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} [isRead]  whether its pixels are read often
 * @returns {CanvasRenderingContext2D}
 */
export function context2d(canvas, isRead = false) {
  const context = canvas.getContext("2d", { willReadFrequently: isRead });
  if (!context) throw new Error("This browser has no 2D canvas.");
  return context;
}
