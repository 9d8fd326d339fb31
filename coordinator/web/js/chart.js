// SPDX-License-Identifier: AGPL-3.0-or-later
// Chart.js, brought when the first chart is drawn. A table beside the picture says the same.
import {h, replace} from "./dom.js";
import {t} from "./i18n.js";
import {clock, day, locale, number} from "./format.js";

let library = null;

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "lib/chart.js";
    script.onload = () => resolve(window.Chart);
    script.onerror = () => reject(new Error("lib/chart.js"));
    document.head.append(script);
  });
  return library;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** {node, draw(series), destroy()} */
export function speedChart(title) {
  const canvas = h("canvas", {role: "img", "aria-label": title});
  const words = h("p", {class: "dim"});
  let chart = null, gone = false;

  async function draw(series) {
    const perSecond = series.pages.map((pages) => (pages * 1000) / series.step_ms);
    const short = series.step_ms < 3600000;
    const labels = perSecond.map((_, i) => (short ? clock : day)(series.from_ms + i * series.step_ms));
    const most = Math.max(0, ...perSecond);
    replace(words, `${number(perSecond.at(-1) ?? 0, 1)} ${t("pagesPerSecond")}; max ${number(most, 1)}`);
    const Chart = await load();
    if (gone) return;
    chart?.destroy();
    const size = 0.8 * parseFloat(getComputedStyle(document.documentElement).fontSize); /* larger on the wall */
    const axis = {ticks: {color: colour("--dim"), font: {size}}, grid: {color: colour("--line")}};
    chart = new Chart(canvas, {
      type: "line",
      data: {labels, datasets: [{label: t("pagesPerSecond"), data: perSecond, borderColor: colour("--accent"), backgroundColor: colour("--accent"), pointRadius: perSecond.length < 3 ? 4 : 0, borderWidth: 2}]},
      options: {animation: false, locale: locale(), responsive: true, maintainAspectRatio: false, plugins: {legend: {display: false}},
        scales: {x: {...axis, ticks: {...axis.ticks, maxTicksLimit: 8}}, y: {...axis, beginAtZero: true}}},
    });
  }

  return {
    node: h("div", {}, h("div", {class: "chart"}, canvas), words),
    draw,
    destroy() {
      gone = true;
      chart?.destroy();
    },
  };
}
