// SPDX-License-Identifier: AGPL-3.0-or-later
// A browser before the dashboard: what it must never say or ask for is counted, and what every view must be is looked at.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
import {open} from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const say = (text) => console.log(text);
export const check = (condition, what) => {
  if (!condition) throw new Error(what);
};

/** seen: the counts; expected: texts of console messages that are no error of the page, since the API refuses on purpose. */
export async function look(part, url, shots) {
  const {page, close} = await open();
  const seen = {views: 0, console_errors: 0, outside_requests: 0, axe_serious: 0, first_paint_ms: 0};
  const eye = {page, close, seen, expected: [], axe, go, setLanguage, setTheme, fits, everyView, run};
  const asked = new Set(); /* and not answered */

  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (eye.expected.some((text) => message.text().includes(text))) return;
    seen.console_errors++;
    say(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (why) => {
    seen.console_errors++;
    say(`page error: ${why.stack}`);
  });
  page.on("request", (request) => {
    if (request.resourceType() !== "eventsource") asked.add(request);
    if (request.url().startsWith(url) || request.url().startsWith("data:") || request.url().startsWith("blob:")) return;
    seen.outside_requests++;
    say(`outside: ${request.url()}`);
  });

  page.on("requestfinished", (request) => asked.delete(request));
  page.on("requestfailed", (request) => asked.delete(request));

  /* What it asks for is there, and drawn; what that leads to, too. */
  async function settled() {
    for (let quiet = 0; quiet < 3; quiet = asked.size ? 0 : quiet + 1)
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20))));
  }

  async function axe(name) {
    await page.evaluate(axeSource);
    const {violations} = await page.evaluate(() => window.axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}));
    for (const violation of violations) {
      if (!["serious", "critical"].includes(violation.impact)) continue;
      seen.axe_serious++;
      say(`axe: ${name}: ${violation.id}: ${violation.help}: ${violation.nodes[0].html.slice(0, 160)} ${violation.nodes[0].any.map((one) => one.message).join("; ").slice(0, 200)}`);
    }
  }

  async function go(view) {
    await page.goto(`${url}#${view}`);
    await page.waitForSelector("main h1");
    await settled();
  }

  async function setLanguage(language) {
    if ((await page.getAttribute("html", "lang")) !== language) await page.click("#language");
    check((await page.getAttribute("html", "lang")) === language, `the language is not ${language}`);
  }

  async function setTheme(theme) {
    if ((await page.getAttribute("html", "data-theme")) !== theme) await page.click("header button:has-text('Sáng/tối'), header button:has-text('Light/dark')");
    check((await page.getAttribute("html", "data-theme")) === theme, `the theme is not ${theme}`);
  }

  async function fits(name) {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(wide <= 0, `${name} is ${wide} px wider than the screen`);
  }

  /* Every view, in both languages and themes, and on a phone. */
  async function everyView(views) {
    for (const [language, theme] of [["vi", "light"], ["en", "dark"]]) {
      for (const view of views) {
        await go(view);
        await setLanguage(language);
        await setTheme(theme);
        await settled();
        check(!(await page.$("main .note.bad")), `${view} shows an error: ${await page.textContent("main")}`);
        await axe(`${view} ${language} ${theme}`);
        await page.screenshot({path: `${shots}/${part}-${view.replaceAll("/", "-")}-${language}-${theme}.png`, fullPage: true});
        seen.views++;
      }
    }
    await page.setViewportSize({width: 360, height: 740});
    for (const view of views) {
      await go(view);
      await fits(`${view} on a phone`);
      await page.screenshot({path: `${shots}/${part}-${view.replaceAll("/", "-")}-phone.png`});
    }
    await page.setViewportSize({width: 1366, height: 900});
  }

  /** Does what parts has under the name; the last line said is JSON. */
  async function run(parts) {
    try {
      await parts[part]();
    } catch (why) {
      await page.screenshot({path: `${shots}/${part}-failed.png`, fullPage: true}).catch(() => {});
      say(String(why.stack ?? why).split("\n").slice(0, 4).join(" | "));
      process.exitCode = 1;
    } finally {
      await close();
    }
    console.log(JSON.stringify(seen));
  }

  return eye;
}
