# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is quarantined, and what is handed over, in a real Chromium.

usage: custody.py FOLDER (see stage.py). custody.mjs is the person who looks and decides.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import Stage, main  # noqa: E402
from cluster import fail, wait  # noqa: E402
from letters import letter  # noqa: E402


def admit(cluster, folder):
    """A file with a secret page, one without, and a document of no file."""
    scans, rows = os.path.join(folder, "scans"), []
    os.makedirs(scans)
    for i, (code, stamp) in enumerate((("HS-A", "MẬT"), ("HS-A", ""), ("HS-B", ""), ("", ""))):
        path = os.path.join(scans, f"khong-ai-biet-{i}.pdf")
        letter(path, number=str(i + 1), subject=f"phê duyệt kinh phí năm {1990 + i}", stamp=stamp)
        rows.append({"source": path, "fonds": "F01", **({"file_code": code} if code else {})})
    cluster.api.post("batches?id=custody", "".join(json.dumps(row) + "\n" for row in rows))
    states = lambda: [document["state"] for document in cluster.api.documents("custody")]  # noqa: E731
    wait("the file to stop", lambda: states() == ["quarantined", "quarantined", "stored", "stored"], 60)
    cluster.api.post("batches/custody/packages", json.dumps({
        "file": "HS-B", "profile": "aip-05-2025", "package": "urn:F01:uuid-0", "sha256": "ab" * 32, "bytes": 4096, "documents": 1, "pages": 1}))


def run(folder):
    stage = Stage(folder, "custody.mjs")
    admit(stage.cluster, folder)
    stage.drive("decide")
    states = [document["state"] for document in stage.cluster.api.documents("custody")]
    if states != ["stored", "quarantined", "stored", "stored"]:
        fail(f"after the decisions documents are {states}")
    purged = [one["purged"] for one in stage.cluster.api.get("quarantine")["quarantined"]]
    if purged != [True]:
        fail(f"after the decisions purged are {purged}")
    stage.end()


if __name__ == "__main__":
    main(run)
