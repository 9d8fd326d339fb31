// SPDX-License-Identifier: AGPL-3.0-or-later
// Communes end and begin by a table: looked through before it is ordered, and taken back.
import {h, replace} from "./dom.js";
import {t} from "./i18n.js";
import {get, postCsv, query, remove} from "./api.js";
import {action, ask, attempt, card, field, unitLink, unitName} from "./parts.js";
import {moment, number} from "./format.js";

const FILED = [["documents", "documents"], ["pages", "pages"], ["batches", "batchesFiled"], ["targets", "targets"], ["accounts", "accountsFiled"]];

const filed = (sums) => FILED.map(([key, title]) => `${number(sums[key])} ${t(title)}`).join(" · ");
const kin = (list) => list.map((one) => `${unitName(one)} · ${t(`c:${one.coverage}`)}`).join("; ");
const part = (title, list, item) => list.length > 0 && [h("h3", {}, title), h("ul", {class: "plain"}, list.map((one) => h("li", {}, item(one))))];

/** What it would change, or what is wrong with the table. */
function changes(said) {
  return [
    part(t("error"), said.errors, (error) => [error.line !== null && h("b", {}, `${t("line")} ${error.line}: `), error.text]),
    part(t("endsUnit"), said.ends, (end) => [unitLink(end), end.split && h("span", {class: "tag warn"}, t("splitUnit")), ` → ${kin(end.became)}`, h("div", {class: "dim"}, filed(end))]),
    part(t("beginsUnit"), said.begins, (begin) => `${unitName(begin)} ← ${kin(begin.came_from)}`),
    part(t("codes"), said.renamed, (one) => t("codeIs", one.code, unitName(one.was), unitName(one.is))),
    !said.errors.length && h("p", {}, `${t("filedUnder")}: ${filed(said.filed)}`),
  ];
}

/** The card of an administrator. */
export async function reorganisations() {
  const said = h("div", {role: "status"}), preview = h("div"), listed = h("div");
  const file = h("input", {type: "file", accept: ".csv,text/csv", required: true}), day = h("input", {type: "date", required: true});
  const address = (more) => "reorganisations" + query({day: day.value, ...more});

  const look = () => attempt(said, async () => {
    preview.replaceChildren();
    const text = await file.files[0].text();
    const would = await postCsv(address({dry_run: 1}), text);
    replace(preview, changes(would), !would.errors.length && action(t("reorganise"), "administer", () => order(would, text), "main"));
  });

  async function order(would, text) {
    if (!(await ask(t("reorganiseAsk", would.day, number(would.ends.length), number(would.begins.length)), t("reorganise")))) return;
    await attempt(said, async () => {
      const {number: made} = await postCsv("reorganisations" + query({day: would.day}), text);
      preview.replaceChildren();
      await refresh();
      return t("reorganised", made);
    });
  }

  async function undo(made) {
    if (!(await ask(t("undoReorganise", made), t("undo")))) return;
    await attempt(said, async () => {
      const lost = (await remove(`reorganisations/${made}`)).filed;
      await refresh();
      return t("reorganisationUndone", made) + (Object.values(lost).some(Boolean) ? `; ${t("filedUnknown")}: ${filed(lost)}` : "");
    });
  }

  const row = (one) => h("li", {}, h("b", {}, `#${one.number}`), ` ${one.day} · ${t("endsUnit")} ${number(one.ends)} · ${t("beginsUnit")} ${number(one.begins)} · ${moment(one.time_ms)} `,
    one.undone_ms ? h("span", {class: "tag dim"}, `${t("takenBack")} ${moment(one.undone_ms)}`) : action(t("undo"), "administer", () => undo(one.number)));

  async function refresh() {
    const list = (await get("reorganisations")).reorganisations;
    replace(listed, list.length ? h("ul", {class: "plain"}, list.reverse().map(row)) : h("p", {class: "dim"}, t("nothing")));
  }

  await refresh();
  return card(t("reorganisations"), h("p", {class: "dim"}, t("reorganiseHint")),
    h("form", {class: "form", onsubmit: (event) => {
      event.preventDefault();
      look();
    }}, field(t("tableFile"), file), field(t("effectiveDay"), day), h("button", {}, t("preview"))), said, preview, listed);
}
