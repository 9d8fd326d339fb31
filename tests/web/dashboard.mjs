// SPDX-License-Identifier: AGPL-3.0-or-later
// dashboard.mjs local|bound|merged URL SHOTS PASSWORD: opens the dashboard and does with it what people do. `local`: nobody has to log in;
// `bound`: an operator of one district does; `merged`: an administrator says that the operator's rights go with a new commune. Each step that does not come true ends it. The last line is JSON.
import {check, look, say} from "./look.mjs";

const [part, url, shots, password] = process.argv.slice(2);
const VIEWS = ["overview", "units", "units?by=new", "units/00004", "batches", "batches/ba-dinh", "document/ba-dinh/0", "review", "failures", "duplicates", "workers", "plan", "reports", "ledger", "accounts"];
const eye = await look(part, url, shots);
const {page, seen, axe, go, setLanguage, setTheme, fits, everyView} = eye;

async function wall() {
  await page.setViewportSize({width: 1920, height: 1080});
  for (const view of ["overview", "units", "workers"]) {
    await go(view);
    await fits(`${view} on the wall`);
    await page.screenshot({path: `${shots}/${part}-${view}-wall.png`});
  }
  await page.setViewportSize({width: 1366, height: 900});
  say(`${VIEWS.length} views opened in two languages, two themes, on a phone and on the wall`);
}

/* By keyboard alone: the first Tab is the way past the navigation. */
async function keyboard() {
  await go("units");
  await page.reload();
  await page.waitForSelector("main table");
  await page.keyboard.press("Tab");
  check((await page.evaluate(() => document.activeElement.id)) === "skip", "the first Tab is not the skip link");
  await page.keyboard.press("Enter");
  check((await page.evaluate(() => document.activeElement.id)) === "main", "the skip link does not lead to the content");
  await page.focus("th button");
  await page.keyboard.press("Enter");
  check(await page.$("th[aria-sort='ascending']"), "a table can't be sorted by keyboard");
  say("the keyboard is enough");
}

