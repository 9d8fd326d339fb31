#!/usr/bin/env node
// SPDX-License-Identifier: AGPL-3.0-or-later
// What a proof of `sohoa prove` is worth, found out by nothing but it, the ledger's public key and RFC 8032, 9162 and protobuf's encoding.
// usage: verify_proof.mjs PROOF.json PUBLIC-KEY (of `sohoa ledger key`)
import {createHash, createPublicKey, verify} from "node:crypto";
import {readFileSync} from "node:fs";

const refuse = (why) => { console.error(`NOT proven: ${why}`); process.exit(1); };
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const bytes = (text) => { const b = Buffer.from(String(text), "base64"); return b.toString("base64") === text ? b : refuse("bad base64"); };

function fields(b) { // of a protobuf message: {number: [values]}
  const out = {}, varint = (n = 0n, shift = 0n) => { for (let c; ; shift += 7n) { c = BigInt(b[at++]); n |= (c & 127n) << shift; if (c < 128n) return Number(n); } };
  let at = 0;
  while (at < b.length) {
    const tag = varint(), value = varint();
    (out[tag >> 3] ??= []).push(tag & 7 ? b.subarray(at, at += value) : value);
  }
  return out;
}

const [path, key] = process.argv.slice(2), proof = JSON.parse(readFileSync(path, "utf8"));
if (proof.format !== "sohoa-proof/1" || proof.key !== key || !proof.entries?.length) refuse("it is another format, of another key or empty");
const raw = bytes(key), [body, signature] = proof.checkpoint.split(/\n\n(?=\u2014 )/), text = Buffer.from(`${body}\n`);
const [origin, size, root] = body.split("\n"), name = `sohoa-ledger/${sha256(raw).toString("hex").slice(0, 16)}`;
const line = /^\u2014 (\S+) (\S+)\n$/.exec(signature) ?? refuse("its checkpoint has no signature"), signed = bytes(line[2]);
const number = sha256(Buffer.from(`${name}\n\x01`), raw).subarray(0, 4);
const spki = createPublicKey({key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki"});
if (origin !== name || line[1] !== name || !number.equals(signed.subarray(0, 4)) || !verify(null, text, spki, signed.subarray(4))) refuse("its checkpoint is not signed with the key");

for (const {index, packed, path: up, says, ...more} of proof.entries) {
  const entry = bytes(packed), f = fields(entry), o = fields(f[11]?.[0] ?? refuse("it is no outcome")), string = (v) => (v?.[0] ?? "").toString();
  let hash = sha256(Buffer.from([0]), entry), fn = index, sn = Number(size) - 1; // RFC 9162, 2.1.3.2
  if (!(fn <= sn)) refuse("its entry is not in the tree");
  for (const p of up.map(bytes)) {
    if (sn === 0) refuse("its path is too long");
    const left = fn % 2 === 1 || fn === sn;
    hash = left ? sha256(Buffer.from([1]), p, hash) : sha256(Buffer.from([1]), hash, p);
    if (left) while (fn % 2 === 0 && fn) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  if (sn !== 0 || hash.toString("base64") !== root) refuse(`entry ${index + 1} is not in the tree that was signed`);
  const states = ["DOC_OPEN", "DOC_STORED", "DOC_DEAD", "DOC_DUPLICATE", "DOC_QUARANTINED", "DOC_WITHDRAWN", "DOC_REFUSED"];
  const told = {actor: string(f[4]), batch: string(o[1]), document: o[2]?.[0] ?? 0, generation: o[3]?.[0] ?? 0, number: f[1][0], pages: o[7]?.[0] ?? 0,
    sha256: (o[6]?.[0] ?? Buffer.alloc(0)).toString("hex"), state: states[o[4]?.[0] ?? 0], time_ms: f[2][0]}; // sorted, as sohoa writes them
  if (JSON.stringify(told) !== JSON.stringify(says) || told.number !== index + 1 || told.batch !== proof.batch || told.document !== proof.document || Object.keys(more).length) refuse("what it says is not what its bytes say");
  console.log(`proven: document ${told.document} of batch ${told.batch} became ${told.state} (generation ${told.generation}, ${told.pages} pages, source ${told.sha256 || "unknown"}) at ${new Date(told.time_ms).toISOString()}, by ${told.actor || "the coordinator"}; entry ${told.number} of ${size}`);
}
