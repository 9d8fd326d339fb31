// SPDX-License-Identifier: AGPL-3.0-or-later
// Who makes the deadline, who doesn't, and what it would take; progress by units of another time; where a unit came from and what it became.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, query} from "../api.js";
import {listen} from "../events.js";
import {choice, failedNote, field, progress, unitName, verdictTag} from "../parts.js";
import {session} from "../session.js";
import {table} from "../table.js";
import {day, moment, number, rate, span} from "../format.js";
import {history as unitHistory} from "../unit.js";
import {reorganisations} from "../reorganisations.js";

const VERDICTS = ["late", "at risk", "on time", "paused", "no deadline", "done"];
const RANK = Object.fromEntries(VERDICTS.map((verdict, i) => [verdict, i]));
const KINDS = [["", "all"], ["district", "district"], ["old", "old"], ["new", "new"]];
const TIMES = ["", "district", "old", "new"];
const SUMS = [["all", "total"], ["sure", "surely"], ["undecided", "undecided"]];

const whole = (unit) => unit.pages_done + unit.pages_left;
const batchesLink = (unit) => h("a", {href: `#batches?unit=${encodeURIComponent(unit.unit)}`}, unitName(unit));
const historyLink = (unit) => h("div", {}, h("a", {href: `#units/${encodeURIComponent(unit.unit)}`, "aria-label": `${t("unitHistory")}: ${unitName(unit)}`}, t("unitHistory")));

const columns = () => [
  {key: "unit", title: t("unit"), value: (u) => u.name || u.unit, cell: (u) => [batchesLink(u),
    u.successors.length > 0 && h("div", {class: "dim"}, "→ ", u.successors.join(", ")), u.unit && historyLink(u)]},
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

/** By units of one time: what surely is theirs, and beside it what perhaps is. */
const byColumns = () => [
  {key: "unit", title: t("unit"), value: (u) => u.name, cell: (u) => [batchesLink(u), historyLink(u)]},
  {key: "until", title: t("until"), value: (u) => u.until, cell: (u) => u.until ?? "–", number: true},
  {key: "progress", title: t("progress"), value: (u) => (whole(u.sure) ? u.sure.pages_done / whole(u.sure) : 1), cell: (u) => progress(u.sure.pages_done, whole(u.sure))},
  {key: "documents", title: `${t("surely")}: ${t("documents")}`, value: (u) => u.sure.documents, cell: (u) => number(u.sure.documents), number: true},
  {key: "left", title: `${t("surely")}: ${t("pagesLeft")}`, value: (u) => u.sure.pages_left, cell: (u) => number(u.sure.pages_left), number: true},
  {key: "perhaps", title: `${t("perhaps")}: ${t("documents")}`, value: (u) => u.perhaps.documents, cell: (u) => number(u.perhaps.documents), number: true},
  {key: "perhapsLeft", title: `${t("perhaps")}: ${t("pagesLeft")}`, value: (u) => u.perhaps.pages_left, cell: (u) => number(u.perhaps.pages_left), number: true},
];

const sumCard = (title, sum) => h("section", {class: "card"}, h("h2", {}, title), h("p", {class: "big"}, `${number(sum.documents)} ${t("documents")}`),
  progress(sum.pages_done, whole(sum)));

export async function show(node, place) {
  const wanted = Object.fromEntries(["by", "q", "kind", "verdict"].map((key) => [key, place.query.get(key) ?? ""]));
  const filed = table(t("units"), columns(), {sort: "verdict"}), grouped = table(t("units"), byColumns(), {sort: "unit"});
  const count = h("p", {class: "dim", role: "status"}), said = h("div"), sums = h("div"), rows = h("div", {style: {marginBottom: ".75rem"}}), form = h("div", {class: "form"});
  grouped.node.classList.add("wide");
  const search = h("input", {type: "search", value: wanted.q, oninput: (event) => change("q", event.target.value)});
  const kind = field(t("kind"), choice(wanted.kind, KINDS.map(([value, key]) => [value, t(key)]), (value) => change("kind", value)));
  const verdict = field(t("verdict"), choice(wanted.verdict, [["", t("all")], ...VERDICTS.map((v) => [v, t(`v:${v}`)])], (value) => change("verdict", value)));
  const times = TIMES.map((by) => h("button", {type: "button", onclick: () => change("by", by)}, t(`by:${by}`)));
  node.append(finder(), place.parts[0] ? await unitHistory(place.parts[0]) : "", h("div", {class: "form buttons", role: "group", "aria-label": t("by")}, times), form, said, sums, count, rows);
  if (session.may("administer")) node.append(await reorganisations());
  arrange();

  function finder() {
    const text = h("input", {required: true, value: place.parts[0] ?? ""});
    return h("form", {class: "form", onsubmit: (event) => {
      event.preventDefault();
      location.hash = `#units/${encodeURIComponent(text.value)}`;
    }}, field(t("findUnit"), text), h("button", {}, t("find")));
  }

  function arrange() {
    times.forEach((button, i) => button.setAttribute("aria-pressed", String(TIMES[i] === wanted.by)));
    replace(form, field(t("filter"), search), !wanted.by && [kind, verdict]);
    replace(rows, wanted.by ? grouped.node : filed.node);
    replace(sums);
  }

  function change(key, value) {
    wanted[key] = value;
    history.replaceState(null, "", "#units" + query(wanted));
    if (key === "by") arrange();
    refresh();
  }

  function fill(answer) {
    if (wanted.by) grouped.show(answer.units);
    else filed.show(answer.units);
    replace(sums, wanted.by && [h("div", {class: "cards"}, SUMS.map(([key, title]) => sumCard(t(title), answer[key]))), h("p", {class: "dim"}, t("byHint"))]);
    count.textContent = t("rowsShown", number(answer.units.length));
  }

  let asked = 0;
  async function refresh() {
    const mine = ++asked;
    try {
      const answer = await get("units" + query(wanted.by ? {by: wanted.by, q: wanted.q} : wanted));
      if (mine !== asked) return;
      fill(answer);
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
