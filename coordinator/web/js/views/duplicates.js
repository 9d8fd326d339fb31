// SPDX-License-Identifier: AGPL-3.0-or-later
// Documents that are the same: by bytes, scanned twice, or read twice. A report: nothing is deleted.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, query} from "../api.js";
import {attempt, card, field} from "../parts.js";
import {twins} from "../twins.js";
import {number} from "../format.js";

const KINDS = ["bytes", "scan", "document"], LIMIT = 50;

export async function show(node, place) {
  const kind = h("select", {onchange: () => begin()}, h("option", {value: ""}, t("all")), KINDS.map((one) => h("option", {value: one}, t(`same:${one}`))));
  kind.value = place.query.get("kind") ?? "";
  const batch = h("input", {value: place.query.get("batch") ?? "", size: 24, onchange: () => begin()});
  const unit = h("input", {value: place.query.get("unit") ?? "", size: 16, placeholder: "district:001", onchange: () => begin()});
  const said = h("div", {role: "status"}), list = h("div"), more = h("div", {class: "buttons"}), notes = h("div");
  node.append(card(t("duplicates"), h("p", {class: "dim"}, t("duplicatesHint")),
    h("form", {class: "form", onsubmit: (event) => event.preventDefault()}, field(t("kind"), kind), field(t("batch"), batch), field(t("unit"), unit)),
    said, notes, list, more));

  const begin = () => attempt(said, async () => {
    list.replaceChildren();
    await load("");
  });

  async function load(after) {
    const answer = await get("duplicates" + query({kind: kind.value, batch: batch.value.trim(), unit: unit.value.trim(), limit: LIMIT, after}));
    list.append(...answer.groups.map((group) => h("section", {class: "twins"}, twins(group, `${t("group")} ${number(group.group)}`))));
    if (!list.children.length && answer.next === null) list.append(h("p", {class: "dim"}, t("nothing")));
    replace(more, answer.next !== null && h("button", {type: "button", onclick: () => attempt(said, () => load(answer.next))}, t("more")));
    replace(notes, answer.waiting > 0 && h("p", {class: "note"}, t("toCompare", number(answer.waiting))), answer.left_out > 0 && h("p", {class: "note warn"}, t("leftOut", number(answer.left_out))));
  }

  await begin();
}
