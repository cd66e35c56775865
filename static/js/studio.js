/**
 * The studio page: makes store, views and session, and opens photos.
 *
 * @import { Example, Method, Model, Point } from "./core/types.js"
 */

import { addPhoto, fetchFile, fetchJson, removePhoto } from "./api.js";
import { followRows } from "./comparing.js";
import { START } from "./core/state.js";
import { createStore } from "./core/store.js";
import { reduce } from "./core/studio.js";
import { Darkroom } from "./darkroom.js";
import { Downloads } from "./downloads.js";
import { Film } from "./film.js";
import { Session, wordsFor } from "./session.js";
import { CompareView } from "./view/compare-view.js";
import { EditsView } from "./view/edits-view.js";
import { element, make } from "./view/elements.js";
import { FinishView } from "./view/finish-view.js";
import { HelpView } from "./view/help-view.js";
import { InsightView } from "./view/insight-view.js";
import { Keys } from "./view/keys.js";
import { MessageView } from "./view/message-view.js";
import { MethodsView } from "./view/methods-view.js";
import { PaletteView } from "./view/palette-view.js";
import { Prints } from "./view/prints.js";
import { ReferenceView } from "./view/reference-view.js";
import { SheetView } from "./view/sheet-view.js";
import { StageInput } from "./view/stage-input.js";
import { StageView } from "./view/stage-view.js";
import { StartView } from "./view/start-view.js";
import { ToolView } from "./view/tool-view.js";
import { Trays } from "./view/trays.js";
import { WORDS } from "./words.js";

const page = document.body.dataset;
const store = createStore(reduce, START);
const session = new Session(store, page.photos ?? "");
const prints = new Prints(new Darkroom(page.joiner ?? ""));
const sides = (page.sides ?? "").split(" ").map(Number);
const stage = new StageView(store, prints, loadPicture, sides);
const sheet = new SheetView(store, prints);
const palette = new PaletteView(store);
const messages = new MessageView(store);
const downloads = new Downloads(store, session, (text) => messages.setSaving(text));
const film = new Film(store, session);
const tools = new ToolView(store);
const keys = new Keys(store);
const compare = new CompareView(store);
const insight = new InsightView(store, stage);
const help = new HelpView();
const input = new StageInput(store);
const start = new StartView({
  open,
  openEdits: (file) => downloads.openEdits(file),
  refuse: () => store.dispatch({ type: "noticed", text: WORDS.no_image }),
});
new EditsView(store);
new MethodsView(store, prints);
new ReferenceView(store, loadPicture);
new Trays();
new FinishView(store, {
  save: (format, layer) => downloads.save(format, layer),
  saveStars: () => downloads.saveStars(),
  saveEdits: () => downloads.saveEdits(),
  openEdits: (file) => downloads.openEdits(file),
});

/** Times photos were opened; an answer for an earlier one is dropped. */
let opens = 0;
/** Moments that measures begin with, 0 when none is under way. */
let ended = 0;
let followed = 0;
let brought = 0;
let sampled = 0;

stage.onShown = () => {
  const { colorization } = store.state();
  if (stage.grey) {
    seen();
    film.setThumb(stage.grey);
    sheet.showGrey(stage.grey);
  }
  messages.setDrawing(Boolean(colorization) && !stage.isCurrent);
  if (ended && stage.isCurrent && !store.state().draft) {
    performance.measure("stroke to picture", { start: ended });
    ended = 0;
  }
};
sheet.onReady = () => {
  if (followed) performance.measure("stroke to all pictures", { start: followed });
  if (sampled) performance.measure("photo to samples", { start: sampled });
  followed = 0;
  sampled = 0;
};
stage.onError = async (error) => {
  const { photo } = store.state();
  if (!photo || (await session.sentAgain(error, photo))) return;
  store.dispatch({ type: "noticed", text: wordsFor(error, false) });
};
store.subscribe((state, before) => {
  if (before.line && !state.line && state.history !== before.history) {
    ended = performance.now();
    followed = ended;
  }
  messages.setDrawing(Boolean(state.colorization) && !stage.isCurrent);
});
input.onPointer = (place) => {
  stage.setPointer(place);
  palette.showLight(stage.lightHere());
};
input.onPick = (place) => store.dispatch({ type: "color-chosen", color: stage.colorOnShow(place) });
input.onPlace = pointAt;
keys.onCursor = (place) => {
  palette.showLight(stage.lightAt(place));
  pointAt(place);
};
keys.onSpace = (held) => input.holdSpace(held);
keys.onHelp = () => help.open();
keys.onCompare = () => compare.toggle();
tools.onClose = () => {
  const { photo } = store.state();
  opens++;
  film.close();
  if (photo) removePhoto(photo);
};
followRows(store, session);
prepare();

