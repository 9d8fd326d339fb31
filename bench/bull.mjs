// SPDX-License-Identifier: AGPL-3.0-or-later
// node bull.mjs --lib DIR --socket PATH | --port N [--jobs N] [--clients N] [--window N] [--bytes N]: how many jobs a second BullMQ
// takes through its queue, from addBulk to completed and removed; one line of JSON, last. DIR is where npm installed
// bullmq and redis, the server has to be empty. Exits 0 when every job was done exactly once, 1 when it could not, 2 on wrong use.
//
// Puts and workers are in one process and overlap, and all workers together have up to a window of jobs in work. What was tried,
// with Redis 7.0 and Node.js 20 on two cores over a Unix socket (thousand jobs a second, the best of several runs of 40,000
// jobs; TCP takes up to 10 % less). Redis takes 62 us of CPU a job, Node.js 58 us, so both cores are nearly full:
// - Window, for one client: 1 takes 3.5, 50 11.8, 100 12.8, 200 13.9; with all puts first 200 takes 12.0, 500 9.1, 1,000 8.2.
// - Clients: 13.9 with 1, 13.1 with 2, 14.5 with 8, for the same window in all.
// - Jobs an addBulk, for 8 clients: 50 13.0, 100 13.4, 200 14.5, 500 12.2, 1,000 11.9; two at once: the same.
// - The driver ioredis instead of redis: 14.1, more CPU; its enableAutoPipelining: less.
// - Workers in a process of their own: 13.1; in two: 11.8, since three programs share two cores then.
// - skipLockRenewal and skipStalledCheck, a shorter stream of events: the same.
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

const QUEUE = "jobs";
const BULK_JOBS = 200;
const NUMBER_DIGITS = 10; // of a job, at the start of its body
const SILENCE_MS = 30000;
const DEFAULTS = { jobs: "20000", clients: "1", window: "200", bytes: "32" };

function fail(why, status = 1) {
  console.error(`bull: ${why}`);
  process.exit(status);
}

function options() {
  const names = ["lib", "socket", "port", ...Object.keys(DEFAULTS)];
  let given;
  try {
    given = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) }).values;
  } catch (why) {
    fail(why.message, 2);
  }
  if (!given.lib || !given.socket === !given.port) fail("--lib DIR, and either --socket PATH or --port N", 2);
  const chosen = { ...DEFAULTS, ...given };
  for (const name of [...Object.keys(DEFAULTS), ...(given.port ? ["port"] : [])]) {
    if (!/^[1-9][0-9]{0,8}$/.test(chosen[name])) fail(`--${name} '${chosen[name]}' is not a whole number from 1`, 2);
    chosen[name] = Number(chosen[name]);
  }
  if (chosen.bytes < NUMBER_DIGITS) fail(`--bytes is at least ${NUMBER_DIGITS}`, 2);
  return chosen;
}

function body(number, bytes) {
  return String(number).padStart(NUMBER_DIGITS, "0").padEnd(bytes, "x");
}

// What was done of the jobs; done resolves when all are, and silence ends the program.
function ledger(chosen) {
  const times = new Uint8Array(chosen.jobs);
  let completed = 0;
  let told = 0;
  let resolve;
  const done = new Promise((all) => (resolve = all));
  setInterval(() => {
    if (completed === told) fail(`silent for ${SILENCE_MS / 1000} s after ${completed} jobs`);
    told = completed;
  }, SILENCE_MS).unref();
  return {
    done,
    process(text) {
      const number = Number(text.slice(0, NUMBER_DIGITS));
      if (text !== body(number, chosen.bytes) || !(number < chosen.jobs)) fail(`'${text}' is no job of this run`);
      if (++times[number] > 1) fail(`job ${number} came twice`);
    },
    complete() {
      if (++completed === chosen.jobs) resolve();
    },
    check() {
      if (times.some((count) => count !== 1)) fail("jobs are missing");
    },
  };
}

// A worker of its own connections for each client.
async function startWorkers(Worker, connect, chosen, account) {
  const concurrency = Math.ceil(chosen.window / chosen.clients);
  const workers = [];
  for (let i = 0; i < chosen.clients; i++) {
    const worker = new Worker(QUEUE, async (job) => account.process(job.data), {
      connection: await connect(), concurrency, removeOnComplete: { count: 0 }, autorun: false,
    });
    worker.on("completed", account.complete);
    worker.on("failed", (job, why) => fail(`job ${job?.id} failed: ${why.message}`));
    worker.on("stalled", (id) => fail(`job ${id} stalled`));
    worker.on("error", (why) => fail(why.message));
    await worker.waitUntilReady();
    workers.push(worker);
  }
  return workers;
}

async function addJobs(queue, chosen) {
  for (let from = 0; from < chosen.jobs; from += BULK_JOBS) {
    const count = Math.min(BULK_JOBS, chosen.jobs - from);
    const added = await queue.addBulk(
      Array.from({ length: count }, (_, i) => ({ name: "job", data: body(from + i, chosen.bytes) })));
    if (added.length !== count || added.some((job) => !job.id)) fail("addBulk did not take all jobs");
  }
}

async function main() {
  const chosen = options();
  const require = createRequire(`${chosen.lib}/package.json`);
  const { Queue, Worker } = require("bullmq");
  const { createClient } = require("redis");
  const connect = () => createClient({
    socket: chosen.socket ? { path: chosen.socket } : { host: "127.0.0.1", port: chosen.port },
  }).on("error", (why) => fail(why.message)).connect();
  const account = ledger(chosen);
  const queue = new Queue(QUEUE, { connection: await connect() });
  await queue.waitUntilReady();
  const workers = await startWorkers(Worker, connect, chosen, account);

  const start = performance.now();
  for (const worker of workers) worker.run();
  await addJobs(queue, chosen);
  await account.done;
  const seconds = (performance.now() - start) / 1000;

  account.check();
  const left = await queue.getJobCountByTypes();
  if (left) fail(`${left} jobs were left`);
  console.log(JSON.stringify({
    jobs: chosen.jobs, clients: chosen.clients, seconds: Number(seconds.toFixed(3)),
    jobs_per_s: Math.round(chosen.jobs / seconds),
  }));
  process.exit(0); // workers wait for more
}

main().catch((why) => fail(why.message));
