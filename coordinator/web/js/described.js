// SPDX-License-Identifier: AGPL-3.0-or-later
// What a document is, as its record says it: its fields with how sure they are, and what is proposed of it.
import {h} from "./dom.js";
import {t} from "./i18n.js";
import {card} from "./parts.js";
import {percent} from "./format.js";

export const FIELDS = ["header", "organName", "parentOrganName", "codeNumber", "codeNotation", "place", "issuedDate", "typeName", "typeCode", "subject",
  "addressee", "signerPrefix", "signerTitle", "signer", "recipients", "urgency", "copies", "language"];
const PROPOSALS = ["bloc", "area", "keywords", "maintenance", "personalData", "format", "riskRecovery"];

const row = (label, doubted, value, sure, more) => h("tr", {}, h("th", {scope: "row"}, label, doubted && [" ", h("span", {class: "tag warn"}, t("doubted"))]),
  h("td", {lang: "vi"}, value ?? "–"), h("td", {class: "n"}, sure === null || sure === undefined ? "–" : percent(sure, 1)), h("td", {class: "dim"}, more));

/** Whose word a value is, what speaks against it, and what it may be instead. */
function remarks(field) {
  const others = field.candidates?.map((candidate) => `${candidate.value} (${percent(candidate.confidence, 1)})`) ?? [];
  return [field.corrected && `${t("w:corrected")}: ${field.corrected.by}`, field.origin === "imported" && !field.corrected && t("imported"),
    field.doubt, others.length > 0 && `${t("maybe")}: ${others.join(", ")}`].filter(Boolean).join("; ");
}

const fieldRow = (name, field, doubts) => row(t(`f:${name}`), doubts.includes(name), field.corrected ? field.corrected.value : field.value,
  field.corrected || field.origin === "imported" ? null : field.confidence, remarks(field));

const table = (head, rows) => h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": head[0]},
  h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", {scope: "col"}, text)))), h("tbody", {}, rows)));

/** Two cards. */
export function described(record) {
  const doubts = record.doubts ?? [];
  const fields = FIELDS.filter((name) => record.metadata?.[name] && (record.metadata[name].value !== null || doubts.includes(name)));
  const proposals = PROPOSALS.filter((name) => record.proposals?.[name]);
  return [card(t("described"), table([t("field"), t("value"), t("confidence"), t("remarks")], fields.map((name) => fieldRow(name, record.metadata[name], doubts)))),
    card(t("proposed"), h("p", {class: "dim"}, t("proposedHint")), table([t("proposal"), t("value"), t("confidence"), t("rule")], proposals.map((name) => {
      const {value, confidence, rule} = record.proposals[name];
      return row(t(`p:${name}`), name === "format" && doubts.includes(name), value, confidence, rule);
    })))];
}
