/**
 * One state, changed by a pure function, and those who want to know.
 *
 * @template S, A
 * @typedef {{
 *   state: () => S,
 *   dispatch: (action: A) => void,
 *   subscribe: (listener: (state: S, before: S) => void) => void,
 * }} Store
 */

/**
 * @template S, A
 * @param {(state: S, action: A) => S} reduce
 * @param {S} start
 * @returns {Store<S, A>}
 */
export function createStore(reduce, start) {
  let state = start;
  /** @type {((state: S, before: S) => void)[]} */
  const listeners = [];
  /** @type {A[]} */
  const queue = [];
  let busy = false;
  return {
    state: () => state,
    subscribe: (listener) => {
      listeners.push(listener);
    },
    dispatch: (action) => {
      queue.push(action);
      if (busy) return;
      // A listener may dispatch: its action waits until all have seen the present change.
      busy = true;
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const before = state;
          state = reduce(before, next);
          if (state !== before) for (const listener of listeners) listener(state, before);
        }
      } finally {
        busy = false;
      }
    },
  };
}
