// SPDX-License-Identifier: AGPL-3.0-or-later
// A group of documents that are the same, each with a link; the master first.
import {h} from "./dom.js";
import {t} from "./i18n.js";
import {stateTag} from "./parts.js";
import {number, percent} from "./format.js";

const link = (member) => `#document/${encodeURIComponent(member.batch)}/${member.document}`;

function sameness(member) {
  if (member.master) return h("span", {class: "tag good"}, t("master"));
  return member.kind ? `${t(`same:${member.kind}`)} ${percent(member.similarity, 1)}` : t("sameAsOthers");
}

export function twins(group, caption) {
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
    h("table", {}, h("caption", {}, `${caption}: ${t(`same:${group.kind}`)}`),
      h("thead", {}, h("tr", {}, ["document", "sameness", "pages", "grade", "state", "source"].map((key) => h("th", {scope: "col"}, t(key))))),
      h("tbody", {}, group.members.map((member) => h("tr", {},
        h("th", {scope: "row"}, h("a", {href: link(member)}, `${member.batch}/${member.document}`)), h("td", {}, sameness(member)),
        h("td", {class: "n"}, number(member.pages)), h("td", {}, member.grade ?? "–"), h("td", {}, stateTag(member.state)),
        h("td", {}, member.source.split("/").at(-1)))))));
}
