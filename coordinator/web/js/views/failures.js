// SPDX-License-Identifier: AGPL-3.0-or-later
// Why documents failed, and sending just those round again: what it costs is told before it is ordered.
import {h, replace} from "../dom.js";
import {t} from "../i18n.js";
import {get, post, query, remove} from "../api.js";
import {action, ask, attempt, card, failedNote, field, unitName, verdictTag} from "../parts.js";
import {table} from "../table.js";
import {moment, number, span} from "../format.js";

const REFRESH_MS = 5000;

const columns = (choose) => [
  {key: "code", title: t("reason"), value: (g) => g.code, cell: (g) => [h("b", {}, g.code), h("div", {class: "dim"}, g.meaning)]},
  {key: "text", title: t("message"), cell: (g) => g.text},
  {key: "documents", title: t("documents"), value: (g) => g.documents, cell: (g) => number(g.documents), number: true},
  {key: "select", title: t("select"), cell: (g) => h("button", {type: "button", "aria-label": `${t("select")} ${g.code}`, onclick: () => choose(g.where)}, t("select"))},
];

/** What a re-run would cost and do. */
function effect(dry) {
  const worse = dry.deadlines.worse;
  return [
    h("p", {}, h("b", {}, `${number(dry.pages)} ${t("pages")}, ${number(dry.documents)} ${t("documents")}`),
      dry.core_hours !== null && `, ≈ ${number(dry.core_hours, 2)} ${t("coreHours")}`),
    dry.documents > 0 && h("p", {}, t("endsThen", moment(dry.deadlines.ends_then_ms), moment(dry.deadlines.ends_ms))),
    !worse.length && h("p", {class: "good"}, t("effectNone")),
    worse.length > 0 && [h("p", {class: "bad"}, t("effectWorse")), h("ul", {class: "plain"}, worse.map((unit) =>
      h("li", {}, unitName(unit), " ", verdictTag(unit.verdict), ` ${t("slack")} ${span(unit.slack_ms)}; ${t("was")} `, verdictTag(unit.before?.verdict ?? "done"))))],
  ];
}

export async function show(node, place) {
  const unit = place.query.get("unit") ?? "";
  const where = h("input", {value: place.query.get("where") ?? "", size: 48, placeholder: t("whereHint"), spellcheck: "false"});
  const said = h("div", {role: "status"}), preview = h("div"), listed = h("div");
  const groups = table(t("failures"), columns((text) => {
    where.value = text;
    look();
  }), {sort: "documents", descending: true, scroll: false});
  node.append(card(t("failures"), groups.node),
    card(t("rerun"), h("form", {class: "form", onsubmit: (event) => {
      event.preventDefault();
      look();
    }}, field(t("where"), where), h("button", {}, t("preview"))), said, preview),
    card(t("reruns"), listed));

  const look = () => attempt(said, async () => {
    preview.replaceChildren();
    const dry = await post("reruns?dry_run=1", {where: where.value});
    replace(preview, effect(dry), dry.documents > 0 && action(t("rerun"), "operate", () => order(dry), "main"));
  });

  async function order(dry) {
    if (!(await ask(t("rerunAsk", number(dry.pages), number(dry.documents)), t("rerun")))) return;
    await attempt(said, async () => {
      const {number: made} = await post("reruns", {where: where.value});
      preview.replaceChildren();
      await refresh();
      return t("ordered", made);
    });
  }

  const undo = (made) => attempt(said, async () => {
    const answer = await remove(`reruns/${made}`);
    await refresh();
    return t("undone", number(answer.undone), number(answer.begun));
  });

  function rerunRow(rerun) {
    const open = rerun.documents - rerun.finished;
    return h("li", {}, h("b", {}, `#${rerun.number}`), ` ${moment(rerun.time_ms)} · ${rerun.where} · ${number(rerun.pages)} ${t("pages")} · `,
      `${number(rerun.finished)} / ${number(rerun.documents)} ${t("finished")} `, open > 0 && action(t("undo"), "operate", () => undo(rerun.number)));
  }

  async function refresh() {
    const [failures, reruns] = await Promise.all([get("failures" + query({unit})), get("reruns")]);
    groups.show(failures.groups);
    if (!listed.contains(document.activeElement))
      replace(listed, reruns.reruns.length ? h("ul", {class: "plain"}, reruns.reruns.slice(-50).reverse().map(rerunRow)) : h("p", {class: "dim"}, t("nothing")));
  }

  await refresh();
  if (where.value) look();
  const timer = setInterval(() => refresh().catch((why) => said.replaceChildren(failedNote(why))), REFRESH_MS);
  return () => clearInterval(timer);
}
