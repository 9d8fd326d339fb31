// SPDX-License-Identifier: AGPL-3.0-or-later
// Documents that wait for a person's decision, the most doubtful first. It is worked by keyboard: a key a decision, and the next one is
// there at once. Keys count while the focus is within the view and not where one types.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, query} from "../api.js";
import {listen} from "../events.js";
import {attempt, card, choice, failedNote, field, note} from "../parts.js";
import {number, percent} from "../format.js";
import {session} from "../session.js";
import {fetchDocument, inspection} from "../inspection.js";
import {rounds} from "../rounds.js";
import {FIELDS} from "../described.js";

const QUEUE = 30, LOW = 10; /* rows that are listed; below so many more are asked for */
const SETTLE_MS = 1000; /* from the last change until the rounds are asked for: they look at the whole batch */
const KEYS = [["A, Enter", "accept"], ["0–9", "chooseCandidate"], ["E", "edit"], ["N, P", "otherField"], ["R", "rejectDocument"], ["S", "skipDocument"], ["?", "keys"]];
const ACTS = {a: "accept", e: "edit", n: "next", p: "previous", r: "reject"};
const MAY = new Set(["next", "previous"]);

const same = (a, b) => a.batch === b.batch && a.document === b.document;

function help() {
  const dialog = h("dialog", {"aria-labelledby": "keys-title"}, h("h2", {id: "keys-title"}, t("keys")),
    h("dl", {}, KEYS.map(([keys, what]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, t(what))])),
    h("form", {method: "dialog"}, h("button", {class: "main", autofocus: true}, t("back"))));
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

export async function show(node, place) {
  const batch = place.parts[0] ?? "", wanted = {batch, unit: place.query.get("unit") ?? "", field: place.query.get("field") ?? ""};
  const said = h("div", {role: "status"}), listed = h("ol", {class: "plain queue"}), count = h("p", {class: "dim", role: "status"});
  const skipped = [], ready = new Map(), done = new Map(); /* rows that come last; documents fetched ahead; what was decided here, which an answer may not know yet */
  const part = inspection(decide, skip), panel = batch && rounds(batch, restart);
  let queue = [], total = 0, current = null, busy = false, turn = 0, timer = 0;
  const id = (row) => `${row.batch}/${row.document}`, turnOf = (row) => `${row.round}.${row.generation}`;

  async function fill() {
    const answer = await get("reviews" + query({...wanted, limit: QUEUE + skipped.length}));
    const rows = answer.documents.filter((row) => done.get(id(row)) !== turnOf(row));
    const fresh = rows.filter((row) => !skipped.some((one) => same(one, row)));
    const late = rows.filter((row) => skipped.some((one) => same(one, row)));
    queue = [...fresh, ...late].filter((row) => !current || !same(row, current));
    if (current) queue.unshift(current);
    total = answer.total - (answer.documents.length - rows.length);
    drawQueue();
  }

  function drawQueue() {
    count.textContent = `${number(total)} ${t("waitHere")}`;
    replace(listed, queue.slice(0, QUEUE).map((row) => h("li", {}, h("button", {
      type: "button", "aria-current": current && same(row, current) && "true", onclick: () => visit(row)},
    h("b", {}, id(row)), " ", h("span", {class: row.doubts.length ? "warn" : "dim"}, `${number(row.doubts.length)} ${t("doubts")}`),
    row.confidence !== null && h("span", {class: "dim"}, ` ${percent(row.confidence, 1)}`)))));
  }

  const ahead = (row) => {
    if (row && !ready.has(id(row))) ready.set(id(row), fetchDocument(row).catch(() => null));
    return row && ready.get(id(row));
  };

  async function open(row) {
    const mine = ++turn;
    current = row;
    drawQueue();
    const one = row ? (await ahead(row)) ?? (await fetchDocument(row)) : null;
    if (mine !== turn) return;
    if (row) ready.delete(id(row));
    part.show(one);
    ahead(queue.find((other) => !row || !same(other, row)));
  }

  const visit = (row) => attempt(said, () => open(row));

  /** The next one, when the current one is done with. */
  async function advance() {
    queue = queue.filter((row) => !same(row, current));
    const next = queue[0] ?? null;
    current = null;
    if (!next) await fill();
    await open(next ?? queue[0] ?? null);
    if (current && queue.length < LOW && total > queue.length) fill().catch(() => {});
  }

  function decide(body) {
    if (busy || !current || !session.may("archive")) return;
    busy = true;
    attempt(said, async () => {
      try {
        const row = await part.send(body);
        done.set(id(row), turnOf(row));
        total--;
        await advance();
        settle();
        return `${id(row)}: ${t(`w:${row.state}`)}`;
      } catch (why) {
        if (why.status === 409) await restart(); /* somebody else was there, or it was read again */
        throw why;
      } finally {
        busy = false;
      }
    });
  }

  /** What was decided, or read, shows in the rounds; and where nothing waited, something may now. */
  function settle() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      panel && panel.refresh().catch(() => {});
      if (!current && !busy) restart().catch(() => {});
    }, SETTLE_MS);
  }

  function skip() {
    if (!current) return;
    skipped.push(current);
    queue = [...queue.filter((row) => !same(row, current)), current];
    visit(queue[0]);
  }

  async function restart() {
    current = null;
    ready.clear();
    await fill();
    await open(queue[0] ?? null);
  }

  function onKey(event) {
    const typing = event.target.closest("input, textarea, select, dialog"), pressing = event.target.closest("button, a, summary");
    if (typing || event.ctrlKey || event.altKey || event.metaKey || (event.key === "Enter" && pressing)) return;
    const name = event.key === "Enter" ? "accept" : ACTS[event.key.toLowerCase()];
    if (event.key === "?") {
      const dialog = help();
      node.append(dialog);
      dialog.showModal();
    } else if (event.key.toLowerCase() === "s") skip();
    else if (/^\d$/.test(event.key) && session.may("archive")) part.digit(Number(event.key));
    else if (name && (MAY.has(name) || session.may("archive"))) part.act(name);
    else return;
    event.preventDefault();
  }

  const move = (values) => {
    location.hash = `review${values.batch ? "/" + encodeURIComponent(values.batch) : ""}${query({unit: values.unit, field: values.field})}`;
  };
  const batches = (await get("batches?state=finished&limit=200")).batches.map((one) => one.id);
  if (batch && !batches.includes(batch)) batches.unshift(batch);
  node.append(h("div", {class: "form"},
    field(t("batch"), choice(batch, [["", t("all")], ...batches.map((one) => [one, one])], (value) => move({...wanted, batch: value}))),
    field(t("unit"), h("input", {value: wanted.unit, onchange: (event) => move({...wanted, unit: event.target.value})})),
    field(t("doubtedField"), choice(wanted.field, [["", t("all")], ...FIELDS.map((one) => [one, t(`f:${one}`)])], (value) => move({...wanted, field: value}))),
    h("button", {type: "button", onclick: () => {
      const dialog = help();
      node.append(dialog);
      dialog.showModal();
    }}, t("keys"), " ", h("kbd", {"aria-hidden": "true"}, "?"))),
  said, h("div", {class: "desk"}, card(t("queue"), count, listed), part.node), panel && panel.node);
  node.addEventListener("keydown", onKey);
  await Promise.all([restart(), panel && panel.refresh()]).catch((why) => said.replaceChildren(failedNote(why)));
  if (!session.may("archive")) node.append(note("warn", t("mayNot")));
  const stop = listen(settle);
  return () => {
    stop();
    clearTimeout(timer);
  };
}
