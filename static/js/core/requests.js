/**
 * The order of requests: one at a time, always for the latest wish, and no answer older than
 * the one on show.
 *
 * @import { Requests } from "./types.js"
 */

/** @type {Requests} */
export const NO_REQUESTS = Object.freeze({ asked: 0, sent: 0, shown: 0, failed: false });

/**
 * A new wish; it also takes up again what failed.
 *
 * @param {Requests} requests
 * @returns {Requests}
 */
export function ask(requests) {
  return { ...requests, asked: requests.asked + 1, failed: false };
}

/**
 * The number to send now, or 0 while one is under way, after a failure, and when all is on show.
 *
 * @param {Requests} requests
 */
export function due(requests) {
  if (requests.sent !== 0 || requests.failed || requests.asked === requests.shown) return 0;
  return requests.asked;
}

/** @param {Requests} requests @param {number} number @returns {Requests} */
export function send(requests, number) {
  return { ...requests, sent: number };
}

/** @param {Requests} requests @param {number} number @returns {Requests} */
export function answer(requests, number) {
  if (!isNews(requests, number)) return requests;
  return { ...requests, sent: 0, shown: number };
}

/** @param {Requests} requests @param {number} number @returns {Requests} */
export function fail(requests, number) {
  if (number !== requests.sent) return requests;
  // A newer wish is already waiting: it goes out instead of a complaint.
  return { ...requests, sent: 0, failed: requests.asked === number };
}

/**
 * Everything asked so far is of no interest any more; numbers go on, so late answers stay stale.
 *
 * @param {Requests} requests
 * @returns {Requests}
 */
export function forget(requests) {
  return { asked: requests.asked, sent: 0, shown: requests.asked, failed: false };
}

/**
 * Whether the answer to that wish is still wanted.
 *
 * @param {Requests} requests
 * @param {number} number
 */
export function isNews(requests, number) {
  return number === requests.sent && number > requests.shown;
}

/** @param {Requests} requests */
export function isWaiting(requests) {
  return !requests.failed && requests.asked !== requests.shown;
}
