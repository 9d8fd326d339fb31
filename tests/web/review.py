# SPDX-License-Identifier: AGPL-3.0-or-later
"""A batch of 200 documents is reviewed in a real Chromium, by keyboard: corrections, a round over its limits, a rejected batch that
comes back, and a random round that is the same by its seed after a restart of the coordinator, by which the batch is accepted.

usage: review.py FOLDER (see stage.py). review.mjs is who reviews.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import Stage, main  # noqa: E402
from cluster import fail, say, wait  # noqa: E402
from letters import letter  # noqa: E402

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


def get_record(stage, folder, documents):
    """What get brings has the corrections, and says the rest as it was read."""
    out = os.path.join(folder, "out")
    stage.sohoa("get", "letters", "--out", out)
    found = 0
    for path, _, names in os.walk(out):
        if "record.json" in names:
            with open(os.path.join(path, "record.json"), encoding="utf-8") as file:
                found += "corrected" in json.load(file)["metadata"]["signer"]
    if found != CORRECTED:
        fail(f"{found} records that get brought have a corrected signer")
    say(f"{found} of {documents} records that get brought have a correction")


def run(folder):
    stage = Stage(folder, "review.mjs")
    cluster = stage.cluster
    admit(cluster, folder)
    say(f"{DOCUMENTS} documents were read")
    stage.drive("round")
    again = after_rounds(cluster)
    wanted = restart(cluster)
    drawn_there = stage.drive("seed")["drawn"]
    state = review(cluster)
    if drawn_there != wanted or state["state"] != "accepted" or state["documents"]["accepted"] != DOCUMENTS:
        fail(f"the seed drew {drawn_there}, not {wanted}; the review is {state}")
    get_record(stage, folder, DOCUMENTS)
    stage.accounts()
    stage.drive("viewer")
    stage.end(documents=DOCUMENTS, read_again=again)


if __name__ == "__main__":
    main(run)
