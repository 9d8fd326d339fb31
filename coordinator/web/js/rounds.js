// SPDX-License-Identifier: AGPL-3.0-or-later
// The rounds of a batch's review: how they ended, what is over a limit, and what may be done next.
import {h, replace} from "./dom.js";
import {t} from "./i18n.js";
import {get, post} from "./api.js";
import {action, ask, attempt, card, field} from "./parts.js";
import {moment, number} from "./format.js";

const MEANS = {passed: "good", accepted: "good", failed: "bad", rejected: "bad", open: "warn", reopened: "warn", none: "dim"};
const tag = (state) => h("span", {class: `tag ${MEANS[state]}`}, t(`w:${state}`));
const COLUMNS = ["round", "share", "seed", "documents", "w:waiting", "w:corrected", "w:rejected", "state", "who"], NUMBERS = 7; /* of them, the first */

const row = (round) => h("tr", {}, h("th", {scope: "row", class: "n"}, number(round.round)), h("td", {class: "n"}, `${number(round.percent)} %`),
  h("td", {class: "n"}, round.seed || "–"), h("td", {class: "n"}, number(round.documents)), h("td", {class: "n"}, number(round.waiting)),
  h("td", {class: "n"}, number(round.corrected)), h("td", {class: "n"}, number(round.rejected)),
  h("td", {}, tag(round.verdict), round.reason && h("div", {class: "dim"}, round.reason)), h("td", {}, round.closed_by ?? round.begun_by, h("div", {class: "dim"}, moment(round.closed_ms ?? round.begun_ms))));

/** Fields with something wrong, the worst first. */
function rates(round) {
  const wrong = round.rates.filter((rate) => rate.documents).sort((a, b) => b.percent / (b.limit_percent || 0.1) - a.percent / (a.limit_percent || 0.1));
  return wrong.length > 0 && h("ul", {class: "plain"}, wrong.map((rate) => h("li", {class: rate.over && "bad"},
    `${t(`f:${rate.field}`)} ${number(rate.percent, 1)} % · ${t("limit")} ${number(rate.limit_percent, 1)} %${rate.over ? " · " + t("over") : ""}`)));
}

/** {node, refresh()}; changed is called after what was done here. */
export function rounds(batch, changed) {
  const path = `batches/${encodeURIComponent(batch)}/review`, said = h("div", {tabindex: "-1"}), body = h("div");
  const percent = h("input", {type: "number", min: 1, max: 100, value: 30}), seed = h("input", {inputmode: "numeric", pattern: "[0-9]*", size: 10});
  const reason = h("input", {size: 28, maxlength: 300});
  const all = h("input", {type: "checkbox"});

  const order = (what, order_, text) => attempt(said, async () => {
    const answer = await post(`${path}/${what}`, order_());
    said.focus({preventScroll: true}); /* what was pressed goes */
    await refresh();
    changed();
    return text(answer);
  });
  const begin = () => order("round", () => ({...(percent.value && {percent: Number(percent.value)}), ...(seed.value && {seed: Number(seed.value)})}),
    (answer) => t("roundBegun", number(answer.round), number(answer.documents)));
  const close = (accept) => order("close", () => ({accept, reason: reason.value}), (answer) => `${batch}: ${t(`w:${answer.state}`)}`);
  const reject = async () => {
    if (await ask(t(all.checked ? "rejectAllAsk" : "rejectAsk", batch), t("rejectBatch")))
      await order("reject", () => ({reason: reason.value, all: all.checked}), (answer) => t("sentBack", number(answer.documents), answer.rerun));
  };

  /* What does not apply is not offered. */
  function orders(review) {
    const last = review.rounds.at(-1), open = last?.verdict === "open";
    const may = !open && (review.documents.fresh > 0 || review.documents.accepted > 0) && !review.documents.open;
    return h("div", {class: "form"},
      may && [review.documents.fresh === 0 && [field(t("share"), percent), field(t("seed"), seed)], action(t("beginRound"), "archive", begin, "main")],
      last && field(t("reason"), reason),
      open && action(t("closeRound"), "archive", () => close(false), last.waiting ? "" : "main"),
      last?.verdict === "passed" && action(t("acceptBatch"), "archive", () => close(true), "main"),
      last && [h("label", {class: "check"}, all, t("allOfIt")), action(t("rejectBatch"), "archive", reject, "danger")]);
  }

  /** Not while one types here. */
  async function refresh() {
    if (body.contains(document.activeElement) && document.activeElement.matches("input")) return;
    const review = await get(path), last = review.rounds.at(-1), counts = review.documents;
    replace(body, h("p", {}, tag(review.state), " ", ["fresh", "waiting", "accepted", "rejected"].map((key) => `${t(`w:${key}`)} ${number(counts[key])}`).join(" · "),
      counts.open > 0 && ` · ${t("s:open")} ${number(counts.open)}`),
    last && rates(last), orders(review),
    last && h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": t("rounds")}, h("table", {},
      h("thead", {}, h("tr", {}, COLUMNS.map((key, i) => h("th", {scope: "col", class: i < NUMBERS && "n"}, t(key))))), h("tbody", {}, review.rounds.map(row)))));
  }

  return {node: card(`${t("rounds")}: ${batch}`, said, body), refresh};
}
