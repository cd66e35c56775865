/**
 * The server of a study: one function a request. Nobody's identity is a cookie: the token goes
 * with each request.
 *
 * @typedef {{
 *   key: string, practice: boolean, width: number, height: number,
 *   pictures: [string, string], gray: string | null,
 * }} Trial
 * @typedef {{
 *   phase: "screen" | "trial" | "finished" | "closed",
 *   withdrawal_code: string,
 *   progress: { done: number, total: number },
 *   trial?: Trial, next?: Trial | null,
 *   completion_code?: string, source?: string,
 * }} StudyState
 * @typedef {{ right: boolean, answer: "left" | "right" }} Feedback
 * @typedef {import("../core/study-outbox.js").Vote} Vote
 */

const PATIENCE = 20_000;

/** An answer that is no success; `status` is 0 when there was none. */
export class StudyError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} url
 * @param {object} body
 * @returns {Promise<{ token: string, state: StudyState }>}
 */
export function join(url, body) {
  return call(url, "", body);
}

/**
 * @param {string} url
 * @param {string} token
 * @returns {Promise<StudyState>}
 */
export function fetchState(url, token) {
  return call(url, token);
}

/**
 * @param {string} url
 * @param {string} token
 * @param {{ color_vision: string, screen_steps: number }} body
 * @returns {Promise<StudyState>}
 */
export function sendScreen(url, token, body) {
  return call(url, token, body);
}

/**
 * @param {string} url
 * @param {string} token
 * @param {Vote} vote
 * @returns {Promise<{ feedback: Feedback | null, state: StudyState }>}
 */
export function sendVote(url, token, vote) {
  return call(url, token, vote);
}

/**
 * @param {string} url
 * @param {string} token
 * @param {object} [body]
 */
async function call(url, token, body) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers,
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new StudyError(0, "There is no connection.");
  }
  if (response.ok) return response.json();
  const type = response.headers.get("Content-Type") ?? "";
  const problem = type.startsWith("application/problem+json") ? await response.json() : null;
  throw new StudyError(
    response.status,
    problem ? `${problem.title}. ${problem.detail}` : "The server failed.",
  );
}
