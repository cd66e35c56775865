/**
 * What this browser keeps of a participation, so that a reload loses nothing: the token and an
 * answer on its way. In a frame whose storage is blocked it lives as long as the page.
 */

/** @type {Map<string, string>} */
const own = new Map();

/** Values by name, under one key of a study and a way in. */
export class Memory {
  /** @param {string} prefix */
  constructor(prefix) {
    this.prefix = prefix;
  }

  /**
   * @param {string} name
   * @returns {string | null}
   */
  get(name) {
    try {
      return localStorage.getItem(this.prefix + name);
    } catch {
      return own.get(this.prefix + name) ?? null;
    }
  }

  /**
   * @param {string} name
   * @param {string | null} value  null forgets it
   */
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, value);
    } catch {
      if (value === null) own.delete(this.prefix + name);
      else own.set(this.prefix + name, value);
    }
  }
}
