// SPDX-License-Identifier: AGPL-3.0-or-later
// review.mjs round|seed|viewer URL SHOTS PASSWORD: reviews the batch `letters` as people do, by keyboard. `round`: all of it, with corrections and
// rejected documents, and what came back; `seed`: a random round by a seed, at whose end the batch is accepted; `viewer`: who may only look. The
// last line is JSON.
import {check, look, say} from "./look.mjs";

const [part, url, shots, password] = process.argv.slice(2);
const eye = await look(part, url, shots);
const {page, seen, axe, go, setLanguage, everyView, fits} = eye;

const SIGNER = "Nguyễn Văn An", CORRECTED = 5, REJECTED = 3, SEED = "42", PERCENT = "10";
const shown = () => page.textContent(".inspection a");
const waiting = async () => Number((await page.textContent(".desk .card .dim")).replace(/\D/g, ""));
const fieldIs = (name) => page.textContent(".field h2").then((text) => text.startsWith(name + " ")); /* not one that begins so */

/** The next document is there at once after a decision; it is not the one before. */
async function decided(before) {
  await page.waitForFunction((text) => document.querySelector(".inspection a")?.textContent !== text, before, {timeout: 15000});
  check(await page.evaluate(() => document.querySelector(".inspection").contains(document.activeElement)), "the focus is lost after a decision");
}

async function accept() {
  const before = await shown();
  await page.keyboard.press("a");
  await decided(before);
}

async function toField(name) {
  for (let i = 0; i < 18 && !(await fieldIs(name)); i++) await page.keyboard.press("n");
  check(await fieldIs(name), `there is no field ${name}`);
}

async function correctSigner() {
  const before = await shown();
  await toField("Signer");
  await page.keyboard.press("e");
  await page.keyboard.type(SIGNER);
  await page.keyboard.press("Enter");
  check((await page.textContent(".field .value")) === SIGNER, "what was typed is not shown");
  await page.keyboard.press("Enter");
  await decided(before);
}

async function reject() {
  const before = await shown();
  await page.keyboard.press("r");
  await page.keyboard.type("upside down");
  await page.keyboard.press("Enter");
  await decided(before);
}

/* What was said is taken back by 0, and a candidate is chosen by its digit; nothing of it is sent before the decision. */
async function choose() {
  await toField("Place");
  const machine = await page.textContent(".field .value");
  await page.keyboard.press("e");
  await page.keyboard.type("Hà Nội");
  await page.keyboard.press("Enter");
  check((await page.textContent(".field .value")) === "Hà Nội" && (await page.textContent(".field")).includes(machine), "the machine's value is not beside a person's");
  await page.keyboard.press("0");
  check((await page.textContent(".field .value")) === machine, "0 does not take it back");
  for (let i = 0; i < 18 && !(await page.$(".candidates button")); i++) await page.keyboard.press("n");
  const candidate = await page.$(".candidates button span[lang=vi]");
  check(candidate, "no field of a document whose type is in doubt has a candidate");
  const text = await candidate.textContent();
  await page.keyboard.press("1");
  check((await page.textContent(".field .value")) === text, "1 does not choose the first candidate");
  await page.keyboard.press("0");
}

/* The keys are told, and the dialog gives the focus back. */
async function keys() {
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open] kbd");
  await axe("the keys");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog", {state: "detached"});
  const before = await shown();
  await page.focus(".inspection");
  await page.keyboard.press("s");
  await decided(before);
  say("the keys are told, and a document can be left for later");
}

/* The field's place is in the picture, and a box around it. */
async function picture() {
  await page.waitForSelector(".closeup svg image");
  const {image, box, frame} = await page.evaluate(() => {
    const rect = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
    return {image: document.querySelector(".closeup image").getAttribute("href"), box: rect(".closeup rect"), frame: rect(".closeup svg")};
  });
  const answer = await page.request.get(url + image);
  check(answer.ok() && (await answer.body()).length > 1000, `the picture ${image} is ${answer.status()}`);
  check(box.width > 10 && box.x >= frame.x && box.right <= frame.right + 1 && box.y >= frame.y && box.bottom <= frame.bottom + 1, `the box ${JSON.stringify(box)} is not within ${JSON.stringify(frame)}`);
}

