// SPDX-License-Identifier: AGPL-3.0-or-later
// What may be secret and is stopped: numbers and places of stamps, never a name, text or picture; and what a person decides of it.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post, query} from "../api.js";
import {action, ask, attempt, failedNote, field} from "../parts.js";
import {table} from "../table.js";
import {moment, number, percent} from "../format.js";

const name = (row) => `${row.batch}/${row.document}`;

const place = (s) => (s.kind === "unseen" ? "" : ` · ${s.x}, ${s.y} · ${s.w} × ${s.h} · ${percent(s.confidence, 1)}`);

const suspicion = (s) => h("div", {}, `${t("page")} ${number(s.page)}: `, h("b", {}, t(`stamp:${s.kind}`)), h("span", {class: "dim"}, place(s)));

function why(row) {
  if (!row.raised) return t("withItsFile");
  return [row.raised.suspicions.map(suspicion), row.raised.reason];
}

const columns = (decide) => [
  {key: "document", title: t("document"), value: name, cell: name},
  {key: "pages", title: t("pages"), value: (r) => r.pages, cell: (r) => number(r.pages), number: true},
  {key: "state", title: t("state"), value: (r) => r.purged, cell: (r) => h("span", {class: `tag ${r.purged ? "dim" : "warn"}`}, t(r.purged ? "purged" : "stopped"))},
  {key: "time", title: t("time"), value: (r) => r.raised?.time_ms ?? 0, cell: (r) => (r.raised ? moment(r.raised.time_ms) : "–")},
  {key: "who", title: t("who"), value: (r) => r.raised?.actor ?? "", cell: (r) => (r.raised ? r.raised.actor || t("secrecyPass") : "–")},
  {key: "why", title: t("why"), cell: why},
  {key: "decide", title: t("decision"), cell: (r) => !r.purged && h("div", {class: "buttons"},
    action(t("release"), "archive", () => decide(r, "release", t("releaseAsk", name(r)))), action(t("purge"), "archive", () => decide(r, "purge", t("purgeAsk", name(r))), "danger"))},
];

export async function show(node, at) {
  const wanted = {batch: at.query.get("batch") ?? ""}, said = h("div"), more = h("div");
  const reason = h("input", {name: "reason", maxlength: 4000}), file = h("input", {type: "checkbox", name: "file"});
  const rows = table(t("quarantine"), columns(decide));
  let listed = [];
  node.append(h("p", {class: "dim"}, t("quarantineHint")), h("div", {class: "form"},
    field(t("batch"), h("input", {name: "batch", value: wanted.batch, onchange: (event) => {
      wanted.batch = event.target.value;
      history.replaceState(null, "", "#quarantine" + query(wanted));
      load("");
    }})), field(t("reasonKept"), reason), field(t("wholeFile"), file)), said, rows.node, more);

  async function decide(row, what, asked) {
    if (!reason.value.trim()) {
      said.replaceChildren(failedNote(new Error(t("reasonMissing"))));
      reason.focus();
      return;
    }
    if (!(await ask(asked, t(what)))) return;
    await attempt(said, async () => {
      await post(`batches/${encodeURIComponent(row.batch)}/documents/${row.document}/${what}`, {reason: reason.value.trim(), file: file.checked});
      await load("");
      return t(what === "release" ? "releasedNow" : "purgedNow", name(row));
    });
  }

  async function load(after) {
    const answer = await get("quarantine" + query({...wanted, after, limit: 200}));
    listed = after ? [...listed, ...answer.quarantined] : answer.quarantined;
    rows.show(listed);
    replace(more, answer.next && h("button", {type: "button", onclick: () => load(answer.next)}, t("more")));
  }
  await load("");
}
