// SPDX-License-Identifier: AGPL-3.0-or-later
// A unit's history: when it was in force, what it came from, what it became, and how much of it went where.
import {h} from "./dom.js";
import {t} from "./i18n.js";
import {get, query} from "./api.js";
import {card, failedNote, unitLink, unitName} from "./parts.js";

const kinList = (list) => h("ul", {class: "plain"}, list.map((kin) =>
  h("li", {}, unitLink(kin), kin.coverage && h("span", {class: "dim"}, ` · ${t(`c:${kin.coverage}`)}`))));

const row = (title, list) => list.length > 0 && [h("dt", {}, title), h("dd", {}, kinList(list))];

function placeCard(place) {
  const district = place.district ? [place.district] : [];
  return card(unitName(place),
    h("p", {}, h("span", {class: `tag ${place.old ? "warn" : "good"}`}, t(place.old ? "oldUnit" : "inForce")), " ",
      h("a", {href: `#batches?unit=${encodeURIComponent(place.unit)}`}, t("batchesOf"))),
    h("dl", {}, h("dt", {}, t("validity")), h("dd", {}, `${place.from ?? "…"} – ${place.until ?? "…"}`),
      row(t("inDistrict"), district), row(t("became"), place.became), place.old && row(t(place.sure ? "isNow" : "mayBeNow"), place.now),
      row(t("cameFrom"), place.came_from), row(t("communes"), place.communes.map(({unit, name}) => ({unit, name})))));
}

/** All that are or were called so; text is a unit, a code or a name. */
export async function history(text) {
  try {
    const {places} = await get("places" + query({q: text}));
    return h("div", {class: "two"}, places.map(placeCard));
  } catch (why) {
    return failedNote(why);
  }
}
