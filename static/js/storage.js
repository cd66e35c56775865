/**
 * What a reload brings back, in the browser's own database: the photos with their edits, by tab.
 *
 * @import { Kept } from "./core/types.js"
 */

const NAME = "huefield";
const STORE = "works";
/** Days after which what was left behind is forgotten. */
const LIFETIME = 30 * 24 * 3600 * 1000;

/** The name of this tab, the same after a reload. */
export function tabName() {
  const known = sessionStorage.getItem("tab");
  if (known) return known;
  const fresh = freshName();
  sessionStorage.setItem("tab", fresh);
  return fresh;
}

/** A name that nothing else has. */
export function freshName() {
  return crypto.getRandomValues(new Uint32Array(3)).join("-");
}

/** @returns {Promise<Kept[]>}  the latest first */
export async function loadAll() {
  const database = await open();
  /** @type {Kept[]} */
  const all = await done(database.transaction(STORE).objectStore(STORE).getAll());
  const now = Date.now();
  const old = all.filter(({ at }) => now - at > LIFETIME);
  for (const { key } of old) await forget(key);
  return all.filter((kept) => !old.includes(kept)).sort((a, b) => b.at - a.at);
}

/** @param {Kept} kept */
export async function keep(kept) {
  const database = await open();
  const transaction = database.transaction(STORE, "readwrite");
  const request = transaction.objectStore(STORE).put(kept);
  // Holds even when the page goes away now.
  transaction.commit();
  await done(request);
}

/** @param {string} key */
export async function forget(key) {
  const database = await open();
  await done(database.transaction(STORE, "readwrite").objectStore(STORE).delete(key));
}

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
