// SPDX-License-Identifier: AGPL-3.0-or-later
// A part of a page's picture, large enough to read, with a box around what it is about.
import {h, replace, svg} from "./dom.js";
import {t} from "./i18n.js";

const WIDTH = 1600, PREVIEW = 800;
const MARGIN = 0.06; /* of the page's width, around the box */
const LEAST = 0.45; /* of the page's width is shown at least, so that one sees where it is */

const address = (path, page, width) => `api/v1/${path}/pages/${page}/picture?width=${width}`;

let coming = null, shown = null; /* pictures on their way, or there: {node, attribute, src} */

/** What nobody waits for any more does not keep the browser's few connections busy. */
function drop(picture) {
  if (picture && picture.src !== shown?.src && picture.src !== coming?.src) picture.node.removeAttribute(picture.attribute);
}

/** The browser has it before it is wanted. */
export function prefetch(path, place) {
  const before = coming, node = new Image(), src = address(path, place?.page ?? 1, place ? WIDTH : PREVIEW);
  node.src = src;
  coming = {node, attribute: "src", src};
  drop(before);
}

function show(node, attribute, src) {
  const before = shown;
  node.setAttribute(attribute, src);
  shown = {node, attribute, src};
  drop(before);
  return node;
}

/** What of the page is shown for a box: the box in its middle, within the page. */
function view({width, height, box: [x, y, w, h_]}) {
  const wide = Math.min(width, Math.max(w + 2 * MARGIN * width, LEAST * width));
  const high = Math.min(height, Math.max(h_ + 2 * MARGIN * width, wide * 0.5));
  const within = (middle, size, most) => Math.max(0, Math.min(most - size, middle - size / 2));
  return [within(x + w / 2, wide, width), within(y + h_ / 2, high, height), wide, high];
}

/** path: of the document; place: of a field, or null: it is nowhere, and the first page is shown. */
export function closeup(path, place, label) {
  const frame = h("div", {class: "closeup"}), missing = () => replace(frame, h("p", {class: "dim"}, t("noPicture")));
  if (!place) {
    frame.append(show(h("img", {alt: `${t("page")} 1`, onerror: missing}), "src", address(path, 1, PREVIEW)));
    return frame;
  }
  const [x, y, w, h_] = place.box;
  frame.append(svg("svg", {viewBox: view(place).join(" "), role: "img", "aria-label": `${t("page")} ${place.page}: ${label}`},
    show(svg("image", {x: 0, y: 0, width: place.width, height: place.height, onerror: missing}), "href", address(path, place.page, WIDTH)),
    svg("rect", {x: x - 8, y: y - 8, width: w + 16, height: h_ + 16})));
  return frame;
}
