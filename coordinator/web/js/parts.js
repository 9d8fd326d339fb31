// SPDX-License-Identifier: AGPL-3.0-or-later
// What several views show.
import {h, announce} from "./dom.js";
import {t} from "./i18n.js";
import {number, percent} from "./format.js";
import {session} from "./session.js";

const MEANS = {
  "on time": "good", done: "good", "at risk": "warn", late: "bad", paused: "warn", "no deadline": "dim",
  finished: "good", running: "", withdrawn: "dim", stored: "good", dead: "bad", refused: "bad", quarantined: "warn", open: "", duplicate: "dim",
};

export const verdictTag = (verdict) => h("span", {class: `tag ${MEANS[verdict] ?? ""}`}, t(`v:${verdict}`));
export const stateTag = (state) => h("span", {class: `tag ${MEANS[state] ?? ""}`}, t(`s:${state}`));

/** Of the pages by state. */
export const pagesDone = (pages) => pages.stored + pages.dead + pages.duplicate;

/** A bar with what it says in words beside it. */
export function progress(done, whole, bad = 0) {
  const share = (part) => `${whole > 0 ? (100 * part) / whole : 0}%`;
  return h("div", {},
    h("div", {class: "bar", "aria-hidden": "true"}, h("span", {style: {width: share(done - bad)}}), h("span", {class: "of-bad", style: {width: share(bad)}})),
    h("span", {class: "dim"}, percent(done, whole), ` · ${number(done)} / ${number(whole)}`));
}

export const card = (title, ...children) => h("section", {class: "card"}, h("h2", {}, title), children);

export function note(kind, text) {
  return h("p", {class: `note ${kind}`, role: kind === "bad" ? "alert" : "status"}, text);
}

export const failedNote = (why) => note("bad", t("failed", why.message));

/** A button that a role may not use says why. right: "operate", "archive", "administer". */
export function action(text, right, onclick, kind = "") {
  const may = session.may(right);
  return h("button", {type: "button", class: kind, disabled: !may, title: may ? undefined : t("mayNot"), onclick}, text);
}

/** Asks once, saying what will happen. True: do it. */
export function ask(text, confirmText = t("confirm")) {
  return new Promise((resolve) => {
    const dialog = h("dialog", {"aria-labelledby": "ask-text"},
      h("p", {id: "ask-text"}, text),
      h("form", {method: "dialog", class: "buttons"},
        h("button", {value: "no", autofocus: true}, t("cancel")), h("button", {value: "yes", class: "main"}, confirmText)));
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Does it, and shows where what came of it: the text that work returns, or the error. */
export async function attempt(where, work) {
  try {
    const text = await work();
    if (text) where.replaceChildren(note("good", text));
    else where.replaceChildren();
    if (text) announce(text);
  } catch (why) {
    where.replaceChildren(failedNote(why));
  }
}

export const unitName = (unit) => (unit.unit ? (unit.name ? `${unit.name} (${unit.unit})` : unit.unit) : t("noUnit"));

/** To what it became and came from. */
export const unitLink = (unit) => h("a", {href: `#units/${encodeURIComponent(unit.unit)}`}, unitName(unit));

export const field = (label, input) => h("label", {}, label, input);

/** options: [[value, text]] */
export const choice = (value, options, onchange) =>
  h("select", {onchange: (event) => onchange?.(event.target.value)}, options.map(([key, text]) => h("option", {value: key, selected: key === value}, text)));