/** @param {Point} place */
function pointAt(place) {
  palette.suggestAt(place);
  insight.pointAt(place);
}

/** @param {string} url */
async function loadPicture(url) {
  return createImageBitmap(await fetchFile(url));
}

/** What was open before, models, earlier methods and examples; the page works without each. */
async function prepare() {
  /** @type {(name: string) => Promise<{ examples: Example[], models: Model[], methods: Method[] }>} */
  const ask = (name) => fetchJson(page[name] ?? "");
  const [left, examples, models, methods] = await Promise.allSettled([
    film.restore(),
    ask("examples"),
    ask("models"),
    ask("methods"),
  ]);
  if (left.status === "fulfilled") start.showLeft(left.value, (kept) => film.adopt(kept));
  if (examples.status === "fulfilled") start.showExamples(examples.value.examples);
  if (models.status === "fulfilled") offerModels(models.value.models);
  if (methods.status === "fulfilled") store.dispatch({ type: "methods-came", ...methods.value });
}

/** @param {readonly Model[]} models */
function offerModels(models) {
  const choice = element("model", HTMLSelectElement);
  for (const { name, description } of models) {
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    choice.append(make("option", { value: name, title: description }, label));
  }
  choice.addEventListener("change", () =>
    store.dispatch({ type: "model-chosen", model: choice.value }),
  );
  const usual = models.find(({ default: is }) => is)?.name ?? "";
  const show = () => {
    choice.value = store.state().model || usual;
  };
  store.subscribe((state, before) => {
    if (state.model !== before.model) show();
  });
  show();
  element("model-box").hidden = models.length < 2;
}

/** Open photos one after the other; the first stays on the stage. @param {readonly (Blob | string)[]} sources */
async function open(sources) {
  const turn = ++opens;
  const first = film.count;
  brought = performance.now();
  sampled = brought;
  store.dispatch({ type: "open-started" });
  for (const source of sources) {
    const name = source instanceof File ? source.name : typeof source === "string" ? source : "";
    if (source instanceof Blob && source === sources[0]) showLocal(source);
    try {
      const photo = await addPhoto(page.photos ?? "", source, name);
      if (turn !== opens) return void removePhoto(photo);
      session.source = source;
      session.name = name;
      film.hold();
      store.dispatch({ type: "opened", photo });
      film.add(source, name);
      if (photo.has_color) store.dispatch({ type: "noticed", text: WORDS.color_photo });
      help.welcome();
    } catch (error) {
      if (turn === opens) store.dispatch({ type: "open-failed", text: wordsFor(error, true) });
    }
  }
  if (sources.length > 1 && film.count > first + 1) film.show(first);
}

/** Something to see before the server has the photo. @param {Blob} source */
async function showLocal(source) {
  const bitmap = await createImageBitmap(source).catch(() => null);
  if (!bitmap || !store.state().opening) return;
  stage.showLocal(bitmap);
  seen();
}

/** There is something to see of the photo. */
function seen() {
  if (brought) performance.measure("photo to something", { start: brought });
  brought = 0;
}
