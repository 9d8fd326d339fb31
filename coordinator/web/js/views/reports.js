// SPDX-License-Identifier: AGPL-3.0-or-later
// What came out in some days, unit by unit; the same to be printed, or for a spreadsheet.
import {h, replace} from "../dom.js";
import {lang, t} from "../i18n.js";
import {get, query} from "../api.js";
import {attempt, field, unitName, verdictTag} from "../parts.js";
import {table} from "../table.js";
import {day, isoDay, number} from "../format.js";

const DAY_MS = 86400000, WEEK_DAYS = 7;

export async function show(node, place) {
  const today = Date.now();
  const wanted = {from: place.query.get("from") ?? isoDay(today - (WEEK_DAYS - 1) * DAY_MS), to: place.query.get("to") ?? isoDay(today), unit: place.query.get("unit") ?? ""};
  const said = h("div"), shown = h("div"), links = h("p", {class: "buttons"});
  const input = (key, type) => h("input", {type, value: wanted[key], onchange: (event) => change(key, event.target.value)});
  node.append(h("div", {class: "form"}, field(t("fromDay"), input("from", "date")), field(t("toDay"), input("to", "date")), field(t("unit"), input("unit", "text"))),
    links, said, shown);

  function change(key, value) {
    wanted[key] = value;
    history.replaceState(null, "", "#reports" + query(wanted));
    refresh();
  }

  function columns(report) {
    const name = (one) => one.name[lang()];
    return [
      {key: "unit", title: t("unit"), value: (u) => (u.unit === null ? "" : u.name || u.unit), cell: (u) => (u.unit === null ? t("total") : unitName(u))},
      ...report.indicators.map((one) => ({key: one.code, title: name(one), value: (u) => u.values[one.code], cell: (u) => number(u.values[one.code], one.digits), number: true})),
      {key: "deadline", title: t("deadline"), value: (u) => u.deadline_ms, cell: (u) => day(u.deadline_ms), number: true},
      {key: "p50", title: t("p50"), value: (u) => u.p50_ms, cell: (u) => day(u.p50_ms), number: true},
      {key: "verdict", title: t("verdict"), value: (u) => u.verdict, cell: (u) => (u.verdict ? verdictTag(u.verdict) : "")},
    ];
  }

  const refresh = () => attempt(said, async () => {
    const report = await get("reports" + query(wanted));
    const rows = table(t("reports"), columns(report), {sort: "unit"});
    rows.node.classList.add("wide");
    rows.show([{unit: null, name: "", values: report.all, deadline_ms: null, p50_ms: null, verdict: ""}, ...report.units]);
    replace(links, h("a", {href: `api/v1/reports/html${query({...wanted, lang: lang()})}`, target: "_blank", rel: "noopener"}, t("printPage")),
      h("a", {href: `api/v1/reports/csv${query({...wanted, lang: lang()})}`}, "CSV"), h("a", {href: `api/v1/reports${query(wanted)}`}, "JSON"));
    replace(shown, rows.node);
  });
  await refresh();
}
