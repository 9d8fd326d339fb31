// SPDX-License-Identifier: AGPL-3.0-or-later
// A document under review: one field at a time beside its place on the page, and what a person says of it, which is sent with the decision.
import {h, replace, announce} from "./dom.js";
import {t} from "./i18n.js";
import {get, post} from "./api.js";
import {action} from "./parts.js";
import {percent} from "./format.js";
import {closeup, prefetch} from "./closeup.js";

export const documentPath = (row) => `batches/${encodeURIComponent(row.batch)}/documents/${row.document}`;

/** It is there when its turn comes. Returns the document. */
export async function fetchDocument(row) {
  const one = await get(`${documentPath(row)}/review?hold=1`);
  prefetch(documentPath(row), one.fields[0].place);
  return one;
}

const key = (name) => h("kbd", {"aria-hidden": "true"}, name);

/** {node, show(document), act(name), digit(n)}: acts are accept, reject, edit, next, previous. decide(body) sends a decision. */
export function inspection(decide, skip) {
  const node = h("section", {class: "inspection", tabindex: "-1", "aria-label": t("review")});
  let one = null, at = 0, said = {}, mode = ""; /* said: field -> text, or null: the machine is right; mode: "", edit, reject */

  const now = (field) => (field.name in said ? said[field.name] ?? field.machine : field.value);
  const isChanged = (field) => (field.name in said ? said[field.name] !== null : field.corrected !== null);
  const words = (value) => (value === null || value === "" ? t("noValue") : value);

  function say(field, value) {
    const same = value === (field.machine ?? "");
    if (same && !field.corrected) delete said[field.name];
    else said[field.name] = same ? null : value;
    mode = "";
    draw();
    announce(`${t(`f:${field.name}`)}: ${words(now(field))}`);
  }

  function input(label, value, taken, long = false) {
    const box = h(long ? "textarea" : "input", {value, "aria-label": label, class: "say", rows: long && 3});
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        taken(box.value);
      } else if (event.key === "Escape") {
        mode = "";
        draw();
      }
    });
    return h("div", {}, box, h("p", {class: "dim"}, key("Enter"), ` ${t("save")} `, key("Esc"), ` ${t("cancel")}`));
  }

  const options = (field) => [...(isChanged(field) ? [{digit: 0, value: field.machine ?? "", title: t("machine")}] : []),
    ...field.candidates.slice(0, 9).map((candidate, i) => ({digit: i + 1, value: candidate.value, title: percent(candidate.confidence, 1)}))];

  function fieldPanel(field) {
    return h("div", {class: "field"},
      h("h2", {}, t(`f:${field.name}`), " ", field.doubted && h("span", {class: "tag warn"}, t("doubted")), isChanged(field) && h("span", {class: "tag good"}, t("w:corrected"))),
      mode === "edit" ? input(t(`f:${field.name}`), now(field) ?? "", (value) => say(field, value.trim()), (now(field) ?? "").length > 60)
        : h("p", {class: "big value", lang: "vi"}, words(now(field))),
      h("dl", {},
        isChanged(field) && [h("dt", {}, t("machine")), h("dd", {lang: "vi"}, words(field.machine))],
        field.corrected && [h("dt", {}, t("who")), h("dd", {}, `${field.corrected.by}, ${field.corrected.at}`)],
        h("dt", {}, t("confidence")), h("dd", {}, field.confidence === null ? "–" : percent(field.confidence, 1)),
        h("dt", {}, t("rawReading")), h("dd", {lang: "vi"}, field.raw || "–"),
        field.doubt && [h("dt", {}, t("doubtWhy")), h("dd", {}, field.doubt)]),
      options(field).length > 0 && h("ul", {class: "plain candidates", "aria-label": t("candidates")}, options(field).map((option) =>
        h("li", {}, h("button", {type: "button", onclick: () => say(field, option.value)}, key(option.digit), " ", h("span", {lang: "vi"}, words(option.value)), " ", h("span", {class: "dim"}, option.title))))));
  }

  const list = () => h("ol", {class: "plain fields"}, one.fields.map((field, i) => h("li", {}, h("button", {
    type: "button", "aria-current": i === at && "true", class: field.doubted ? "warn" : "", onclick: () => go(i)},
  h("span", {class: "dim"}, t(`f:${field.name}`)), " ", h("span", {lang: "vi"}, words(now(field))), isChanged(field) && " ✎"))));

  const buttons = () => h("div", {class: "buttons"},
    action([t("accept"), " ", key("A")], "archive", () => act("accept"), "main"), action([t("edit"), " ", key("E")], "archive", () => act("edit")),
    h("button", {type: "button", onclick: () => act("previous")}, t("previousField"), " ", key("P")),
    h("button", {type: "button", onclick: () => act("next")}, t("nextField"), " ", key("N")),
    h("button", {type: "button", onclick: skip}, t("skipDocument"), " ", key("S")),
    action([t("rejectDocument"), " ", key("R")], "archive", () => act("reject"), "danger"));

  function draw() {
    const field = one.fields[at];
    replace(node, h("p", {}, h("a", {href: `#document/${encodeURIComponent(one.batch)}/${one.document}`}, `${one.batch} / ${one.document}`),
      ` · ${t("round")} ${one.round} · ${at + 1} / ${one.fields.length}`),
    h("div", {class: "two"}, closeup(documentPath(one), field.place, t(`f:${field.name}`)), fieldPanel(field)),
    mode === "reject" && h("div", {class: "note warn"}, h("p", {}, t("rejectWhy")), input(t("rejectWhy"), "", (reason) => reason.trim() && decide({decision: "reject", reason: reason.trim()}))),
    buttons(), list());
    const typed = node.querySelector(".say");
    (typed ?? node).focus({preventScroll: true});
    typed?.select(); /* what is typed takes its place */
  }

  function go(i) {
    at = (i + one.fields.length) % one.fields.length;
    mode = "";
    draw();
    announce(`${t(`f:${one.fields[at].name}`)}: ${words(now(one.fields[at]))}`);
  }

  function act(name) {
    if (!one) return;
    if (name === "next" || name === "previous") go(at + (name === "next" ? 1 : -1));
    else if (name === "accept") decide({decision: "accept", corrections: said});
    else {
      mode = name;
      draw();
    }
  }

  return {
    node, act,
    digit(n) {
      const field = one?.fields[at], option = field && options(field).find(({digit}) => digit === n);
      if (option) say(field, option.value);
    },
    show(document_) {
      [one, at, said, mode] = [document_, 0, {}, ""];
      if (one) draw();
      else replace(node, h("p", {class: "note good"}, t("nothingWaits")));
    },
    send: (body) => post(`${documentPath(one)}/review`, {...body, generation: one.generation, decided_ms: one.decided?.at_ms ?? 0}),
  };
}
