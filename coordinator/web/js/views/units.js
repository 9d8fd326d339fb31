// SPDX-License-Identifier: AGPL-3.0-or-later
// Who makes the deadline, who doesn't, and what it would take.
import {h} from "../dom.js";
import {t} from "../i18n.js";
import {get, query} from "../api.js";
import {listen} from "../events.js";
import {choice, failedNote, field, progress, unitName, verdictTag} from "../parts.js";
import {table} from "../table.js";
import {day, moment, number, rate, span} from "../format.js";

const VERDICTS = ["late", "at risk", "on time", "paused", "no deadline", "done"];
const RANK = Object.fromEntries(VERDICTS.map((verdict, i) => [verdict, i]));
const KINDS = [["", "all"], ["district", "district"], ["old", "old"], ["new", "new"]];

const whole = (unit) => unit.pages_done + unit.pages_left;

const columns = () => [
  {key: "unit", title: t("unit"), value: (u) => u.name || u.unit, cell: (u) => [h("a", {href: `#batches?unit=${encodeURIComponent(u.unit)}`}, unitName(u)),
    u.successors.length > 0 && h("div", {class: "dim"}, "→ ", u.successors.join(", "))]},
  {key: "verdict", title: t("verdict"), value: (u) => RANK[u.verdict] * 1e15 + (u.slack_ms ?? 0), cell: (u) => verdictTag(u.verdict)},
  {key: "progress", title: t("progress"), value: (u) => (whole(u) ? u.pages_done / whole(u) : 1), cell: (u) => progress(u.pages_done, whole(u), u.pages_dead)},
  {key: "deadline", title: t("deadline"), value: (u) => u.deadline_ms, cell: (u) => day(u.deadline_ms), number: true},
  {key: "p50", title: t("p50"), value: (u) => u.p50_ms, cell: (u) => moment(u.p50_ms), number: true},
  {key: "p90", title: t("p90"), value: (u) => u.p90_ms, cell: (u) => moment(u.p90_ms), number: true},
  {key: "slack", title: t("slack"), value: (u) => u.slack_ms, cell: (u) => h("span", {class: u.slack_ms < 0 && "bad"}, span(u.slack_ms)), number: true},
  {key: "now", title: t("rateNow"), value: (u) => u.rate_now, cell: (u) => rate(u.rate_now), number: true},
  {key: "needed", title: t("rateNeeded"), value: (u) => u.rate_needed, cell: (u) => (u.rate_needed === null ? "–" : rate(u.rate_needed)), number: true},
  {key: "cores", title: t("coresNeeded"), value: (u) => u.cores_needed, cell: (u) => (u.cores_needed > 0 ? `+${number(u.cores_needed, 1)}` : "–"), number: true},
];

export async function show(node, place) {
  const wanted = {q: place.query.get("q") ?? "", kind: place.query.get("kind") ?? "", verdict: place.query.get("verdict") ?? ""};
  const rows = table(t("units"), columns(), {sort: "verdict"});
  const count = h("p", {class: "dim", role: "status"}), said = h("div");
  const search = h("input", {type: "search", value: wanted.q, oninput: (event) => change("q", event.target.value)});
  node.append(h("div", {class: "form"}, field(t("filter"), search),
    field(t("kind"), choice(wanted.kind, KINDS.map(([value, key]) => [value, t(key)]), (value) => change("kind", value))),
    field(t("verdict"), choice(wanted.verdict, [["", t("all")], ...VERDICTS.map((v) => [v, t(`v:${v}`)])], (value) => change("verdict", value)))),
  said, count, rows.node);

  function change(key, value) {
    wanted[key] = value;
    history.replaceState(null, "", "#units" + query(wanted));
    refresh();
  }

  let asked = 0;
  async function refresh() {
    const mine = ++asked;
    try {
      const {units} = await get("units" + query(wanted));
      if (mine !== asked) return;
      rows.show(units);
      count.textContent = t("rowsShown", number(units.length));
      said.replaceChildren();
    } catch (why) {
      said.replaceChildren(failedNote(why));
    }
  }

  let last = 0;
  await refresh();
  return listen(() => {
    if (Date.now() - last < 5000) return; /* they are taken together no more often */
    last = Date.now();
    refresh();
  });
}
