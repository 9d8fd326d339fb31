# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes a ledger (bench-ledger), alters copies of it in each way that there is, and asks `sohoa ledger verify` what it finds. The records
are taken apart and made here by code of its own: length, CRC-32C, protobuf's outer fields.

usage: ledger.py [--documents N]
"""
import argparse
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

BIN = os.environ["SOHOA_BIN"]
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def record(body):
    return struct.pack("<II", len(body), crc32c(body)) + body


def bodies(data):
    at, out = 0, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at)[0]
        out.append(data[at + 8:at + 8 + length])
        at += 8 + length
    return out


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at


def coded(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def remade(body, number=None, before=None, change=None):
    """The entry with another number, hash of the entry before it, or with a letter of its batch's name changed."""
    at, out = 0, b""
    while at < len(body):
        begin = at
        tag, at = varint(body, at)
        value, at = varint(body, at)
        end = at + (value if tag & 7 else 0)
        field = body[begin:end]
        if tag == 8 and number is not None:
            field = b"\x08" + coded(number)
        if tag == 42 and before is not None:
            field = b"\x2a\x20" + before
        if tag >> 3 >= 10 and change:
            field = field.replace(b"ba-dinh", b"ba-dinx")
        out, at = out + field, end
    return out


def number_of(body):
    return varint(body, 1)[0]


def chained(parts, first, number=None, change=None):
    """parts, the first one changed, each behind it with the right hash of the one before (and numbers from number on)."""
    out, before = [], None
    for i, body in enumerate(parts[first:]):
        body = remade(body, number + i if number else None, before, change and i == 0)
        before = hashlib.sha256(body).digest()
        out.append(body)
    return parts[:first] + out


class Store:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "store", "ledger")
        self.segments = sorted(name for name in os.listdir(self.folder) if name.isdigit() and os.path.getsize(os.path.join(self.folder, name)))
        self.checkpoints = sorted(name for name in os.listdir(self.folder) if not name.isdigit())

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, segment):
        with open(self.path(self.segments[segment]), "rb") as data:
            return data.read()

    def write(self, segment, data):
        with open(self.path(self.segments[segment]), "wb") as out:
            out.write(data)

    def put(self, segment, parts, known):
        self.write(segment, b"".join(known.get(body) or record(body) for body in parts))


def known_of(data):
    """Records as they are, by their bodies: what is not changed needs no new CRC."""
    at, out = 0, {}
    for body in bodies(data):
        out[body] = data[at:at + 8 + len(body)]
        at += 8 + len(body)
    return out


def tamperings():
    """Name, what is done to the store, and what must be found: a part of a finding's text, blob or entry."""
    def flip(store, fix):
        data = bytearray(store.read(0))
        parts = bodies(bytes(data))
        at = sum(8 + len(body) for body in parts[:100])
        data[at + 8 + 60] ^= 4
        if fix:
            length = struct.unpack_from("<I", data, at)[0]
            struct.pack_into("<I", data, at + 4, crc32c(data[at + 8:at + 8 + length]))
        store.write(0, data)
        return (store.segments[0], 102 if fix else 101)

    def delete(store, renumber):
        data = store.read(0)
        parts, known = bodies(data), known_of(data)
        parts = parts[:100] + ([remade(body, number_of(body) - 1) for body in parts[101:1101]] if renumber else parts[101:1101]) + parts[1101:]
        store.put(0, parts, known)
        return (store.segments[0], 101)

    def swap(store):
        data = store.read(0)
        parts, known = bodies(data), known_of(data)
        parts[100], parts[101] = parts[101], parts[100]
        store.put(0, parts, known)
        return (store.segments[0], 101)

    def cut(store):
        data = store.read(-1)
        parts, known = bodies(data), known_of(data)
        store.put(-1, parts[:-5], known)
        return (store.checkpoints[-1], None)

    def segment(store):
        data = store.read(0)
        parts = bodies(data)
        last = number_of(parts[-1])
        store.put(0, chained(parts, len(parts) - 2000, change=True), known_of(data))
        return (store.segments[1], last + 1)

    def tail(store):
        data = store.read(-1)
        store.put(-1, chained(bodies(data), 10, change=True), known_of(data))
        return ("checkpoint-", None)

    def checkpoint(store):
        os.remove(store.path(store.checkpoints[1]))
        return (store.checkpoints[1], None)

    def forged(store):
        path = store.path(store.checkpoints[1])
        with open(path, "rb") as note:
            text = note.read()
        with open(path, "wb") as note:
            note.write(text.replace(b"\nafter ", b"\nafter 9", 1))
        return (store.checkpoints[1], None)

    return {"flipped bit": lambda s: flip(s, False), "replaced, CRC right": lambda s: flip(s, True), "deleted": lambda s: delete(s, False),
            "deleted, renumbered, CRC right": lambda s: delete(s, True), "exchanged": swap, "end cut off": cut, "segment with a right chain": segment,
            "end with a right chain": tail, "checkpoint deleted": checkpoint, "checkpoint changed": forged}


def verify(folder, key):
    done = subprocess.run([f"{BIN}/sohoa", "ledger", "verify", "--store", f"dir:{folder}/store", "--key", key, "--json"], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"sohoa ledger verify: {done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=50000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sohoa-ledger-") as folder:
        made = os.path.join(folder, "made")
        os.mkdir(made)
        told = json.loads(subprocess.run([f"{BIN}/bench-ledger", made, str(options.documents)], check=True, stdout=subprocess.PIPE).stdout)
        key, missed = told.pop("key"), []
        if not verify(made, key)["good"]:
            sys.exit("a ledger that nobody touched is not good")
        for name, alter in tamperings().items():
            copy = os.path.join(folder, "copy")
            shutil.copytree(made, copy)
            blob, entry = alter(Store(copy))
            verdict = verify(copy, key)
            hits = [one for one in verdict["findings"] if blob in one["blob"] and (entry is None or one["entry"] == entry)]
            first = (hits or verdict["findings"] or [{"blob": "-", "offset": 0, "entry": 0, "text": "nothing was found"}])[0]
            print(f"{'found' if hits else 'MISSED'}: {name}: {first['blob']}, byte {first['offset']}, entry {first['entry']}: {first['text']}", file=sys.stderr)
            missed += [] if hits else [name]
            shutil.rmtree(copy)
        print(json.dumps({**told, "tamperings": len(tamperings()), "missed": missed}, separators=(",", ":")))
        sys.exit(1 if missed else 0)


main()
