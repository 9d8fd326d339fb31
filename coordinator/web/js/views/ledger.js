// SPDX-License-Identifier: AGPL-3.0-or-later
// What was decided, by whom, and whether anybody altered it since. Who may not see all of the ledger sees the orders.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post, query} from "../api.js";
import {action, attempt, card, choice, failedNote, field, note} from "../parts.js";
import {table} from "../table.js";
import {moment, number} from "../format.js";
import {orders} from "../orders.js";
import {session} from "../session.js";

const KINDS = ["outcome", "admitted", "withdrawn", "rerun", "undone", "split", "quarantined", "released", "purged", "standing", "targets", "drained", "calendar", "account", "reorganised",
  "reorganisation_undone", "review_round", "reviewed", "review_closed", "packaged"];
const PAGE = 50, LOOK_MS = 400;

/** What an entry is about, in short. */
function about({body}) {
  if (body.batch) return body.doc === undefined ? body.batch : `${body.batch}/${body.doc}`;
  return body.name ?? body.worker ?? body.day ?? "–";
}

function aboutLink(entry) {
  const {batch, doc} = entry.body;
  if (!batch) return about(entry);
  return h("a", {href: doc === undefined ? `#batches/${encodeURIComponent(batch)}` : `#document/${encodeURIComponent(batch)}/${doc}`}, about(entry));
}

const details = (entry) => h("details", {}, h("summary", {}, entry.body.state ?? t("details")),
  h("pre", {}, JSON.stringify(entry, null, 1)));

/* ---- search ---- */

function search() {
  const said = h("div"), more = h("div"), wanted = {order: "newest", limit: PAGE};
  let rows = [];
  const found = table(t("entries"), [
    {key: "number", title: t("entry"), number: true, cell: (e) => number(e.number)},
    {key: "time", title: t("time"), cell: (e) => moment(e.time_ms)},
    {key: "who", title: t("who"), cell: (e) => e.actor || "–"},
    {key: "what", title: t("what"), cell: (e) => t(`k:${e.kind}`)},
    {key: "subject", title: t("subject"), cell: aboutLink},
    {key: "details", title: t("details"), cell: details},
  ], {scroll: false});
  const text = (name, title, type = "text") => field(title, h("input", {name, type, min: type === "number" ? "0" : undefined}));
  const kind = choice("", [["", t("all")], ...KINDS.map((k) => [k, t(`k:${k}`)])]);
  kind.name = "kind";
  const form = h("form", {class: "form", onsubmit: begin}, text("batch", t("batch")), text("document", t("documentNumber"), "number"), text("subject", t("subject")), text("actor", t("who")),
    field(t("what"), kind), text("from", t("fromDay"), "date"), text("to", t("toDay"), "date"), h("button", {class: "main"}, t("find")));

  function begin(event) {
    event?.preventDefault();
    Object.assign(wanted, Object.fromEntries(new FormData(form)), {after: ""});
    rows = [];
    load();
  }

  /* The coordinator reads some segments a request; an empty page may be followed by a full one. */
  async function load() {
    const want = rows.length + PAGE;
    replace(more);
    try {
      do {
        const {entries, next} = await get("ledger" + query(wanted));
        rows = [...rows, ...entries];
        wanted.after = next ?? "";
      } while (wanted.after && rows.length < want);
      replace(said);
    } catch (why) {
      replace(said, failedNote(why));
    }
    found.show(rows);
    replace(more, wanted.after && h("button", {type: "button", onclick: load}, t("more")));
  }

  begin();
  return card(t("entries"), form, said, found.node, more);
}

/* ---- checkpoints and their key ---- */

function checkpoints() {
  const said = h("div"), key = h("div");
  const rows = table(t("checkpoints"), [
    {key: "size", title: t("entries"), number: true, cell: (c) => number(c.size)},
    {key: "time", title: t("time"), cell: (c) => moment(Date.parse(c.time))},
    {key: "signed", title: t("signedBy"), cell: (c) => h("span", {class: `tag ${c.signed === "key" ? "good" : c.signed === "false" ? "bad" : "dim"}`}, c.signed ? t(`g:${c.signed}`) : "–")},
    {key: "note", title: t("download"), cell: (c) => h("a", {href: `data:text/plain;charset=utf-8,${encodeURIComponent(c.note)}`, download: `checkpoint-${c.size}.txt`, "aria-label": `${t("download")} ${c.size}`}, t("download"))},
  ], {scroll: false});

  async function refresh() {
    try {
      rows.show((await get("ledger/checkpoints?limit=10")).checkpoints);
    } catch (why) {
      replace(said, failedNote(why));
    }
  }

  async function tellKey() {
    try {
      const told = await get("ledger/key");
      replace(key, h("dl", {}, h("dt", {}, t("fingerprint")), h("dd", {}, h("code", {}, told.fingerprint)), h("dt", {}, t("publicKey")), h("dd", {}, h("code", {}, told.key))));
    } catch (why) {
      replace(key, why.status === 404 ? note("warn", why.message) : failedNote(why));
    }
  }

  const sign = () => attempt(said, async () => {
    const made = await post("ledger/checkpoints");
    await refresh();
    return t("signed", number(made.size));
  });
  refresh();
  tellKey();
  return card(t("checkpoints"), h("p", {class: "dim"}, t("checkpointsHint")), key, h("p", {}, action(t("signNow"), "prove", sign)), said, rows.node);
}

/* ---- verification ---- */

const finding = (one) => h("li", {}, h("code", {}, one.blob), `, ${t("byteAt")} ${number(one.offset)}`, one.entry > 0 && `, ${t("entry").toLowerCase()} ${number(one.entry)}`, `: ${one.text}`);

function verdict(result) {
  if (result.good) return note("good", t("ledgerGood", number(result.entries), number(result.checkpoints.good)));
  return [note("bad", t("ledgerBad", number(result.findings_total))), h("ul", {"aria-label": t("findings")}, result.findings.map(finding))];
}

/* Returns the card, and what to call when one leaves. */
function verification() {
  const said = h("div"), bar = h("progress", {"aria-label": t("verify"), max: "1", value: 0}), far = h("p", {class: "dim"});
  let timer = null;

  function told(state) {
    if (state.state === "running") {
      bar.value = state.bytes_all ? state.bytes / state.bytes_all : 0;
      far.textContent = t("verifying", number(state.entries));
      if (!bar.isConnected) replace(said, bar, far);
      timer = setTimeout(look, LOOK_MS);
    } else if (state.state === "failed") replace(said, note("bad", state.error.text));
    else if (state.state === "done") replace(said, verdict(state.result), h("p", {class: "dim"}, moment(state.ended_ms)));
  }

  async function look() {
    try {
      told(await get("ledger/verify"));
    } catch (why) {
      replace(said, failedNote(why));
    }
  }

  async function start() {
    clearTimeout(timer);
    try {
      told(await post("ledger/verify"));
    } catch (why) {
      replace(said, failedNote(why));
    }
  }

  look();
  return [card(t("verify"), h("p", {class: "dim"}, t("ledgerHint")), h("p", {}, action(t("verify"), "prove", start, "main")), said), () => clearTimeout(timer)];
}

export async function show(node, place) {
  const all = session.may("prove") && !session.units.length, given = h("section", {class: "card"}, h("h2", {}, t("orders")));
  let leave = null;
  if (all) {
    const [verify, stop] = verification();
    leave = stop;
    node.append(h("div", {class: "two"}, verify, checkpoints()), search());
  }
  node.append(given);
  await orders(given, place);
  return leave;
}
