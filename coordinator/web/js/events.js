// SPDX-License-Identifier: AGPL-3.0-or-later
// What changes, as the coordinator tells it. Listeners get the last overview at once.
import {get} from "./api.js";

const listeners = new Set();
let source = null, last = null, lost = () => {};

export function follow(onLost) {
  lost = onLost;
  source?.close();
  source = new EventSource("api/v1/events");
  source.addEventListener("open", () => lost(false));
  source.addEventListener("error", () => lost(true));
  source.addEventListener("overview", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("changed", async () => tell(await get("overview"))); /* of one's own units */
}

function tell(overview) {
  last = overview;
  for (const listener of listeners) listener(overview);
}

export function unfollow() {
  source?.close();
  source = null;
}

/** Returns how to stop listening. */
export function listen(listener) {
  listeners.add(listener);
  if (last) listener(last);
  return () => listeners.delete(listener);
}
