// SPDX-License-Identifier: AGPL-3.0-or-later
// Who ordered what, and what stood afterwards.
import {h} from "./dom.js";
import {t} from "./i18n.js";
import {get, query} from "./api.js";
import {choice, failedNote, field} from "./parts.js";
import {table} from "./table.js";
import {moment} from "./format.js";

const KINDS = ["admitted", "withdrawn", "rerun", "undone", "quarantined", "released", "standing", "target", "drained", "calendar", "account", "reorganised", "reorganisation_undone"];

export async function orders(node, place) {
  const wanted = {subject: place.query.get("subject") ?? "", kind: place.query.get("kind") ?? ""}, said = h("div");
  const rows = table(t("orders"), [
    {key: "time", title: t("time"), value: (e) => e.time_ms, cell: (e) => moment(e.time_ms)},
    {key: "who", title: t("who"), value: (e) => e.actor, cell: (e) => e.actor || "–"},
    {key: "what", title: t("what"), value: (e) => e.kind, cell: (e) => t(`k:${e.kind}`)},
    {key: "subject", title: t("subject"), value: (e) => e.subject, cell: (e) => e.subject || "–"},
    {key: "text", title: t("message"), cell: (e) => h("pre", {}, e.text)},
  ], {sort: "time", descending: true});
  node.append(h("div", {class: "form"},
    field(t("subject"), h("input", {name: "order-subject", value: wanted.subject, onchange: (event) => change("subject", event.target.value)})),
    field(t("what"), choice(wanted.kind, [["", t("all")], ...KINDS.map((k) => [k, t(`k:${k}`)])], (value) => change("kind", value)))),
  said, rows.node);

  function change(key, value) {
    wanted[key] = value;
    history.replaceState(null, "", "#ledger" + query(wanted));
    refresh();
  }

  async function refresh() {
    try {
      rows.show((await get("history" + query(wanted))).events);
      said.replaceChildren();
    } catch (why) {
      said.replaceChildren(failedNote(why));
    }
  }
  await refresh();
}
