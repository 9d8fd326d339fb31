// SPDX-License-Identifier: AGPL-3.0-or-later
// What can be handed over, what stands in a batch's way, and the packages that were made.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, query} from "../api.js";
import {card, failedNote, field, stateTag, unitLink} from "../parts.js";
import {table} from "../table.js";
import {moment, number} from "../format.js";

const link = (id) => `#handover/${encodeURIComponent(id)}`;
const FINISHED = new Set(["finished"]);
const LISTED = 200; /* at a time */
const REFRESH_MS = 5000;

const batchColumns = () => [
  {key: "id", title: t("batch"), value: (b) => b.id, cell: (b) => h("a", {href: link(b.id)}, b.id)},
  {key: "unit", title: t("unit"), value: (b) => b.unit, cell: (b) => (b.unit ? unitLink({unit: b.unit}) : "–")},
  {key: "state", title: t("state"), value: (b) => b.state, cell: (b) => stateTag(b.state)},
  {key: "documents", title: t("documents"), value: (b) => b.documents.total, cell: (b) => number(b.documents.total), number: true},
  {key: "blocked", title: t("blocked"), value: blocked, cell: (b) => number(blocked(b)), number: true},
];

const blocked = (b) => b.documents.open + b.documents.dead + b.documents.refused + b.documents.quarantined;

async function list(node, place) {
  const wanted = {q: place.query.get("q") ?? ""}, rows = table(t("handover"), batchColumns()), more = h("div"), said = h("div");
  let batches = [];
  node.append(h("p", {class: "dim"}, t("handoverHint")), h("div", {class: "form"},
    field(t("filter"), h("input", {type: "search", value: wanted.q, oninput: (event) => {
      wanted.q = event.target.value;
      load("");
    }}))), said, rows.node, more);

  async function load(after) {
    try {
      const answer = await get("batches" + query({...wanted, after, limit: LISTED}));
      batches = after ? [...batches, ...answer.batches] : answer.batches;
      rows.show(batches.filter((batch) => FINISHED.has(batch.state)));
      replace(more, answer.next && h("button", {type: "button", onclick: () => load(answer.next)}, t("more")));
      said.replaceChildren();
    } catch (why) {
      said.replaceChildren(failedNote(why));
    }
  }
  await load("");
  const timer = setInterval(() => batches.length <= LISTED && load(""), REFRESH_MS); /* a batch finishes meanwhile; who leafs on isn't taken back */
  return () => clearInterval(timer);
}

const documentLinks = (id, block) => [
  block.first.map((n) => [h("a", {href: `#document/${encodeURIComponent(id)}/${n}`}, number(n)), " "]),
  block.documents > block.first.length && h("a", {href: `#batches/${encodeURIComponent(id)}?state=${block.why}`}, t("more")),
];

const blockColumns = (id) => [
  {key: "why", title: t("reason"), value: (b) => b.why, cell: (b) => (b.why === "review" ? h("a", {href: `#review/${encodeURIComponent(id)}`}, t("reviewIs", t(`w:${b.review}`))) : stateTag(b.why))},
  {key: "documents", title: t("documents"), value: (b) => b.documents, cell: (b) => number(b.documents), number: true},
  {key: "first", title: t("document"), cell: (b) => documentLinks(id, b)},
];

const packageColumns = () => [
  {key: "time", title: t("time"), value: (p) => p.time_ms, cell: (p) => moment(p.time_ms)},
  {key: "file", title: t("file"), value: (p) => p.file, cell: (p) => p.file},
  {key: "profile", title: t("profile"), value: (p) => p.profile, cell: (p) => p.profile},
  {key: "documents", title: t("documents"), value: (p) => p.documents, cell: (p) => number(p.documents), number: true},
  {key: "pages", title: t("pages"), value: (p) => p.pages, cell: (p) => number(p.pages), number: true},
  {key: "bytes", title: t("bytes"), value: (p) => p.bytes, cell: (p) => number(p.bytes), number: true},
  {key: "who", title: t("who"), value: (p) => p.actor, cell: (p) => p.actor || "–"},
  {key: "package", title: t("package"), value: (p) => p.package, cell: (p) => [h("code", {}, p.package), h("div", {class: "dim"}, "SHA-256 ", h("code", {class: "wrap"}, p.sha256))]},
];

/* What keeps documents back, and the review where it is not accepted. */
const blocks = (state) => [...state.blocks, ...(state.review === "accepted" ? [] : [{why: "review", review: state.review, documents: state.documents, first: []}])];

async function one(node, id) {
  const path = `batches/${encodeURIComponent(id)}`;
  const [state, packages] = await Promise.all([get(`${path}/handover`), get("packages" + query({batch: id}))]);
  const blockRows = table(t("blocks"), blockColumns(id)), packageRows = table(t("packages"), packageColumns(), {sort: "time", descending: true});
  node.querySelector("h1").textContent = `${t("handover")}: ${id}`;
  blockRows.show(blocks(state));
  packageRows.show(packages.packages);
  node.append(h("p", {}, h("a", {href: "#handover"}, "← ", t("handover"))),
    h("p", {}, h("span", {class: `tag ${state.ready ? "good" : "warn"}`}, t(state.ready ? "ready" : "notReady")), " ", t("storedOf", number(state.stored), number(state.documents))),
    card(t("blocks"), blockRows.node), card(t("packages"), packageRows.node),
    card(t("packageHow"), h("pre", {}, `sohoa package ${id} --profile aip-05-2025 --dry-run --out DIR\nsohoa package ${id} --profile aip-05-2025 --out DIR\nsohoa package --check DIR/*.zip`)));
}

export const show = (node, place) => (place.parts[0] ? one(node, place.parts[0]) : list(node, place));
