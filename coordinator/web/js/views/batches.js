// SPDX-License-Identifier: AGPL-3.0-or-later
// Batches, and one batch with its documents.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post, query} from "../api.js";
import {action, ask, attempt, card, choice, failedNote, field, pagesDone, progress, stateTag, unitLink} from "../parts.js";
import {table} from "../table.js";
import {day, isoDay, number} from "../format.js";

const STATES = ["running", "paused", "finished", "withdrawn"];
const DOC_STATES = ["open", "stored", "dead", "quarantined", "duplicate", "withdrawn", "refused"];
const REFRESH_MS = 5000;

const done = (batch) => pagesDone(batch.pages);
const link = (id) => `#batches/${encodeURIComponent(id)}`;

const columns = () => [
  {key: "id", title: t("batch"), value: (b) => b.id, cell: (b) => h("a", {href: link(b.id)}, b.id)},
  {key: "state", title: t("state"), value: (b) => b.state, cell: (b) => [stateTag(b.state), b.paused_by && h("div", {class: "bad"}, b.paused_by.code)]},
  {key: "unit", title: t("unit"), value: (b) => b.unit, cell: (b) => [b.unit ? unitLink({unit: b.unit}) : "–", b.belongs === "perhaps" && h("div", {class: "warn"}, t("perhaps"))]},
  {key: "progress", title: t("progress"), value: (b) => done(b) / (b.pages.total || 1), cell: (b) => progress(done(b), b.pages.total, b.pages.dead)},
  {key: "documents", title: t("documents"), value: (b) => b.documents.total, cell: (b) => number(b.documents.total), number: true},
  {key: "refused", title: t("failures"), value: (b) => b.documents.refused + b.documents.dead, cell: (b) => number(b.documents.refused + b.documents.dead), number: true},
  {key: "priority", title: t("priority"), value: (b) => b.priority, cell: (b) => number(b.priority), number: true},
  {key: "deadline", title: t("deadline"), value: (b) => b.deadline_ms || null, cell: (b) => day(b.deadline_ms), number: true},
];

async function list(node, place) {
  const wanted = {q: place.query.get("q") ?? "", state: place.query.get("state") ?? "", unit: place.query.get("unit") ?? ""};
  const rows = table(t("batches"), columns()), count = h("p", {class: "dim", role: "status"}), more = h("div"), said = h("div");
  let batches = [];
  const change = (key, value) => {
    wanted[key] = value;
    history.replaceState(null, "", "#batches" + query(wanted));
    load("");
  };
  node.append(h("div", {class: "form"},
    field(t("filter"), h("input", {type: "search", value: wanted.q, oninput: (event) => change("q", event.target.value)})),
    field(t("unit"), h("input", {value: wanted.unit, onchange: (event) => change("unit", event.target.value)})),
    field(t("state"), choice(wanted.state, [["", t("all")], ...STATES.map((s) => [s, t(`s:${s}`)])], (value) => change("state", value)))),
  said, count, rows.node, more);

  async function load(after) {
    try {
      const answer = await get("batches" + query({...wanted, after, limit: 200}));
      batches = after ? [...batches, ...answer.batches] : answer.batches;
      rows.show(batches);
      count.textContent = `${number(batches.length)} / ${number(answer.total)}`;
      replace(more, answer.next && h("button", {type: "button", onclick: () => load(answer.next)}, t("more")));
      said.replaceChildren();
    } catch (why) {
      said.replaceChildren(failedNote(why));
    }
  }
  await load("");
}

const docColumns = (id) => [
  {key: "n", title: t("document"), value: (d) => d.document, cell: (d) => h("a", {href: `#document/${encodeURIComponent(id)}/${d.document}`}, number(d.document))},
  {key: "source", title: t("source"), value: (d) => d.source, cell: (d) => d.source},
  {key: "state", title: t("state"), value: (d) => d.state, cell: (d) => stateTag(d.state)},
  {key: "pages", title: t("pages"), value: (d) => d.pages, cell: (d) => number(d.pages), number: true},
  {key: "error", title: t("error"), value: (d) => d.error?.code ?? "", cell: (d) => (d.error ? [h("b", {}, d.error.code), " ", d.error.text] : "–")},
];

/** What stands of the batch, and the buttons that change it. */
function orders(batch, said, reload) {
  const path = `batches/${encodeURIComponent(batch.id)}`;
  const order = (body) => attempt(said, async () => {
    await post(`${path}/standing`, body);
    await reload();
  });
  const paused = batch.state === "paused";
  const deadline = h("input", {type: "date", value: isoDay(batch.deadline_ms)});
  const priority = choice(String(batch.priority), ["1", "2", "3", "4", "5"].map((p) => [p, p]));
  return h("div", {class: "form"},
    action(t(paused ? "resume" : "pause"), "operate", async () => {
      if (paused || (await ask(t("pauseAsk", batch.id), t("pause")))) await order({paused: !paused});
    }, paused ? "main" : ""),
    field(t("priority"), priority), field(t("deadline"), deadline),
    action(t("save"), "operate", () => order({priority: Number(priority.value), deadline: deadline.value || "none"})),
    h("a", {href: `#review/${encodeURIComponent(batch.id)}`}, t("review")),
    h("a", {href: `#failures?where=${encodeURIComponent(`batch="${batch.id}"`)}`}, t("rerun")),
    action(t("withdraw"), "operate", async () => {
      if (await ask(t("withdrawAsk", batch.id), t("withdraw")))
        await attempt(said, async () => {
          await post(`${path}/withdraw`);
          await reload();
        });
    }, "danger"));
}

async function one(node, id, place) {
  const path = `batches/${encodeURIComponent(id)}`, said = h("div"), top = h("div"), ordersNode = h("div"), more = h("div");
  const rows = table(t("documents"), docColumns(id));
  let state = place.query.get("state") ?? "", documents = [];
  node.querySelector("h1").textContent = `${t("batch")} ${id}`;
  node.append(h("p", {}, h("a", {href: "#batches"}, "← ", t("batches"))), said, top, ordersNode,
    h("div", {class: "form"}, field(t("state"), choice(state, [["", t("all")], ...DOC_STATES.map((s) => [s, t(`s:${s}`)])], (value) => {
      state = value;
      load("");
    }))), rows.node, more);

  async function reload(again) {
    const batch = await get(path);
    replace(top, h("p", {}, stateTag(batch.state), " ", batch.unit, batch.paused_by && h("span", {class: "bad"}, ` ${batch.paused_by.code}: ${batch.paused_by.text}`)),
      card(t("progress"), progress(done(batch), batch.pages.total, batch.pages.dead),
        h("div", {class: "dim"}, Object.entries(batch.documents).filter(([key, n]) => key !== "total" && n).map(([key, n]) => `${t(`s:${key}`)} ${number(n)}`).join(" · "))));
    if (again !== "counts") replace(ordersNode, orders(batch, said, reload));
  }

  async function load(after) {
    const answer = await get(`${path}/documents` + query({state, after, limit: 500}));
    documents = after === "" ? answer.documents : [...documents, ...answer.documents];
    rows.show(documents);
    replace(more, answer.next !== null && h("button", {type: "button", onclick: () => load(answer.next)}, t("more")));
  }

  await reload();
  await load("");
  const timer = setInterval(() => reload("counts").catch(() => {}), REFRESH_MS);
  return () => clearInterval(timer);
}

export const show = (node, place) => (place.parts[0] ? one(node, place.parts[0], place) : list(node, place));
