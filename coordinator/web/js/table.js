// SPDX-License-Identifier: AGPL-3.0-or-later
// A table that can be sorted, and of whose rows only those in sight are in the page: a hundred thousand are no burden.
import {h, replace} from "./dom.js";
import {t} from "./i18n.js";

const ROW_PX = 40, WINDOW = 60;

/**
 * columns: [{key, title, value: row => what it is sorted by, cell: row => what is shown, number: true}]
 * Returns {node, show(rows)}; what a person sorted by stays over show().
 */
export function table(caption, columns, {sort = null, descending = false, scroll = true} = {}) {
  let rows = [], order = {key: sort, descending}, first = -1;
  const heads = columns.map((column) =>
    h("th", {scope: "col", class: column.number && "n"},
      column.value ? h("button", {type: "button", onclick: () => sortBy(column.key)}, column.title) : column.title));
  const body = h("tbody");
  const node = h("div", {class: scroll ? "rows" : "scroll", tabindex: "0", role: "region", "aria-label": caption, onscroll: () => draw(false)},
    h("table", {}, h("caption", {class: "hidden"}, caption), h("thead", {}, h("tr", {}, heads)), body));

  function sortBy(key) {
    order = {key, descending: order.key === key ? !order.descending : false};
    arrange();
    draw(true);
  }

  function arrange() {
    const column = columns.find((one) => one.key === order.key);
    columns.forEach((one, i) => {
      if (one.key === order.key) heads[i].setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else heads[i].removeAttribute("aria-sort");
    });
    if (!column) return;
    const sign = order.descending ? -1 : 1;
    rows.sort((a, b) => {
      const x = column.value(a), y = column.value(b);
      if (x === y) return 0;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      return (typeof x === "string" ? x.localeCompare(y, "vi") : x - y) * sign;
    });
  }

  const spacer = (count) => h("tr", {class: "spacer", "aria-hidden": "true"}, h("td", {colspan: columns.length, style: {height: `${count * ROW_PX}px`}}));

  function draw(anew) {
    const from = scroll ? Math.max(0, Math.min(rows.length - WINDOW, Math.floor(node.scrollTop / ROW_PX) - WINDOW / 4)) : 0;
    if (!anew && from === first) return;
    first = from;
    const shown = scroll ? rows.slice(from, from + WINDOW) : rows;
    const left = rows.length - from - shown.length;
    const focused = focusedCell();
    replace(body, from > 0 && spacer(from),
      shown.map((row) => h("tr", {"data-row": rowName(row)}, columns.map((column, i) =>
        h(i ? "td" : "th", {class: column.number && "n", scope: i ? undefined : "row"}, column.cell(row))))),
      left > 0 && spacer(left),
      !rows.length && h("tr", {}, h("td", {colspan: columns.length, class: "dim"}, t("nothing"))));
    if (focused) focusCell(focused);
  }

  /* Rows are drawn anew while somebody is on a button of one: they stay on it. */
  const rowName = (row) => String(columns[0].value?.(row) ?? "");

  function focusedCell() {
    const cell = body.contains(document.activeElement) ? document.activeElement.closest("td, th") : null;
    return cell && {row: cell.parentNode.dataset.row, column: [...cell.parentNode.children].indexOf(cell)};
  }

  function focusCell({row, column}) {
    const line = [...body.children].find((one) => one.dataset.row === row);
    line?.children[column]?.querySelector("a, button, input, select")?.focus();
  }

  return {
    node,
    show(fresh) {
      rows = [...fresh];
      arrange();
      draw(true);
    },
  };
}
