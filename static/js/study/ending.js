/** The parts of the page that tell where a person is: progress, codes, the end. */

/**
 * @typedef {import("./server.js").StudyState} StudyState
 * @typedef {import("./stage.js").Times & {
 *   name: string, version: number, state: string, protocol: import("./stage.js").Protocol,
 *   practice: boolean, cantTell: boolean, timeLimit: number,
 *   device: { kind: string, minWidth: number },
 *   consentHash: string, entry: Record<string, string>, preview: boolean,
 *   turk: string, prolific: string,
 *   join: string, here: string, screen: string, votes: string, pictures: string,
 * }} Config  what the server says of the study on this page
 */

import { get, showSection } from "./elements.js";

const RETURN_AFTER = 20;

/** @param {string} code */
export function showWithdrawal(code) {
  for (const place of document.querySelectorAll("[data-withdrawal]")) place.textContent = code;
}

/** @param {StudyState} state */
export function showProgress(state) {
  const { done, total } = state.progress;
  const share = total ? Math.round((100 * done) / total) : 0;
  const bar = get("progress", HTMLElement);
  bar.setAttribute("aria-valuenow", String(share));
  const fill = bar.firstElementChild;
  if (fill instanceof HTMLElement) fill.style.width = `${share}%`;
  get("progress-text", HTMLElement).textContent = `${Math.min(done + 1, total)} of ${total}`;
  get("top", HTMLElement).hidden = state.phase !== "trial";
}

/**
 * The debrief with the completion code, and the ways back to where the person came from.
 *
 * @param {StudyState} state
 * @param {Config} config
 */
export function showEnd(state, config) {
  const code = state.completion_code ?? "";
  get("completion", HTMLElement).textContent = code;
  get("copy", HTMLElement).onclick = () => navigator.clipboard?.writeText(code);
  const turkCode = document.getElementById("turk-code");
  if (turkCode instanceof HTMLInputElement) turkCode.value = code;
  if (config.prolific) offerReturn(config.prolific);
  showSection("finished");
}

/**
 * A link back and a countdown; the code stays on the page if the way back fails.
 *
 * @param {string} url
 */
function offerReturn(url) {
  const link = get("return", HTMLAnchorElement);
  const text = get("return-text", HTMLElement);
  link.href = url;
  get("return-note", HTMLElement).hidden = false;
  let left = RETURN_AFTER;
  const tick = () => {
    text.textContent = left > 0 ? `You are taken back in ${left} seconds.` : "";
    if (left === 0) {
      clearInterval(timer);
      window.location.assign(url);
    }
    left -= 1;
  };
  const timer = setInterval(tick, 1000);
  tick();
}
