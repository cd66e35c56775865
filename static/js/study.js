/**
 * The participant's page: consent, screen, practice, trials, debrief. The server says what comes
 * next; this shows it and sends answers, and keeps each until the server has it.
 *
 * @typedef {import("./study/server.js").StudyState} StudyState
 * @typedef {import("./study/server.js").Trial} Trial
 * @typedef {import("./core/study-outbox.js").Vote} Vote
 */

import { comeBack, lose, NEW_CLOCK, paint, pause, responseTime } from "./core/study-clock.js";
import { actionOf } from "./core/study-keys.js";
import { readVote, retryWait, verdict } from "./core/study-outbox.js";
import { get, showSection } from "./study/elements.js";
import { showEnd, showProgress, showWithdrawal } from "./study/ending.js";
import { Memory } from "./study/memory.js";
import { Pictures } from "./study/pictures.js";
import { fetchState, join, StudyError, sendScreen, sendVote } from "./study/server.js";
import { Stage } from "./study/stage.js";

/** @type {import("./study/ending.js").Config} */
const config = JSON.parse(document.body.dataset.config ?? "{}");
const who = config.entry.PROLIFIC_PID ?? config.entry.assignmentId ?? config.entry.invitation ?? "";
const memory = new Memory(`huefield-study/${config.name}/${config.version}/${who}/`);
const pictures = new Pictures(config.pictures);
const stage = new Stage(config.protocol, config);

let token = memory.get("token") ?? "";
let clock = NEW_CLOCK;
let clientKey = "";
let instructed = false;
let sending = false;
/** @type {StudyState | null} */
let state = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let limit;

/** What a person should read when a request failed for good. */
function fail(/** @type {unknown} */ error) {
  const known = error instanceof StudyError || error instanceof DOMException;
  get("broken-text", HTMLElement).textContent =
    error instanceof StudyError ? error.message : "The pictures could not be loaded.";
  showSection("broken");
  if (!known) throw error;
}

/** @returns {Promise<void>} */
async function start() {
  if (unsuited()) return;
  get("preview-note", HTMLElement).hidden = !config.preview;
  get("agree", HTMLButtonElement).disabled = config.preview;
  if (!token) return showSection(config.state === "open" ? "consent" : "closed");
  const unsent = readVote(memory.get("vote"));
  if (unsent) return deliver(unsent);
  try {
    await follow(await fetchState(config.here, token));
  } catch (error) {
    if (!(error instanceof StudyError) || (error.status !== 401 && error.status !== 410)) {
      return fail(error);
    }
    forget();
    showSection(config.state === "open" ? "consent" : "closed");
  }
}

function unsuited() {
  const phone = matchMedia("(pointer: coarse)").matches;
  const { kind, minWidth } = config.device;
  const text = get("unsuited-text", HTMLElement);
  if (kind === "phone" && !phone) text.textContent = "Please open this study on a phone.";
  else if (kind === "desktop" && phone)
    text.textContent = "Please open this study on a computer with a mouse or touchpad.";
  else if (window.innerWidth < minWidth)
    text.textContent = "Please use a wider window, or turn your phone sideways, and reload.";
  else return false;
  showSection("unsuited");
  return true;
}

function forget() {
  token = "";
  memory.set("token", null);
  memory.set("vote", null);
}

async function agree() {
  const button = get("agree", HTMLButtonElement);
  const fault = get("consent-fault", HTMLElement);
  button.disabled = true;
  fault.hidden = true;
  try {
    const joined = await join(config.join, {
      consent: true,
      consent_hash: config.consentHash,
      entry: config.entry,
      ...screenSize(),
      pointer: matchMedia("(pointer: coarse)").matches ? "coarse" : "fine",
    });
    token = joined.token;
    memory.set("token", token);
    await follow(joined.state);
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    fault.textContent = error.message;
    fault.hidden = false;
    button.disabled = false;
  }
}

/** @param {SubmitEvent} event */
async function answerScreen(event) {
  event.preventDefault();
  const form = new FormData(get("screen-form", HTMLFormElement));
  const fault = get("screen-fault", HTMLElement);
  fault.hidden = true;
  try {
    await follow(
      await sendScreen(config.screen, token, {
        color_vision: String(form.get("vision")),
        screen_steps: Number(form.get("steps")),
      }),
    );
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    fault.textContent = error.message;
    fault.hidden = false;
  }
}

/** @param {StudyState} next */
async function follow(next) {
  state = next;
  showWithdrawal(next.withdrawal_code);
  showProgress(next);
  if (next.phase === "finished") return showEnd(next, config);
  if (next.phase === "closed") {
    get("closed-code", HTMLElement).hidden = false;
    return showSection("closed");
  }
  if (next.phase === "screen") return showSection("screen");
  if (next.trial) pictures.load(next.trial).catch(() => undefined);
  if (!instructed) return showSection("instructions");
  clock = NEW_CLOCK;
  clientKey = crypto.randomUUID ? crypto.randomUUID() : randomKey();
  await present();
}

