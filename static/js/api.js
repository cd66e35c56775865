/**
 * The server: one function a request, every failure an `ApiError` with words for people.
 *
 * @import { ColorizationLine, EditFile, Photo, Pick, Point, SampleLine, State } from "./core/types.js"
 */

import { WORDS } from "./words.js";

/** A request that failed; `kind` is the last part of the problem's type, or "offline". */
export class ApiError extends Error {
  /** @param {string} kind @param {string} message */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** Milliseconds after which a silent server counts as gone. */
const PATIENCE = 90_000;

/**
 * @param {string} url
 * @param {Blob | string} source  a photo, or the name of an example
 * @param {string} [name]  of the file
 * @returns {Promise<Photo>}
 */
export async function addPhoto(url, source, name) {
  if (typeof source === "string") return (await post(url, { example: source })).json();
  const form = new FormData();
  form.append("photo", source, name || (source instanceof File ? source.name : "pasted.png"));
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
 * Ask for samples, told one by one as they come.
 *
 * @param {Photo} photo
 * @param {{ model?: string, picks: readonly Pick[], edits: EditFile, draft?: boolean }} wish
 * @param {(sample: SampleLine) => void} onSample
 * @returns {Promise<ColorizationLine | null>}  null for a draft
 */
export async function colorize(photo, wish, onSample) {
  const response = await post(photo.colorizations, wish, { Accept: "application/x-ndjson" });
  /** @type {ColorizationLine | null} */
  let whole = null;
  for await (const line of linesOf(response)) {
    const entry = JSON.parse(line);
    if (entry.problem) throw problemError(entry.problem);
    if (entry.sample) onSample(entry.sample);
    else whole = entry.colorization;
  }
  if (!whole && !wish.draft) throw new ApiError("offline", WORDS.offline);
  return whole;
}

/**
 * What an earlier method makes of a photo.
 *
 * @param {Photo} photo
 * @param {{ method: string, edits?: EditFile }} wish
 * @returns {Promise<{ samples: SampleLine[] }>}
 */
export async function compare(photo, wish) {
  return bodyOf(await post(photo.comparisons, wish));
}

/**
 * @template T
 * @param {string} url
 * @param {Record<string, string>} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export async function fetchJson(url, query = {}, signal) {
  const search = new URLSearchParams(query).toString();
  return bodyOf(await call(search ? `${url}?${search}` : url, signal ? { signal } : {}), signal);
}

/**
 * The query for a place of a photo under a model, null where it lies outside.
 *
 * @param {State} state
 * @param {Point} place
 */
export function placeQuery({ photo, model }, [x, y]) {
  if (!photo || !(x >= 0 && y >= 0 && x <= photo.size[0] && y <= photo.size[1])) return null;
  return { x: x.toFixed(1), y: y.toFixed(1), ...(model ? { model } : {}) };
}

/** @param {Response} response @param {AbortSignal} [signal] */
async function bodyOf(response, signal) {
  try {
    return await response.json();
  } catch (error) {
    // The answer's body can be cut off after its head has come.
    if (signal?.aborted) throw new ApiError("aborted", "");
    throw asOffline(error);
  }
}

/** @param {string} url @returns {Promise<Blob>} */
export async function fetchFile(url) {
  return (await call(url)).blob();
}

/** @param {Response} response */
async function* linesOf(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (done) return;
    }
  } catch (error) {
    throw asOffline(error);
  }
}

/** What a cut connection throws, in words; anything else as it is. @param {unknown} error */
function asOffline(error) {
  return error instanceof TypeError ? new ApiError("offline", WORDS.offline) : error;
}

/** @param {string} url @param {object} body @param {Record<string, string>} [headers] */
function post(url, body, headers = {}) {
  return call(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** @param {string} url @param {RequestInit} [options] */
async function call(url, options = {}) {
  const patience = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
  let response;
  try {
    response = await fetch(url, { ...options, signal });
  } catch (error) {
    if (options.signal?.aborted) throw new ApiError("aborted", "");
    if (patience.aborted) throw new ApiError("timeout", WORDS.slow);
    throw asOffline(error);
  }
  if (response.ok) return response;
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("application/problem+json")) throw problemError(await response.json());
  throw new ApiError(response.status >= 502 ? "offline" : `http-${response.status}`, WORDS.failed);
}

/** @param {{ type: string, title: string, detail: string, status: number }} problem */
function problemError(problem) {
  const kind = String(problem.type).split(":").pop() ?? "";
  if (problem.status >= 500 && kind === "internal") return new ApiError(kind, WORDS.failed);
  return new ApiError(kind, `${problem.title}. ${problem.detail}`);
}
