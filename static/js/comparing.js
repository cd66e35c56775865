/**
 * Asks the server for the rows of earlier methods that are in sight, one after the other.
 *
 * @import { Row, Store } from "./core/types.js"
 * @import { Session } from "./session.js"
 */

import { compare } from "./api.js";
import { toEditFile } from "./core/edit-file.js";
import { NO_EDITS } from "./core/edits.js";
import { readField } from "./core/join/field.js";
import { dueMethod, wishOf } from "./core/methods.js";
import { wordsFor } from "./session.js";

/** @param {Store} store @param {Session} session */
export function followRows(store, session) {
  let answers = 0;
  let asking = false;
  store.subscribe(async (state) => {
    const { photo } = state;
    const name = dueMethod(state);
    if (asking || !name || !photo) return;
    asking = true;
    const edits = wishOf(state, name);
    const change = (/** @type {Partial<Row>} */ change) =>
      store.dispatch({ type: "row-changed", name, photo: photo.id, change });
    change({ busy: true, text: "" });
    /** @type {Partial<Row>} */
    let came = {};
    try {
      const painted = edits === NO_EDITS ? {} : { edits: toEditFile(edits, photo.size) };
      const { samples } = await compare(photo, { method: name, ...painted });
      const key = `${name} ${++answers}`;
      const results = samples.map(({ index, field }) => {
        return { key: `${key} ${index}`, field: readField(field), edits: NO_EDITS };
      });
      came = { results, edits };
    } catch (error) {
      const again = await session.sentAgain(error, photo);
      if (!again) came = { text: wordsFor(error, false), edits };
    }
    asking = false;
    change({ ...came, busy: false });
  });
}
