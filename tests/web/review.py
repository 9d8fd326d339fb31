# SPDX-License-Identifier: AGPL-3.0-or-later
"""tests/web/review: a batch of 200 documents is reviewed in a real Chromium, by keyboard: corrections, a round over its limits, a rejected batch that
comes back, and a random round that is the same by its seed after a restart of the coordinator, by which the batch is accepted.

usage: review.py FOLDER (screenshots land in FOLDER/shots). Needs what run.py needs. The last line is one JSON object.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import BIN, Cluster, fail, free_port, say, stop_all, wait  # noqa: E402
from letters import letter  # noqa: E402
from run import accounts, drive, prepare  # noqa: E402

DOCUMENTS, CORRECTED, REJECTED, SEED, PERCENT = 200, 5, 3, 42, 10
SIGNER = "Nguyễn Văn An"


def admit(cluster, folder):
    """Letters of one page each; of some the signer, the date or the number is missing, or title and notation say different types: they are
    doubted more."""
    rows = []
    os.makedirs(os.path.join(folder, "letters"))
    for i in range(DOCUMENTS):
        path = os.path.join(folder, "letters", f"{i:03d}.pdf")
        letter(path, number="" if i % 50 == 11 else str(i + 1), subject=f"phê duyệt kinh phí sửa chữa trụ sở năm {1990 + i}",
               date="" if i % 40 == 7 else "ngày 17 tháng 01 năm 2025", signer="" if i % 20 == 3 else "Trần Phước Hiền",
               notation="TB-UBND" if i % 50 == 13 else "QĐ-UBND")
        rows.append(json.dumps({"source": path, "unit": "district:001"}) + "\n")
    cluster.api.post("batches?id=letters", "".join(rows))
    documents = cluster.finish("letters")["documents"]
    if documents["stored"] != DOCUMENTS:
        fail(f"documents are {documents}")


def review(cluster):
    return cluster.api.get("batches/letters/review")


def drawn(cluster):
    """What a round of that seed would have."""
    return cluster.api.post("batches/letters/review/round?dry_run=1", json.dumps({"percent": PERCENT, "seed": SEED}))["drawn"]


def after_rounds(cluster):
    """Corrections stand beside the machine's values, with who and when; rejected documents are read again."""
    first, second = review(cluster)["rounds"]
    if (first["verdict"], first["corrected"], first["rejected"], first["documents"]) != ("rejected", CORRECTED, REJECTED, DOCUMENTS):
        fail(f"the first round is {first}")
    if (second["verdict"], second["accepted"], second["documents"]) != ("passed", REJECTED, REJECTED):
        fail(f"the second round is {second}")
    again = [document for document in cluster.api.documents("letters") if document["generation"] == 1]
    if len(again) != REJECTED or any(document["state"] != "stored" for document in again):
        fail(f"read again were {again}")
    corrected = []
    for i in range(DOCUMENTS):
        signer = json.loads(cluster.api.call("GET", f"batches/letters/documents/{i}/record"))["metadata"]["signer"]
        if "corrected" in signer:
            corrected.append(signer)
    if len(corrected) != CORRECTED or any((one["corrected"]["value"], one["corrected"]["by"], one["corrected"]["round"]) != (SIGNER, "local", 1) or
                                          one["value"] == SIGNER for one in corrected):
        fail(f"corrections are {corrected}")
    return [document["document"] for document in again]


def restart(cluster):
    before, wanted = review(cluster), drawn(cluster)
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the coordinator to answer", lambda: cluster.api.try_get("status"), 60)
    after = review(cluster)
    for one in (before, after):  # begun and closed: entered a moment later than told
        for number in one["rounds"]:
            del number["begun_ms"], number["closed_ms"]
    if after != before:
        fail(f"after a restart the review is {after}, not {before}")
    if drawn(cluster) != wanted or len(wanted) != DOCUMENTS * PERCENT // 100:
        fail(f"after a restart the seed draws {drawn(cluster)}, not {wanted}")
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    say(f"after a restart the review is the same, and the seed draws the same {len(wanted)} documents")
    return wanted


def get_record(cluster, folder, documents):
    """What get brings has the corrections, and says the rest as it was read."""
    out = os.path.join(folder, "out")
    command = [f"{BIN}/sohoa", "--api", cluster.http, "get", "letters", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        fail(f"{' '.join(command)}: {done.stderr}")
    found = 0
    for path, _, names in os.walk(out):
        if "record.json" in names:
            with open(os.path.join(path, "record.json"), encoding="utf-8") as file:
                found += "corrected" in json.load(file)["metadata"]["signer"]
    if found != CORRECTED:
        fail(f"{found} records that get brought have a corrected signer")
    say(f"{found} of {documents} records that get brought have a correction")


def run(folder):
    shutil.rmtree(folder, ignore_errors=True)
    shots = os.path.join(folder, "shots")
    os.makedirs(shots)
    cluster = Cluster(f"dir:{folder}/store", folder, http_at=f"127.0.0.1:{free_port()}")
    cluster.start()
    admit(cluster, folder)
    say(f"{DOCUMENTS} documents were read")
    url = f"http://{cluster.http}/"
    seen = [drive("round", url, shots, "review.mjs")]
    again = after_rounds(cluster)
    wanted = restart(cluster)
    seen.append(drive("seed", url, shots, "review.mjs"))
    state = review(cluster)
    if seen[-1]["drawn"] != wanted or state["state"] != "accepted" or state["documents"]["accepted"] != DOCUMENTS:
        fail(f"the seed drew {seen[-1]['drawn']}, not {wanted}; the review is {state}")
    get_record(cluster, folder, DOCUMENTS)
    accounts(cluster)
    seen.append(drive("viewer", url, shots, "review.mjs"))
    result = {key: sum(one[key] for one in seen) for key in ("views", "console_errors", "outside_requests", "axe_serious")}
    if result["console_errors"] or result["outside_requests"] or result["axe_serious"]:
        fail(f"what must not be was seen: {json.dumps(result)}")
    print(json.dumps({**result, "documents": DOCUMENTS, "read_again": again}))


if __name__ == "__main__":
    prepare()
    try:
        run(sys.argv[1])
    except AssertionError as why:
        sys.exit(f"FAILED: {why}")
    finally:
        stop_all()