async function present() {
  const trial = state?.trial;
  if (!trial) return;
  get("practice-note", HTMLElement).hidden = !trial.practice;
  if (document.body.dataset.section !== "trial") showSection("trial");
  let ready;
  try {
    ready = await pictures.load(trial);
  } catch (error) {
    return fail(error);
  }
  const painted = await stage.show(trial, ready);
  if (painted === null) return;
  clock = paint(clock, painted);
  if (config.timeLimit) {
    limit = setTimeout(() => choose("timeout", performance.now(), "none"), config.timeLimit * 1000);
  }
  // The next pair is fetched while this one is looked at.
  pictures.keep([trial.key, state?.next?.key ?? ""]);
  if (state?.next) pictures.load(state.next).catch(() => undefined);
}

/**
 * @param {Vote["choice"]} choice
 * @param {number} now
 * @param {Vote["input"]} input
 */
function choose(choice, now, input) {
  const elapsed = responseTime(clock, now);
  const trial = stage.trial;
  if (elapsed === null || !trial || sending) return;
  clearTimeout(limit);
  clock = comeBack(clock, now);
  stage.clear();
  deliver({
    trial: trial.key,
    choice,
    client_key: clientKey,
    response_ms: round(elapsed),
    ...screenSize(),
    focus_losses: clock.losses,
    hidden_ms: round(clock.hidden),
    pauses: clock.pauses,
    shows: clock.shows,
    input,
  });
}

/**
 * Sends a vote until the server has it; it survives a reload on the way.
 *
 * @param {Vote} vote
 * @returns {Promise<void>}
 */
async function deliver(vote) {
  memory.set("vote", JSON.stringify(vote));
  sending = true;
  for (let failures = 0; ; ) {
    try {
      const stored = await sendVote(config.votes, token, vote);
      settle();
      instructed = true;
      return stored.feedback ? showFeedback(stored) : follow(stored.state);
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      const next = verdict(error.status);
      if (next !== "retry") {
        settle();
        return start();
      }
      failures += 1;
      get("offline", HTMLElement).hidden = false;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, retryWait(failures, Math.random()));
        window.addEventListener("online", () => resolve(clearTimeout(timer)), { once: true });
      });
    }
  }
}

function settle() {
  memory.set("vote", null);
  sending = false;
  get("offline", HTMLElement).hidden = true;
}

/** @param {{ feedback: import("./study/server.js").Feedback | null, state: StudyState }} stored */
function showFeedback(stored) {
  const right = stored.feedback?.right ?? false;
  get("feedback-title", HTMLElement).textContent = right ? "Right" : "Not quite";
  const fake = config.protocol === "real-or-fake" ? "had false colours" : "is the real-looking one";
  const first = config.protocol === "flip" ? "A" : "The first picture";
  const second = config.protocol === "flip" ? "B" : "The second picture";
  const answer = stored.feedback?.answer === "left" ? first : second;
  get("feedback-text", HTMLElement).textContent = `${answer} ${fake}. ${
    stored.state.trial?.practice ? "One more to practise." : "That was the practice. Now it counts."
  }`;
  showProgress(stored.state);
  showSection("feedback");
  get("feedback-next", HTMLButtonElement).onclick = () => follow(stored.state);
  state = stored.state;
  if (stored.state.trial) pictures.load(stored.state.trial).catch(() => undefined);
}

function takePause() {
  if (document.body.dataset.section !== "trial" || sending) return;
  clearTimeout(limit);
  stage.clear();
  clock = pause(clock, performance.now());
  showSection("paused");
}

function goOn() {
  clock = comeBack(clock, performance.now());
  present();
}

function screenSize() {
  return {
    width: window.innerWidth,
    height: window.innerHeight,
    pixel_ratio: round(window.devicePixelRatio),
  };
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

/** For pages that are not served over HTTPS, where `crypto.randomUUID` is missing. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Event} event */
function inputOf(event) {
  if (!(event instanceof PointerEvent) || event.pointerType === "") return "keyboard";
  return event.pointerType === "touch" || event.pointerType === "pen" ? event.pointerType : "mouse";
}

get("agree", HTMLElement).addEventListener("click", agree);
get("screen-form", HTMLElement).addEventListener("submit", answerScreen);
get("begin", HTMLElement).addEventListener("click", () => {
  instructed = true;
  if (state) follow(state);
});
get("pause", HTMLElement).addEventListener("click", takePause);
get("resume", HTMLElement).addEventListener("click", goOn);
get("retry", HTMLElement).addEventListener("click", () => (state?.trial ? present() : start()));
get("trial", HTMLElement).addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-choice]");
  if (!(button instanceof HTMLElement)) return;
  choose(/** @type {Vote["choice"]} */ (button.dataset.choice), event.timeStamp, inputOf(event));
});
document.addEventListener("keydown", (event) => {
  if (document.body.dataset.section !== "trial") return;
  const action = actionOf(event);
  if (action === null || (action === "cant-tell" && !config.cantTell)) return;
  if (action === "flip") {
    if (config.protocol !== "flip") return;
    stage.flip();
  } else {
    choose(action, event.timeStamp, "keyboard");
  }
  event.preventDefault();
});
for (const [target, type] of /** @type {const} */ ([
  [window, "blur"],
  [window, "focus"],
  [document, "visibilitychange"],
])) {
  target.addEventListener(type, (event) => {
    if (stage.trial === null) return;
    const gone = document.hidden || type === "blur";
    clock = (gone ? lose : comeBack)(clock, event.timeStamp);
  });
}
start();
