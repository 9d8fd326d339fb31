// SPDX-License-Identifier: AGPL-3.0-or-later
// A document: its pages as people see them beside what was read, what is known of it, what became of it.
import {h, replace, svg} from "../dom.js";
import {t} from "../i18n.js";
import {get, getText} from "../api.js";
import {listen} from "../events.js";
import {session} from "../session.js";
import {card, failedNote, stateTag} from "../parts.js";
import {described} from "../described.js";
import {twins} from "../twins.js";
import {moment, number, percent} from "../format.js";

const WIDTH = 800;
const FILES = [["pdf", "PDF/A"], ["alto", "ALTO"], ["text", "TXT"], ["record", "JSON"], ["source", ""]];

const confidenceClass = (conf) => (conf < 60 ? "bad" : conf < 80 ? "warn" : "good");

/** Boxes of the words over the picture, coloured by how sure the reading is. */
async function boxes(path, frame) {
  const {width, height, words} = await get(`${path}/words`);
  frame.append(svg("svg", {viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true"}, words.map((word) =>
    svg("rect", {x: word.x, y: word.y, width: word.w, height: word.h, class: confidenceClass(word.conf), fill: "none", stroke: "currentColor", "stroke-width": 2},
      svg("title", {}, `${word.text} ${word.conf} %`)))));
}

function pagePicture(path, page) {
  const frame = h("div", {class: "page"});
  const image = h("img", {src: `api/v1/${path}/picture?width=${WIDTH}`, alt: `${t("page")} ${page}`, loading: "lazy"});
  image.addEventListener("error", () => replace(frame, h("p", {class: "dim"}, t("noPicture"))));
  image.addEventListener("load", () => boxes(path, frame).catch(() => {}));
  frame.append(image);
  return frame;
}

/** A value of the record: what is nested is a list of its own. */
function value(of) {
  if (of === null || of === "") return "–";
  if (Array.isArray(of)) return of.length ? h("ul", {class: "plain"}, of.map((one) => h("li", {}, value(one)))) : "–";
  if (typeof of === "object") return facts(of);
  return String(of);
}

const facts = (object) => h("dl", {}, Object.entries(object).filter(([, of]) => of !== undefined).map(([key, of]) => [h("dt", {}, key), h("dd", {}, value(of))]));

/** How often the page was read, and what came of it; the last reading is what the card shows. */
function readings(page, record) {
  const last = page.reading ?? {generation: record.generation, ...record.provenance};
  const one = (reading) => h("tr", {}, h("th", {scope: "row", class: "n"}, number(reading.generation)), h("td", {}, moment(Date.parse(reading.created))),
    h("td", {}, reading.worker), h("td", {}, stateTag(reading.state)), h("td", {}, reading.grade ?? "–"),
    h("td", {class: "n"}, reading.confidence === null ? "–" : percent(reading.confidence, 1)),
    h("td", {class: reading.error && "bad"}, reading.error ? `${reading.error.code}: ${reading.error.text}` : "–"));
  const {state, grade, confidence, error} = page;
  return h("details", {}, h("summary", {}, `${t("history")}: ${t("readTimes", number((page.history?.length ?? 0) + 1))}`),
    h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `${t("history")}, ${t("page")} ${page.page}`},
      h("table", {}, h("thead", {}, h("tr", {}, ["generation", "time", "worker", "state", "grade", "confidence", "error"].map((key) => h("th", {scope: "col"}, t(key))))),
        h("tbody", {}, [...(page.history ?? []), {...last, state, grade, confidence, error}].map(one)))));
}

function pageCard(path, page, record) {
  const quality = page.quality ?? {};
  return card(`${t("page")} ${page.page}`,
    h("p", {}, stateTag(page.state), ` ${t("grade")} ${page.grade ?? "–"}`, quality.confidence_p50 !== undefined && ` · ${t("confidence")} ${percent(quality.confidence_p50, 1)}`,
      page.words !== undefined && ` · ${number(page.words)}`),
    pagePicture(`${path}/pages/${page.page}`, page.page),
    readings(page, record),
    h("details", {}, h("summary", {}, t("evidence")), facts({...page, history: undefined, reading: undefined})));
}

/** What is in force of it: the pages, the text, what is known of it. */
async function result(path, name) {
  const downloads = card(t("downloads"), h("div", {class: "buttons"}, FILES.map(([file, title]) =>
    h("a", {href: `api/v1/${path}/${file}`, download: `${name}-${file}`}, title || t("source"))),
    session.may("prove") && h("a", {href: `api/v1/${path}/proof`, download: `${name}-proof.json`}, t("proof"))));
  try {
    const [record, text] = await Promise.all([get(`${path}/record`), getText(`${path}/text`)]);
    const {pages, metadata, proposals, sketch, doubts, ...rest} = record;
    return [downloads, h("div", {class: "two"}, h("div", {}, pages.map((page) => pageCard(path, page, record))),
      h("div", {}, described(record), card(t("text"), h("pre", {lang: "vi"}, text)), card(t("metadata"), facts(rest)),
        card(t("history"), facts({[t("generation")]: record.generation, [t("updated")]: moment(Date.parse(record.provenance.created)), ...record.provenance}))))];
  } catch (why) {
    return [downloads, failedNote(why)];
  }
}

function duplicate(batch, row) {
  return h("p", {class: "note warn"}, t("duplicateOf"), " ",
    h("a", {href: `#document/${encodeURIComponent(batch)}/${row.duplicate_of}`}, `${t("document")} ${number(row.duplicate_of)}`));
}

export async function show(node, place) {
  const [batch, number_] = place.parts;
  const path = `batches/${encodeURIComponent(batch)}/documents/${encodeURIComponent(number_)}`;
  const head = h("div"), same = h("div"), body = h("div");
  let seen = "";

  async function refresh() {
    const row = await get(path), state = `${row.state} ${row.generation}`;
    if (state === seen) return;
    seen = state;
    node.querySelector("h1").textContent = row.source.split("/").at(-1);
    replace(head, h("p", {}, h("a", {href: `#batches/${encodeURIComponent(batch)}`}, "← ", t("batch"), " ", batch)),
      h("p", {}, stateTag(row.state), ` ${number(row.pages)} ${t("pages")} · ${t("generation")} ${row.generation}`, row.error && h("span", {class: "bad"}, ` ${row.error.code}: ${row.error.text}`)),
      h("p", {class: "dim"}, row.source));
    const {group} = await get(`${path}/duplicates`);
    replace(same, group && card(t("duplicateOf"), twins(group, t("duplicateOf"))));
    if (row.state === "duplicate") replace(body, duplicate(batch, row));
    else if (["stored", "dead"].includes(row.state) || row.generation) replace(body, await result(path, `${batch}-${number_}`));
    else replace(body, h("p", {class: "note warn"}, t("noResult")));
  }

  node.append(head, same, body);
  await refresh();
  return listen(() => refresh().catch(() => {}));
}
