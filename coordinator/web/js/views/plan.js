// SPDX-License-Identifier: AGPL-3.0-or-later
// What would be if something were different: before and after, unit by unit. Nothing is changed.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post} from "../api.js";
import {attempt, field, unitName, verdictTag} from "../parts.js";
import {table} from "../table.js";
import {day, moment, number, span} from "../format.js";

const list = (text) => text.split(/[\s,]+/).filter(Boolean);

/** Two bars on one scale: when it ends now and then; the line is the deadline. */
function bars(before, after, from, to) {
  const width = (ms) => `${ms === null ? 100 : Math.max(1, Math.min(100, (100 * (ms - from)) / (to - from)))}%`;
  const bar = (forecast, title) => forecast && h("div", {class: "bar", title: `${title}: ${moment(forecast.p50_ms)}`},
    h("span", {class: forecast.verdict === "late" && "of-bad", style: {width: width(forecast.p50_ms)}}));
  return h("div", {"aria-hidden": "true", style: {display: "grid", gap: "2px"}}, bar(before, t("now")), bar(after, t("then")));
}

export async function show(node) {
  const names = new Map((await get("units")).units.map((unit) => [unit.unit, unit.name]));
  const now = await get("forecast");
  const cores = h("input", {type: "number", step: "1", value: "0"}), drain = h("input", {placeholder: "n1, n2"});
  const unit = h("input", {list: "plan-units", placeholder: "district:001"}), deadline = h("input", {type: "date"}), paused = h("input", {list: "plan-units"});
  const said = h("div", {role: "status"}), top = h("div");
  let scale = [0, 1];
  const rows = table(t("plan"), [
    {key: "unit", title: t("unit"), value: (r) => r.name, cell: (r) => unitName(r)},
    {key: "deadline", title: t("deadline"), value: (r) => r.after.deadline_ms, cell: (r) => day(r.after.deadline_ms), number: true},
    {key: "before", title: t("now"), value: (r) => r.before?.p50_ms, cell: (r) => (r.before ? [verdictTag(r.before.verdict), " ", moment(r.before.p50_ms)] : "–")},
    {key: "after", title: t("then"), value: (r) => r.after.p50_ms, cell: (r) => [verdictTag(r.after.verdict), " ", moment(r.after.p50_ms)]},
    {key: "change", title: t("slack"), value: (r) => r.after.slack_ms, cell: (r) => span(r.after.slack_ms), number: true},
    {key: "bars", title: `${t("now")} / ${t("then")}`, cell: (r) => bars(r.before, r.after, ...scale)},
  ], {sort: "change"});
  node.append(h("p", {class: "dim"}, t("nothingChanges")),
    h("datalist", {id: "plan-units"}, [...names].map(([code, name]) => h("option", {value: code}, name))),
    h("form", {class: "form", onsubmit: (event) => {
      event.preventDefault();
      compute();
    }}, field(t("addCores"), cores), field(t("withoutWorkers"), drain), field(t("unit"), unit), field(t("newDeadline"), deadline),
    field(t("pausedUnits"), paused), h("button", {class: "main"}, t("compute"))),
    said, top, rows.node);

  function draw(then) {
    const before = new Map(now.units.map((row) => [row.unit, row]));
    const ends = [...now.units, ...then.units].flatMap((row) => [row.p50_ms, row.deadline_ms]).filter(Boolean);
    scale = [now.now_ms, Math.max(now.now_ms + 1, ...ends)];
    rows.show(then.units.map((row) => ({unit: row.unit, name: names.get(row.unit) ?? "", before: before.get(row.unit), after: row})));
    replace(top, h("p", {}, `${number(now.cores, 1)} → ${number(then.cores, 1)} ${t("cores")}: `,
      h("span", {class: then.feasible ? "good" : "bad"}, t(then.feasible ? "feasible" : "infeasible")), ` · ${t("ends")}: ${moment(then.all?.p50_ms)}`));
  }

  const compute = () => attempt(said, async () => {
    const changes = [];
    if (unit.value && deadline.value) changes.push({subject: unit.value, deadline: deadline.value});
    for (const subject of list(paused.value)) changes.push({subject, paused: true});
    draw(await post("forecast", {add_cores: Number(cores.value), drain: list(drain.value), changes}));
  });
  draw(now);
}
