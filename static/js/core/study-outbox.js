/**
 * Answers that the server has not confirmed yet. They outlive a reload as text.
 *
 * @typedef {{
 *   trial: string,
 *   choice: "left" | "right" | "cant-tell" | "timeout",
 *   client_key: string,
 *   response_ms: number,
 *   width: number,
 *   height: number,
 *   pixel_ratio: number,
 *   focus_losses: number,
 *   hidden_ms: number,
 *   pauses: number,
 *   shows: number,
 *   input: "keyboard" | "mouse" | "touch" | "pen" | "none",
 * }} Vote
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/**
 * The vote that a stored text holds, or null.
 *
 * @param {string | null} text
 * @returns {Vote | null}
 */
export function readVote(text) {
  if (text === null) return null;
  try {
    const vote = JSON.parse(text);
    return typeof vote?.trial === "string" && typeof vote.client_key === "string" ? vote : null;
  } catch {
    return null;
  }
}

/**
 * Milliseconds until a vote is sent again after that many failures, somewhat at random so that
 * many pages do not come back at once.
 *
 * @param {number} failures
 * @param {number} chance  0 to 1
 */
export function retryWait(failures, chance) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1)) * (0.75 + 0.5 * chance);
}

/**
 * What to do with the answer to a vote: it is stored, it is of no use any more, or try again.
 *
 * @param {number} status  0 when there was no answer
 * @returns {"stored" | "stale" | "retry" | "gone"}
 */
export function verdict(status) {
  if (status >= 200 && status < 300) return "stored";
  if (status === 409 || status === 404 || status === 422) return "stale";
  if (status === 401 || status === 410) return "gone";
  return "retry";
}
