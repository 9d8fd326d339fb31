// SPDX-License-Identifier: AGPL-3.0-or-later
import {h} from "../dom.js";
import {t} from "../i18n.js";
import {get, post} from "../api.js";
import {action, ask, attempt, failedNote} from "../parts.js";
import {table} from "../table.js";
import {bytes, number} from "../format.js";

const REFRESH_MS = 3000;

function state(worker) {
  if (!worker.connected) return h("span", {class: "tag bad"}, t("lost"));
  return worker.drained ? h("span", {class: "tag warn"}, t("drained")) : h("span", {class: "tag good"}, t("connected"));
}

export async function show(node) {
  const said = h("div", {role: "status"});
  const drain = async (worker) => {
    if (!worker.drained && !(await ask(t("drainAsk", worker.name), t("drain")))) return;
    await attempt(said, async () => {
      await post(`workers/${encodeURIComponent(worker.name)}`, {drained: !worker.drained});
      await refresh();
    });
  };
  const rows = table(t("workers"), [
    {key: "name", title: t("name"), value: (w) => w.name, cell: (w) => w.name},
    {key: "state", title: t("state"), value: (w) => Number(w.connected) * 2 - Number(w.drained), cell: state},
    {key: "busy", title: t("busy"), value: (w) => w.busy, cell: (w) => `${number(w.busy)} / ${number(w.slots)}`, number: true},
    {key: "pace", title: t("pace"), value: (w) => w.pace, cell: (w) => number(w.pace, 2), number: true},
    {key: "memory", title: t("memory"), value: (w) => w.rss_bytes, cell: (w) => bytes(w.rss_bytes), number: true},
    {key: "build", title: t("version"), value: (w) => w.build, cell: (w) => [w.build, h("div", {class: "dim"}, w.pipeline.slice(0, 12))]},
    {key: "tags", title: t("tags"), value: (w) => w.tags, cell: (w) => w.tags || "–"},
    {key: "drain", title: "", cell: (w) => action(t(w.drained ? "undrain" : "drain"), "operate", () => drain(w))},
  ], {sort: "name"});
  node.append(said, rows.node);

  async function refresh() {
    const {workers} = await get("workers");
    rows.show(workers);
  }

  await refresh();
  const timer = setInterval(() => refresh().catch((why) => said.replaceChildren(failedNote(why))), REFRESH_MS);
  return () => clearInterval(timer);
}
