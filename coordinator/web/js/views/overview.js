// SPDX-License-Identifier: AGPL-3.0-or-later
// Five seconds: does every unit make its deadline, how fast is it, when does it end, what is wrong.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post} from "../api.js";
import {listen} from "../events.js";
import {action, attempt, card, failedNote, pagesDone, progress, verdictTag} from "../parts.js";
import {moment, number, rate} from "../format.js";
import {speedChart} from "../chart.js";
import {session} from "../session.js";

const SPANS = [[3600, "lastHour"], [86400, "lastDay"], [2592000, "lastMonth"]];
const REFRESH_MS = 10000;

const ALERT_PLACE = {
  batch_paused: (subject) => `#batches/${encodeURIComponent(subject)}`,
  quarantined: (subject) => `#batches/${encodeURIComponent(subject)}`,
  unit_late: (subject) => `#units?q=${encodeURIComponent(subject)}`,
  unit_at_risk: (subject) => `#units?q=${encodeURIComponent(subject)}`,
  worker_lost: () => "#workers", no_workers: () => "#workers", no_progress: () => "#workers", redis_lost: () => "#log", standby_lost: () => "#overview", store_full: () => "#overview", undated: () => "#units?verdict=no%20deadline",
};
const ALERT_KIND = {unit_at_risk: "warn", quarantined: "warn", undated: "warn"};
const ALERT_SAYS = new Set(["batch_paused", "store_full", "no_progress"]); // its text is not the same for all of its kind

const figure = (title, big, ...small) => card(title, h("div", {class: "big"}, big), h("div", {class: "dim"}, small));

function figures(o) {
  const done = pagesDone(o.pages);
  return [
    figure(t("speed"), rate(o.pages_per_s), t("lastMinute")),
    card(t("done"), h("div", {class: "big"}, number(done), " ", t("pages")), progress(done, done + o.pages_left, o.pages.dead)),
    figure(t("left"), number(o.pages_left) + " " + t("pages"), `${number(o.documents.open)} ${t("documents")}`),
    figure(t("ends"), moment(o.ends_p50_ms), `${t("p90")}: ${moment(o.ends_p90_ms)}`),
    figure(t("coreUse"), `${number(o.workers.busy_slots)} / ${number(o.workers.slots)}`, `${number(o.workers.connected)} ${t("workers").toLowerCase()}`),
  ];
}

function verdicts(o) {
  const some = Object.entries(o.verdicts).filter(([, count]) => count > 0);
  return [
    h("p", {class: o.feasible ? "good" : "bad"}, t(o.feasible ? "feasible" : "infeasible")),
    h("ul", {class: "plain"}, some.map(([verdict, count]) =>
      h("li", {}, h("a", {href: `#units?verdict=${encodeURIComponent(verdict)}`}, verdictTag(verdict), ` ${number(count)}`)))),
  ];
}

function alerts(o) {
  if (!o.alerts.length) return h("p", {class: "good"}, t("noAlerts"));
  return h("ul", {class: "plain"}, o.alerts.map((alert) =>
    h("li", {}, h("a", {class: ALERT_KIND[alert.kind] ?? "bad", href: ALERT_PLACE[alert.kind]?.(alert.subject) ?? "#log"},
      t(`a:${alert.kind}`), alert.subject && `: ${alert.subject}`, alert.count > 1 && ` (${number(alert.count)})`),
    ALERT_SAYS.has(alert.kind) && h("div", {class: "dim"}, alert.text))));
}

function failureList(groups) {
  if (!groups.length) return h("p", {class: "dim"}, t("nothing"));
  return h("ul", {class: "plain"}, groups.slice(0, 8).map((group) =>
    h("li", {}, h("a", {href: `#failures?where=${encodeURIComponent(group.where)}`}, group.code), ` · ${number(group.documents)} ${t("documents")}`,
      h("div", {class: "dim"}, group.text || group.meaning))));
}

/** Tries the webhook; null: it is not for who looks. */
function notifyTest() {
  if (!session.may("operate") || session.units.length) return null;
  const said = h("div", {role: "status"});
  return h("div", {class: "buttons"}, action(t("notifyTest"), "operate", () => attempt(said, async () => {
    const answer = await post("notify/test");
    return t("notifyTaken", answer.status, number(answer.ms));
  })), said);
}

export async function show(node) {
  const cards = h("div", {class: "cards"}), verdictNode = h("div"), alertNode = h("div"), failureNode = h("div");
  const chart = speedChart(t("overTime"));
  let span = 3600, stopped = false;
  const spans = h("div", {class: "buttons"}, SPANS.map(([seconds, key]) =>
    h("button", {type: "button", "aria-pressed": String(seconds === span), onclick: (event) => choose(seconds, event.target)}, t(key))));
  node.append(cards, h("div", {class: "two"}, card(t("verdicts"), verdictNode), card(t("alerts"), alertNode, notifyTest())),
    card(t("overTime"), spans, chart.node), card(t("failures"), failureNode));

  function choose(seconds, button) {
    span = seconds;
    for (const other of spans.children) other.setAttribute("aria-pressed", String(other === button));
    refresh();
  }

  async function refresh() {
    try {
      const [series, failures] = await Promise.all([get(`series?span=${span}`), get("failures")]);
      if (stopped) return;
      chart.draw(series);
      replace(failureNode, failureList(failures.groups));
    } catch (why) {
      if (!stopped) replace(failureNode, failedNote(why));
    }
  }

  const stop = listen((overview) => {
    replace(cards, figures(overview));
    replace(verdictNode, verdicts(overview));
    replace(alertNode, alerts(overview));
  });
  const timer = setInterval(refresh, REFRESH_MS);
  refresh();
  return () => {
    stopped = true;
    stop();
    clearInterval(timer);
    chart.destroy();
  };
}
