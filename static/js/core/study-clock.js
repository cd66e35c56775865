/**
 * The clock of one trial: it starts when the pictures are painted, and keeps what disturbed it.
 * Times are milliseconds of one steady clock.
 *
 * @typedef {{
 *   readonly painted: number | null,
 *   readonly away: number | null,
 *   readonly losses: number,
 *   readonly hidden: number,
 *   readonly pauses: number,
 *   readonly shows: number,
 * }} TrialClock  `away`: since when the page is out of sight or paused; `shows`: times put up
 */

/** @type {TrialClock} */
export const NEW_CLOCK = Object.freeze({
  painted: null,
  away: null,
  losses: 0,
  hidden: 0,
  pauses: 0,
  shows: 0,
});

/** An answer sooner than this after painting is the tail of a double tap. */
export const DOUBLE_TAP_MS = 150;

/**
 * The pictures are on the screen.
 *
 * @param {TrialClock} clock
 * @param {number} now
 * @returns {TrialClock}
 */
export function paint(clock, now) {
  return { ...clock, painted: now, shows: clock.shows + 1 };
}

/**
 * The person looks away: the page lost focus or was hidden.
 *
 * @param {TrialClock} clock
 * @param {number} now
 * @returns {TrialClock}
 */
export function lose(clock, now) {
  if (clock.away !== null) return clock;
  return { ...clock, away: now, losses: clock.losses + 1 };
}

/**
 * The person paused: the pictures are taken down, and the clock starts anew with the next paint.
 *
 * @param {TrialClock} clock
 * @param {number} now
 * @returns {TrialClock}
 */
export function pause(clock, now) {
  return { ...clock, painted: null, away: clock.away ?? now, pauses: clock.pauses + 1 };
}

/**
 * The person is back.
 *
 * @param {TrialClock} clock
 * @param {number} now
 * @returns {TrialClock}
 */
export function comeBack(clock, now) {
  if (clock.away === null) return clock;
  return { ...clock, away: null, hidden: clock.hidden + (now - clock.away) };
}

/**
 * Milliseconds from painting to an answer; null while nothing is up, or for a double tap.
 *
 * @param {TrialClock} clock
 * @param {number} now
 * @returns {number | null}
 */
export function responseTime(clock, now) {
  if (clock.painted === null) return null;
  const elapsed = now - clock.painted;
  return elapsed < DOUBLE_TAP_MS ? null : elapsed;
}
