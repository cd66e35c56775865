/**
 * The server: one function a request, every failure an `ApiError` with words for people.
 *
 * @typedef {import("./core/state.js").Photo} Photo
 * @typedef {import("./core/state.js").Sample} Sample
 * @typedef {import("./core/edits.js").EditFile} EditFile
 * @typedef {{ name: string, title: string, credit: string, thumbnail: string }} Example
 * @typedef {{ name: string, description: string, default: boolean }} Model
 * @typedef {{ color: string, share: number }} Suggestion
 */

import { WORDS } from "./words.js";

/** A request that failed; `kind` is the last part of the problem's type, or "offline". */
export class ApiError extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** Milliseconds after which a silent server counts as gone. */
const PATIENCE = 90_000;

/**
 * @param {string} url
 * @returns {Promise<Model[]>}
 */
export async function fetchModels(url) {
  return (await (await call(url)).json()).models;
}

/**
 * @param {string} url
 * @returns {Promise<Example[]>}
 */
export async function fetchExamples(url) {
  return (await (await call(url)).json()).examples;
}

/**
 * @param {string} url
 * @param {Blob | string} source  a photo, or the name of an example
 * @returns {Promise<Photo>}
 */
export async function addPhoto(url, source) {
  if (typeof source === "string") return (await post(url, { example: source })).json();
  const form = new FormData();
  form.append("photo", source, source instanceof File ? source.name : "pasted.png");
  return (await call(url, { method: "POST", body: form })).json();
}

/**
 * Delete a photo; it expires by itself when that fails, so nobody has to know.
 *
 * @param {Photo} photo
 */
export async function removePhoto(photo) {
  try {
    await call(photo.url, { method: "DELETE", keepalive: true });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/**
 * @param {Photo} photo
 * @param {{ model: string, samples: number, seed: number, edits: EditFile }} wish
 * @returns {Promise<{ id: string, samples: Sample[] }>}
 */
export async function colorize(photo, wish) {
  const { model, ...rest } = wish;
  return (await post(photo.colorizations, model ? wish : rest)).json();
}

/**
 * @param {Photo} photo
 * @param {string} model
 * @param {import("./core/edits.js").Point} place
 * @param {AbortSignal} signal
 * @returns {Promise<Suggestion[]>}
 */
export async function fetchPalette(photo, model, place, signal) {
  const query = new URLSearchParams({ x: place[0].toFixed(1), y: place[1].toFixed(1) });
  if (model) query.set("model", model);
  return (await (await call(`${photo.palette}?${query}`, { signal })).json()).colors;
}

/**
 * @param {string} url
 * @returns {Promise<Blob>}
 */
export async function fetchFile(url) {
  return (await call(url)).blob();
}

/**
 * @param {string} url
 * @param {object} body
 */
function post(url, body) {
  return call(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 */
async function call(url, options = {}) {
  const patience = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
  let response;
  try {
    response = await fetch(url, { ...options, signal });
  } catch (error) {
    if (options.signal?.aborted) throw new ApiError("aborted", "");
    if (patience.aborted) throw new ApiError("timeout", WORDS.slow);
    if (error instanceof TypeError) throw new ApiError("offline", WORDS.offline);
    throw error;
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

/** @param {Response} response */
async function problemOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/problem+json")) {
    return new ApiError(`http-${response.status}`, WORDS.failed);
  }
  const problem = await response.json();
  const kind = String(problem.type).split(":").pop() ?? "";
  if (response.status >= 500 && kind === "internal") return new ApiError(kind, WORDS.failed);
  return new ApiError(kind, `${problem.title}. ${problem.detail}`);
}
