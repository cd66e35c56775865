/**
 * The studio page: makes the store and the views, and carries wishes to the server.
 *
 * @typedef {import("./core/state.js").State} State
 */

import {
  ApiError,
  addPhoto,
  colorize,
  fetchExamples,
  fetchFile,
  fetchModels,
  removePhoto,
} from "./api.js";
import { EditFileError, fromEditFile, toEditFile } from "./core/edits.js";
import { due } from "./core/requests.js";
import { NUM_SAMPLES, START } from "./core/state.js";
import { createStore } from "./core/store.js";
import { reduce } from "./core/studio.js";
import { element, make } from "./view/elements.js";
import { MessageView } from "./view/message-view.js";
import { PaletteView } from "./view/palette-view.js";
import { Pictures } from "./view/pictures.js";
import { download, watchSaveMenu } from "./view/save-view.js";
import { SheetView } from "./view/sheet-view.js";
import { StageInput } from "./view/stage-input.js";
import { StageView } from "./view/stage-view.js";
import { StartView } from "./view/start-view.js";
import { ToolView } from "./view/tool-view.js";
import { WORDS } from "./words.js";

const page = document.body.dataset;
const store = createStore(reduce, START);
const pictures = new Pictures();
const sheet = new SheetView(store, pictures);
const palette = new PaletteView(store);
const messages = new MessageView(store);
const tools = new ToolView(store);
const stage = new StageView(store, pictures, (page.sides ?? "").split(" ").map(Number));
const input = new StageInput(store);
const start = new StartView({
  open,
  openEdits,
  refuse: () => store.dispatch({ type: "noticed", text: WORDS.noImage }),
});

/** What the photo came from, to send it again when the server has forgotten it. @type {Blob | string} */
let source = "";
/** Photos opened so far; an answer for an earlier one is dropped. */
let opens = 0;

store.subscribe(() => {
  const number = due(store.state().requests);
  if (number) ask(number);
});
stage.onShown = () => {
  const state = store.state();
  if (!state.colorization && stage.grey) sheet.showGrey(stage.grey);
  if (stage.showsAnswer()) sheet.refresh();
  messages.setDrawing(Boolean(state.colorization) && !stage.isCurrent);
};
stage.onError = pictureFailed;
sheet.onError = pictureFailed;
input.onPointer = (place) => {
  stage.setPointer(place);
  palette.showHere(stage.colorHere());
};
input.onPlace = (place) => palette.suggestAt(place);
tools.onSpace = (held) => input.holdSpace(held);
tools.onClose = close;
watchSaveMenu({ save, saveEdits, openEdits });
prepare();

/** Models and examples; the page works without either. */
async function prepare() {
  const [examples, models] = await Promise.allSettled([
    fetchExamples(page.examples ?? ""),
    fetchModels(page.models ?? ""),
  ]);
  if (examples.status === "fulfilled") start.showExamples(examples.value);
  if (models.status === "fulfilled") offerModels(models.value);
}

/** @param {readonly import("./api.js").Model[]} models */
function offerModels(models) {
  const choice = element("model", HTMLSelectElement);
  for (const { name, description, default: chosen } of models) {
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    const option = make("option", { value: name, title: description }, label);
    option.selected = chosen;
    choice.append(option);
  }
  choice.addEventListener("change", () =>
    store.dispatch({ type: "model-chosen", model: choice.value }),
  );
  element("model-box", HTMLElement).hidden = models.length < 2;
}

/** @param {Blob | string} from */
async function open(from) {
  const turn = ++opens;
  const old = store.state().photo;
  store.dispatch({ type: "open-started" });
  try {
    const photo = await addPhoto(page.photos ?? "", from);
    if (turn !== opens) return void removePhoto(photo);
    source = from;
    store.dispatch({ type: "opened", photo });
    if (photo.has_color) store.dispatch({ type: "noticed", text: WORDS.colorPhoto });
    if (old) removePhoto(old);
  } catch (error) {
    if (turn === opens) store.dispatch({ type: "open-failed", text: wordsFor(error, true) });
  }
}

function close() {
  const { photo } = store.state();
  opens++;
  source = "";
  store.dispatch({ type: "closed" });
  if (photo) removePhoto(photo);
}

/**
 * Ask the server for the samples of the present wish.
 *
 * @param {number} number
 */
async function ask(number) {
  const { photo, model, seed, history } = store.state();
  if (!photo) return;
  const edits = history.present;
  store.dispatch({ type: "request-sent", number });
  try {
    const wish = {
      model,
      samples: NUM_SAMPLES,
      seed,
      edits: toEditFile(edits, photo.size[0], photo.size[1]),
    };
    const { id, samples } = await colorize(photo, wish);
    store.dispatch({ type: "request-answered", number, colorization: { id, samples, edits } });
    stage.onShown();
  } catch (error) {
    if (await sentAgain(error, photo)) return;
    store.dispatch({ type: "request-failed", number, text: wordsFor(error, false) });
  }
}

/**
 * Whether the server had forgotten the photo and has it again now.
 *
 * @param {unknown} error
 * @param {import("./core/state.js").Photo} photo
 */
async function sentAgain(error, photo) {
  if (!(error instanceof ApiError) || error.kind !== "photo-not-found" || !source) return false;
  const turn = opens;
  try {
    const again = await addPhoto(page.photos ?? "", source);
    if (turn !== opens || store.state().photo !== photo) return true;
    store.dispatch({ type: "reopened", photo: again });
    return true;
  } catch (second) {
    if (!(second instanceof ApiError)) throw second;
    return false;
  }
}

/** @param {unknown} error */
async function pictureFailed(error) {
  const { photo } = store.state();
  if (!photo || (await sentAgain(error, photo))) return;
  // The answer came, but not its pictures: asking again brings both.
  store.dispatch({ type: "pictures-failed", text: wordsFor(error, false) });
}

/** @param {string} format */
async function save(format) {
  const { photo, colorization, selected } = store.state();
  if (!photo || !colorization) return;
  messages.setSaving(true);
  try {
    const blob = await fetchFile(`${colorization.samples[selected].download}?format=${format}`);
    download(blob, `${photo.name}-${selected + 1}.${format}`);
  } catch (error) {
    if (!(await sentAgain(error, photo))) {
      store.dispatch({ type: "noticed", text: wordsFor(error, false) });
    } else {
      store.dispatch({ type: "noticed", text: WORDS.expired });
    }
  } finally {
    messages.setSaving(false);
  }
}

function saveEdits() {
  const { photo, history } = store.state();
  if (!photo) return;
  const file = toEditFile(history.present, photo.size[0], photo.size[1]);
  const blob = new Blob([JSON.stringify(file, null, 1)], { type: "application/json" });
  download(blob, `${photo.name}-strokes.json`);
}

/** @param {File} file */
async function openEdits(file) {
  const { photo } = store.state();
  if (!photo) return void store.dispatch({ type: "noticed", text: WORDS.noImage });
  try {
    const edits = fromEditFile(await file.text(), photo.size[0], photo.size[1]);
    store.dispatch({ type: "edits-loaded", edits });
  } catch (error) {
    if (!(error instanceof EditFileError)) throw error;
    store.dispatch({ type: "noticed", text: error.message });
  }
}

/**
 * @param {unknown} error
 * @param {boolean} opening
 */
function wordsFor(error, opening) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return WORDS.failed;
  }
  return opening && error.kind === "offline" ? WORDS.openOffline : error.message;
}
