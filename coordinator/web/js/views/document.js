// SPDX-License-Identifier: AGPL-3.0-or-later
// A document: its pages as people see them beside what was read, what is known of it, what became of it.
import {h, replace, svg} from "../dom.js";
import {t} from "../i18n.js";
import {get, getText} from "../api.js";
import {card, failedNote, stateTag} from "../parts.js";
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

const facts = (object) => h("dl", {}, Object.entries(object).map(([key, of]) => [h("dt", {}, key), h("dd", {}, value(of))]));

function pageCard(path, page) {
  const quality = page.quality ?? {};
  return card(`${t("page")} ${page.page}`,
    h("p", {}, stateTag(page.state), ` ${t("grade")} ${page.grade ?? "–"}`, quality.confidence_p50 !== undefined && ` · ${t("confidence")} ${percent(quality.confidence_p50, 1)}`,
      page.words !== undefined && ` · ${number(page.words)}`),
    pagePicture(`${path}/pages/${page.page}`, page.page),
    h("details", {}, h("summary", {}, t("evidence")), facts(page)));
}

export async function show(node, place) {
  const [batch, number_] = place.parts;
  const path = `batches/${encodeURIComponent(batch)}/documents/${encodeURIComponent(number_)}`;
  const row = await get(path);
  node.querySelector("h1").textContent = row.source.split("/").at(-1);
  node.append(h("p", {}, h("a", {href: `#batches/${encodeURIComponent(batch)}`}, "← ", t("batch"), " ", batch)),
    h("p", {}, stateTag(row.state), ` ${number(row.pages)} ${t("pages")} · ${t("generation")} ${row.generation}`, row.error && h("span", {class: "bad"}, ` ${row.error.code}: ${row.error.text}`)),
    h("p", {class: "dim"}, row.source));
  if (!["stored", "dead"].includes(row.state) && !row.generation) {
    node.append(h("p", {class: "note warn"}, t("noResult")));
    return;
  }
  node.append(card(t("downloads"), h("div", {class: "buttons"}, FILES.map(([file, name]) =>
    h("a", {href: `api/v1/${path}/${file}`, download: `${batch}-${number_}-${file}`}, name || t("source"))))));
  try {
    const [record, text] = await Promise.all([get(`${path}/record`), getText(`${path}/text`)]);
    const {pages, ...rest} = record;
    node.append(h("div", {class: "two"}, h("div", {}, pages.map((page) => pageCard(path, page))),
      h("div", {}, card(t("text"), h("pre", {lang: "vi"}, text)), card(t("metadata"), facts(rest)),
        card(t("history"), facts({[t("generation")]: record.generation, [t("updated")]: moment(Date.parse(record.provenance.created)), ...record.provenance})))));
  } catch (why) {
    node.append(failedNote(why));
  }
}