async function begin(fields = {}) {
  for (const [label, value] of Object.entries(fields)) await page.fill(`label:has-text('${label}') input`, value);
  await page.click("button:has-text('Begin a round')");
  await page.waitForSelector(".note.good:has-text('Round')");
}

const acceptAll = async () => {
  let count = 0;
  for (; await page.$(".inspection .field"); count++) {
    const before = await shown();
    await page.keyboard.press("a");
    await page.waitForFunction((text) => document.querySelector(".inspection a")?.textContent !== text, before, {timeout: 15000});
  }
  return count;
};

async function closeAs(state) {
  await page.click("button:has-text('Close the round')");
  await page.waitForSelector(`.note.good:has-text('letters: ${state}')`);
}

async function round() {
  await go("review/letters");
  await setLanguage("en");
  await page.waitForSelector(".inspection:has-text('No document waits')");
  await begin();
  await page.waitForSelector(".inspection .field");
  const all = await waiting();
  const doubts = await page.$$eval(".queue .warn", (nodes) => nodes.map((node) => Number(node.textContent.replace(/\D/g, ""))));
  check(doubts.length >= 10 && doubts.every((n, i) => !i || n <= doubts[i - 1]), `the queue begins with ${doubts}`);
  await everyView(["review/letters"]);
  await go("review/letters");
  await setLanguage("en");
  await page.waitForSelector(".inspection .field");
  await picture();
  await choose();
  await keys();
  await page.screenshot({path: `${shots}/${part}-desk.png`, fullPage: true});
  const began = Date.now();
  for (let i = 0; i < CORRECTED; i++) await correctSigner();
  for (let i = 0; i < REJECTED; i++) await reject();
  check(await waiting() === all - CORRECTED - REJECTED, `${await waiting()} of ${all} wait after ${CORRECTED + REJECTED} decisions`);
  const accepted = await acceptAll();
  check(accepted === all - CORRECTED - REJECTED, `${accepted} of ${all} were accepted`);
  say(`${all} documents were decided on by keyboard, ${CORRECTED} corrected, ${REJECTED} rejected: ${Math.round((Date.now() - began) / all)} ms each`);
  await closeAs("failed");
  check((await page.textContent("main")).includes("Signer 2.5 %"), "the field over its limit is not named");
  await page.screenshot({path: `${shots}/${part}-failed-round.png`, fullPage: true});
  await page.fill("label:has-text('Reason') input", "signers and orientation");
  await page.click("button:has-text('Reject the batch')");
  await page.click("dialog button.main");
  await page.waitForSelector(`.note.good:has-text('${REJECTED} documents are read again')`);
  say("the batch went back to work");
  await back();
}

/* What was read again is looked at, all of it; then the round has passed. That it can begin shows by itself. */
async function back() {
  await page.waitForSelector(`p:has-text('not looked at ${REJECTED}') ~ .form button:has-text('Begin a round')`, {timeout: 60000});
  await begin();
  await page.waitForSelector(".inspection .field");
  check(await acceptAll() === REJECTED, "not what was read again is in the round");
  await closeAs("passed");
  say(`${REJECTED} documents came back and were accepted`);
}

async function seed() {
  await go("review/letters");
  await setLanguage("en");
  await begin({Share: PERCENT, Seed: SEED});
  await page.waitForSelector(".inspection .field");
  seen.drawn = await page.$$eval(".queue b", (nodes) => nodes.map((node) => Number(node.textContent.split("/")[1])).sort((a, b) => a - b));
  await acceptAll();
  await closeAs("accepted");
  await page.screenshot({path: `${shots}/${part}-accepted.png`, fullPage: true});
  say(`a round of ${seen.drawn.length} documents by the seed ${SEED} ended the review`);
}

async function viewer() {
  eye.expected = ["401"];
  await page.goto(url);
  await page.waitForSelector("input[name=name]");
  await page.fill("input[name=name]", "lan");
  await page.fill("input[type=password]", password);
  await page.click("main form button.main");
  await page.waitForSelector(".cards .big");
  await go("review/letters");
  await setLanguage("en");
  await page.waitForSelector("button:has-text('Begin a round')");
  check(await page.isDisabled("button:has-text('Begin a round')") && await page.isDisabled("button:has-text('Reject the batch')"), "an operator may begin a round by the page");
  await fits("the review of an operator");
  say("who may only look is told so");
}

await eye.run({round, seed, viewer});