/* A page as people see it, with a box around each word that was read. */
async function pictures() {
  await go("document/ba-dinh/0");
  await setLanguage("en");
  await page.waitForSelector("main .card:has-text('What it is')");
  const told = await page.textContent("main .card:has-text('What it is')");
  check(/Notation.*[A-ZĐ]+[-/][A-ZĐ]+/.test(told), `a document's fields are ${told}`);
  check((await page.textContent("main .card:has-text('Proposed')")).includes("Subject area"), "nothing is proposed of a document");
  await page.waitForFunction(() => document.querySelector(".page img")?.naturalWidth > 200 && document.querySelectorAll(".page svg rect").length > 20, null, {timeout: 30000});
  await setTheme("dark");
  const faint = await page.$$eval(".page svg rect", (rects) => Math.max(...rects.map((rect) => {
    const [r, g, b] = getComputedStyle(rect).color.match(/\d+/g).map((part) => ((Number(part) / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  })));
  check(1.05 / (faint + 0.05) >= 3, `boxes of words are hard to see on paper: luminance ${faint}`);
  await page.screenshot({path: `${shots}/${part}-picture.png`});
  say("a page's picture is shown with its words");
}

/* A failed document is found by its reason, sent round again and seen to finish. */
async function rerun() {
  await go("failures");
  await setLanguage("en");
  await page.click("button[aria-label='Select E_SOURCE_BROKEN']");
  await page.waitForSelector("button.main:has-text('Re-run')");
  await page.fill("main form input", "error=E_SOURCE_BROKEN and batch=ba-dinh");
  await page.click("main form button:has-text('Preview')");
  await page.waitForFunction(() => document.querySelector("main").textContent.includes("1 documents"));
  await page.screenshot({path: `${shots}/${part}-rerun-preview.png`, fullPage: true});
  await page.click("button.main:has-text('Re-run')");
  await page.click("dialog button.main");
  await page.waitForSelector(".note.good:has-text('Order')");
  await page.waitForFunction(() => /1 \/ 1 finished/.test(document.querySelector("main").textContent), null, {timeout: 60000});
  await go("batches/ba-dinh");
  await page.waitForFunction(() => !document.querySelector("main table").textContent.includes("refused"), null, {timeout: 30000});
  await page.screenshot({path: `${shots}/${part}-rerun-finished.png`, fullPage: true});
  await page.click("a[href='#document/ba-dinh/5']");
  await page.waitForSelector("main p.note a"); /* to the document that it is the same as */
  say("a failed document was re-run by clicks and seen to finish");
}

/* Each page tells how often it was read. */
async function readings() {
  await go("failures");
  await page.fill("main form input", "batch=ba-dinh and document=0");
  await page.click("main form button:has-text('Preview')");
  await page.click("button.main:has-text('Re-run')");
  await page.click("dialog button.main");
  await page.waitForSelector(".note.good:has-text('Order')");
  await go("document/ba-dinh/0");
  await page.waitForSelector("summary:has-text('readings: 2')", {timeout: 60000}); /* when it is there, by itself */
  await page.click("summary:has-text('readings: 2') >> nth=0");
  check((await page.$$("main details[open] tbody tr:has-text('stored')")).length === 2, "the readings of a page are not shown");
  await page.screenshot({path: `${shots}/${part}-readings.png`, fullPage: true});
  say("a page tells what it was before it was read again");
}

/* The same file came with three batches: each document says so, and the list leads from one to the other. */
async function duplicates() {
  await go("duplicates");
  await setLanguage("en");
  await page.waitForSelector("main .twins:has-text('ngoc-ha/0')");
  check((await page.textContent("main .twins:has-text('ngoc-ha/0')")).includes("kept"), "no document of a group is the master");
  await page.selectOption("main form select", "document");
  await page.waitForFunction(() => !document.querySelector("main .twins"));
  await page.selectOption("main form select", "bytes");
  await page.waitForSelector("main .twins");
  await page.screenshot({path: `${shots}/${part}-duplicates.png`, fullPage: true});
  await page.click("main .twins a[href='#document/ngoc-ha/0']");
  await page.waitForSelector("main .card:has-text('The same as') a[href='#document/ba-dinh/0']");
  await page.screenshot({path: `${shots}/${part}-document-duplicates.png`});
  say("a document leads to those that are the same");
}

const TABLE = "old_commune_code,old_commune_name,old_district_code,old_district_name,new_commune_code,new_commune_name,coverage\n";
const table = (name, ...rows) => ({name, mimeType: "text/csv", buffer: Buffer.from(TABLE + rows.map((row) => `${row}\n`).join(""))});
const main = (text) => page.waitForFunction((wanted) => document.querySelector("main").textContent.includes(wanted), text);

/* Progress by units of each time, by keyboard; an old name leads to what it became. */
async function oldAndNew() {
  await go("units");
  await setLanguage("en");
  for (const [button, unit] of [["Old district", "district:001"], ["Old commune", "old:00037"], ["New commune", "new:00008"]]) {
    await page.focus(`[role=group] button:has-text('${button}')`);
    await page.keyboard.press("Enter");
    await page.waitForSelector(`[role=group] button[aria-pressed=true]:has-text('${button}')`);
    await page.waitForSelector(`main table tr:has-text('${unit}')`);
    await main("Undecided");
  }
  const figures = await page.$$eval(".cards .big", (cards) => cards.map((card) => parseInt(card.textContent, 10)));
  check(figures.length === 3 && figures[0] === figures[1] + figures[2] && figures[2] > 0, `all, surely and undecided are ${figures}`);
  await page.fill("main form input[required]", "truc bach");
  await page.keyboard.press("Enter");
  await main("2025-06-30");
  await page.click("main dl a:has-text('new:00004')");
  await main("2025-07-01");
  await main("Came from");
  check((await page.textContent("main dl")).includes("old:00004") && (await page.textContent("main dl")).includes("part of the area"), "a unit does not tell what it came from");
  await page.screenshot({path: `${shots}/${part}-unit.png`, fullPage: true});
  say("units by district, old and new were switched by keyboard and add up, and an old name led to the new one");
}

/* A table with an error, a right one looked through, ordered and taken back. */
async function reorganise() {
  await go("units");
  await setLanguage("en");
  const card = page.locator("section:has(h2:text-is('Re-organisations'))");
  await card.locator("input[type=file]").setInputFiles(table("bad.csv", "00004,Phường Trúc Bạch,,,00004,Phường Hoàng Thành,whole"));
  await card.locator("input[type=date]").fill("2026-01-01");
  await card.locator("button:has-text('Preview')").click();
  await main("the commune in force with the code 00004 is 'Phường Ba Đình'");
  check(!(await card.locator("button:has-text('Order')").count()), "a wrong table can be ordered");
  await card.locator("input[type=file]").setInputFiles(table("good.csv", "00004,Phường Ba Đình,,,00008,Phường Hoàng Thành,whole", "00008,,,,00008,Phường Hoàng Thành,whole"));
  await card.locator("button:has-text('Preview')").click();
  await main("Code 00008: Phường Ngọc Hà (new:00008) → Phường Hoàng Thành (new:00008@2026-01-01)");
  await axe("a re-organisation looked through");
  await page.screenshot({path: `${shots}/${part}-reorganise-preview.png`, fullPage: true});
  await page.setViewportSize({width: 360, height: 740});
  await fits("a re-organisation on a phone");
  await page.setViewportSize({width: 1366, height: 900});
  await card.locator("button.main:has-text('Order')").click();
  await page.click("dialog button.main");
  await page.waitForSelector(".note.good:has-text('Re-organisation 1 is ordered')");
  await go("units/00008");
  await main("new:00008@2026-01-01");
  await main("2025-12-31");
  await page.screenshot({path: `${shots}/${part}-reorganised.png`, fullPage: true});
  await page.click("main button:has-text('Undo')");
  await page.click("dialog button.main");
  await page.waitForSelector(".note.good:has-text('taken back')");
  await go("units/00008");
  await page.reload();
  await main("Phường Ngọc Hà");
  check(!(await page.textContent("main dl")).includes("2025-12-31"), "what was taken back is still there");
  await go("ledger");
  await main("re-organisation 1 from 2026-01-01");
  say("a re-organisation was looked through, ordered and taken back by clicks");
}

async function whatIf() {
  await go("plan");
  await setLanguage("en");
  const before = await page.textContent("main tbody");
  await page.fill("main form input[type=number]", "100000");
  await page.click("main form button.main");
  await page.waitForFunction((text) => document.querySelector("main tbody").textContent !== text, before);
  await page.screenshot({path: `${shots}/${part}-what-if.png`, fullPage: true});
  say("a what-if was made");
}

async function updates() {
  await go("overview");
  await page.waitForSelector(".cards .big");
  await go("workers");
  await page.click("button:has-text('Drain') >> nth=0");
  await page.screenshot({path: `${shots}/${part}-dialog.png`});
  await page.click("dialog button.main");
  await page.waitForSelector("button:has-text('Undrain')");
  await page.click("button:has-text('Undrain')");
  await page.waitForFunction(() => !document.querySelector("main").textContent.includes("draining"));
  await go("ledger");
  await page.waitForFunction(() => document.querySelector("main").textContent.includes("gets nothing new"));
  say("a worker was drained and undrained, and the ledger says so");
}

/* The receiver of alerts is tried, and what it says is shown. */
async function alertTest() {
  await go("overview");
  await setLanguage("en");
  await page.click("button:has-text('Send a test alert')");
  await page.waitForSelector(".note.good:has-text('204')");
  await axe("a test alert");
  await page.screenshot({path: `${shots}/${part}-alert-test.png`, fullPage: true});
  say("a test alert was sent by a click");
}

/* What became of a document is found, the ledger is signed and verified, and a proof can be taken away. */
async function ledger() {
  await go("ledger");
  await setLanguage("en");
  await page.fill("main input[name=batch]", "ba-dinh");
  await page.fill("main input[name=document]", "0");
  await page.selectOption("main select[name=kind]", "outcome");
  await page.click("main button:has-text('Find')");
  await main("ba-dinh/0");
  await page.click("main summary >> nth=0");
  await main("DOC_STORED");
  await page.click("main button:has-text('Sign now')");
  await page.waitForSelector(".note.good:has-text('entries are signed')");
  await page.waitForSelector("main a[download^='checkpoint-']");
  await page.click("main button:has-text('Verify the ledger')");
  await page.waitForSelector(".note.good:has-text('The ledger is what it was')");
  await axe("the ledger, verified");
  await page.screenshot({path: `${shots}/${part}-ledger-verified.png`, fullPage: true});
  const proof = await page.evaluate(async () => (await fetch("api/v1/batches/ba-dinh/documents/0/proof")).json());
  check(proof.format === "sohoa-proof/1" && proof.entries.length, `a proof is ${JSON.stringify(proof).slice(0, 200)}`);
  await go("document/ba-dinh/0");
  await page.waitForSelector("main a[download='ba-dinh-0-proof.json']");
  say("the ledger was searched, signed and verified by clicks");
}

async function local() {
  const began = Date.now();
  await page.goto(url);
  await page.waitForSelector(".cards .big");
  seen.first_paint_ms = Math.round(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1));
  say(`figures were there after ${Date.now() - began} ms`);
  await everyView(VIEWS);
  await wall();
  await keyboard();
  await pictures();
  await rerun();
  await readings();
  await duplicates();
  await oldAndNew();
  await reorganise();
  await whatIf();
  await updates();
  await ledger();
  await alertTest();
}

/* An operator of one district sees that district, and is refused on another. */
async function login(name) {
  await page.waitForSelector("input[name=name]");
  await page.fill("input[name=name]", name);
  await page.fill("input[type=password]", password);
  await page.click("main form button.main");
  await page.waitForSelector(".cards .big");
}

async function leave() {
  await page.click("header button:has-text('Log out'), header button:has-text('Đăng xuất')");
  await page.waitForSelector("input[name=name]");
}

async function bound() {
  eye.expected = ["401", "403"];
  await page.goto(url);
  await page.waitForSelector("input[type=password]");
  await axe("login");
  await page.screenshot({path: `${shots}/${part}-login.png`});
  await page.fill("input[name=name]", "lan");
  await page.fill("input[type=password]", "not the password");
  await page.click("main form button.main");
  await page.waitForSelector(".note.bad");
  await login("lan");
  check(!(await page.$("nav a[href='#accounts']")), "an operator is led to the accounts");
  check(!(await page.$("main .buttons button:has-text('alert'), main .buttons button:has-text('cảnh báo')")), "an operator of one district is offered a test alert");
  await go("batches");
  const text = await page.textContent("main");
  check(text.includes("ba-dinh") && !text.includes("phuc-tan") && !text.includes("ngoc-ha"), `an operator of one district sees: ${text}`);
  await go("units");
  check(!(await page.$("main input[type=file]")), "an operator is offered a re-organisation");
  await go("duplicates");
  const same = await page.textContent("main");
  check(!same.includes("phuc-tan") && !same.includes("ngoc-ha"), `an operator of one district sees as the same: ${same}`);
  await go("batches/phuc-tan");
  await page.waitForSelector(".note.bad");
  await page.screenshot({path: `${shots}/${part}-refused.png`});
  await go("batches/ba-dinh");
  await setLanguage("en");
  await page.click("button:has-text('Save')");
  await page.waitForFunction(() => !document.querySelector("main .note.bad"));
  await go("workers");
  check(!(await page.isDisabled("button:has-text('Drain') >> nth=0")), "an operator may not drain by the page");
  eye.expected.push("E_DENIED");
  await page.click("button:has-text('Drain') >> nth=0");
  await page.click("dialog button.main");
  await page.waitForSelector(".note.bad");
  await go("ledger");
  await page.waitForFunction(() => document.querySelector("main").textContent.includes("lan"));
  check(!(await page.$("main button:has-text('Verify')")), "an operator of one district is offered the whole ledger");
  await leave();
  seen.views += 5;
  say("an operator of one district saw that one, and was refused on another");
}

/* What lan's district merged into is proposed, and hers once it is confirmed. */
async function merged() {
  eye.expected = ["401"];
  await page.goto(url);
  await login("root");
  await go("accounts");
  await setLanguage("en");
  const row = page.locator("tr:has-text('new:00008')");
  check((await row.textContent()).includes("2025-07-01") && (await row.textContent()).includes("proposed"), "a successor is not proposed");
  await axe("accounts with proposals");
  await row.locator("button:has-text('Confirm')").click();
  await page.click("dialog button.main");
  await page.waitForSelector("tr:has-text('new:00008'):has-text('confirmed')");
  await page.locator("tr:has-text('new:00097') button:has-text('Decline')").click();
  await page.waitForSelector("tr:has-text('new:00097'):has-text('declined')");
  await page.screenshot({path: `${shots}/${part}-accounts.png`, fullPage: true});
  await leave();
  await login("lan");
  await go("batches");
  const text = await page.textContent("main");
  check(text.includes("ngoc-ha") && !text.includes("phuc-tan"), `after the merger the operator sees: ${text}`);
  await leave();
  seen.views += 2;
  say("a successor was confirmed, and the operator's rights went with it");
}

await eye.run({local, bound, merged});
