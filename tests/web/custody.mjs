// SPDX-License-Identifier: AGPL-3.0-or-later
// custody.mjs decide URL SHOTS PASSWORD: looks at what is quarantined and at what stands before a hand-over; releases a document and purges
// another by clicks. The last line is JSON.
import {check, look, say} from "./look.mjs";

const [part, url, shots] = process.argv.slice(2);
const eye = await look(part, url, shots);
const {page, go, setLanguage, everyView} = eye;
const VIEWS = ["quarantine", "handover", "handover/custody"];
const body = () => page.textContent("main");

async function quarantine() {
  await go("quarantine");
  await setLanguage("en");
  const told = await body();
  check(told.includes("custody/0") && told.includes("MẬT (secret)") && told.includes("secrecy pass"), `the quarantine says ${told}`);
  check(told.includes("custody/1") && told.includes("it stopped with its file"), `of its file it says ${told}`);
  check(!told.includes("khong-ai-biet") && !told.includes("kinh phí"), `the quarantine tells too much: ${told}`);
  say("the quarantine tells numbers, pages and stamps, and nothing else");
}

const row = (name) => page.locator("main tbody tr", {hasText: name});

async function decide(name, button, after) {
  await row(name).getByRole("button", {name: button}).click();
  await page.click("dialog button[value='yes']");
  await page.waitForSelector(`main .note.good:has-text("${after}")`);
}

async function decisions() {
  await row("custody/0").getByRole("button", {name: "Release"}).click();
  await page.waitForSelector("main .note.bad:has-text('a reason is needed')");
  await page.fill("input[name='reason']", "looked at the paper");
  await decide("custody/0", "Release", "custody/0 is released");
  await page.waitForFunction(() => !document.querySelector("main table").textContent.includes("custody/0"));
  await decide("custody/1", "Purge", "custody/1 is gone for good");
  await page.waitForSelector("main tbody .tag:has-text('gone for good')");
  check((await row("custody/1").getByRole("button").count()) === 0, "what is gone can still be decided on");
  say("one was released and one purged, each with a reason");
}

async function handover() {
  await go("handover");
  await page.click("main a[href='#handover/custody']");
  await page.waitForSelector("main .tag:has-text('not ready')");
  await page.waitForFunction(() => /review: not begun/.test(document.querySelector("main").textContent));
  const told = await body();
  check(told.includes("quarantined") && told.includes("urn:F01:uuid-0") && told.includes("HS-B") && told.includes("sohoa package custody"), `the hand-over says ${told}`);
  await page.click("main a[href='#document/custody/1']");
  await page.waitForFunction(() => location.hash === "#document/custody/1");
  say("a batch tells what stands before its hand-over, and its packages");
}

await eye.run({
  async decide() {
    await everyView(VIEWS);
    await quarantine();
    await decisions();
    await handover();
  },
});
