// SPDX-License-Identifier: AGPL-3.0-or-later
// paint.mjs URL: how soon the dashboard shows something, and its figures, and how long an update keeps the page busy: JSON.
import {open} from "./browser.mjs";

const WATCHED_MS = 15000;
const [url] = process.argv.slice(2);
const {page, close} = await open();

/* The longest time that the page did nothing else. Tasks under 50 ms are not told; then it is 0. */
const watchTasks = () => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({type: "longtask"});
};

try {
  const began = Date.now();
  await page.goto(url);
  await page.waitForSelector(".cards .big");
  const figures = Date.now() - began;
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  await page.waitForTimeout(2000);
  await page.evaluate(watchTasks);
  await page.waitForTimeout(WATCHED_MS);
  const overview = await page.evaluate(() => window.longest);
  await page.goto(`${url}#units`);
  await page.waitForSelector("main tbody tr a");
  await page.waitForTimeout(1000);
  await page.evaluate(() => { window.longest = 0; });
  await page.waitForTimeout(WATCHED_MS);
  const units = await page.evaluate(() => window.longest);
  console.log(JSON.stringify({first_paint_ms: Math.round(paint), figures_ms: figures, update_overview_ms: Math.round(overview), update_units_ms: Math.round(units)}));
} finally {
  await close();
}
