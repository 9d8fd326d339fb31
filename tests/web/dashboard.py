# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dashboard in a real Chromium, against a real running cluster with real scans.

usage: dashboard.py FOLDER (see stage.py). dashboard.mjs opens the pages; this says what there is to be seen.
"""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import Stage, main  # noqa: E402
from cluster import backlog, fail, wait  # noqa: E402
from receiver import Receiver  # noqa: E402


def admit(cluster, folder):
    """Batches of real scans; one has a source that can't be opened and another that will be put right."""
    sources, _ = backlog(os.path.join(folder, "scans"), "--documents", "8", "--seed", "5", "--pages-mean", "2")
    mended = os.path.join(folder, "mended.pdf")
    broken = os.path.join(folder, "broken.pdf")
    for path in (mended, broken):
        with open(path, "w", encoding="utf-8") as out:
            out.write("%PDF-1.7 nothing that makes sense " + path)
    rows = [{"source": source, "unit": "district:001", "deadline": "2030-01-31"} for source in sources[:5]]
    rows.append({"source": mended, "unit": "district:001", "deadline": "2030-01-31"})
    cluster.api.post("batches?id=ba-dinh", "".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"source": source, "unit": "old:00037", "deadline": "2026-01-31"} for source in sources[5:]] + [
        {"source": broken, "unit": "old:00037"}]
    cluster.api.post("batches?id=phuc-tan", "".join(json.dumps(row) + "\n" for row in rows))
    cluster.api.post("batches?id=ngoc-ha", json.dumps({"source": sources[0], "unit": "new:00008"}) + "\n") # since the mergers
    for batch in ("ba-dinh", "phuc-tan", "ngoc-ha"):
        cluster.finish(batch)
    shutil.copyfile(next(source for source in sources if source.endswith(".pdf")), mended)
    cluster.api.post("targets", json.dumps([{"unit": "district:006", "deadline": "2026-12-31", "pages": 5000000},
                                            {"unit": "old:00001", "pages": 900}]))


def run(folder):
    receiver = Receiver()
    stage = Stage(folder, "dashboard.mjs", (f"--notify_url={receiver.url}",))
    admit(stage.cluster, folder)
    wait("the units", lambda: len(stage.cluster.api.get("units")["units"]) >= 4, 20)
    first = stage.drive("local")
    if len(receiver.of("test", "test")) != 1 or receiver.wrong:
        fail(f"the button for a test sent {receiver.messages}, {receiver.wrong}")
    stage.accounts()
    stage.drive("bound")
    stage.drive("merged")
    stage.end(first_paint_ms=first["first_paint_ms"])


if __name__ == "__main__":
    main(run)
