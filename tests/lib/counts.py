# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a batch must come to, whatever was killed on the way: every page stored exactly once, and every count the same."""
import collections
import json

from cluster import fail, say, wait


def redis_counts(cluster, name):
    found = cluster.redis.hash(f"sohoa:batch:{name}")
    counts = {key: int(value) for key, value in found.items() if key.startswith(("docs", "pages"))}
    counts["bits"] = int(cluster.redis.command("BITCOUNT", f"sohoa:batch:{name}:stored") or 0)
    return counts


def check_counts(cluster, name, documents_expected, pages_expected):
    """Every document and page accounted for, in the API, in Redis and by name."""
    batch = cluster.batch(name)
    documents = cluster.api.documents(name)
    states = collections.Counter(document["state"] for document in documents)
    first = {}
    duplicates = 0
    for document in documents:
        if document["state"] == "duplicate":
            duplicates += document["pages"]
            if documents[document["duplicate_of"]]["sha256"] != document["sha256"]:
                fail(f"document {document['document']} is no duplicate of {document['duplicate_of']}")
        elif document["sha256"] in first:
            fail(f"documents {first[document['sha256']]} and {document['document']} were both stored")
        else:
            first[document["sha256"]] = document["document"]
    total = sum(document["pages"] for document in documents)
    wrong = [document for document in documents if document["state"] not in ("stored", "duplicate")]
    if wrong:
        fail(f"not stored: {json.dumps(wrong)[:600]}")
    if len(documents) != documents_expected or total != pages_expected:
        fail(f"{len(documents)} documents with {total} pages, expected {documents_expected} with {pages_expected}")
    if batch["pages"]["stored"] + batch["pages"]["duplicate"] != total or batch["pages"]["total"] != total:
        fail(f"the batch's pages do not add up: {batch['pages']}")
    redis = wait("Redis to hold the final counts", lambda: (counts := redis_counts(cluster, name)) and
                 counts.get("docs_open") == 0 and counts["bits"] == total - duplicates and counts)
    if redis["pages_stored"] != total - duplicates or redis["pages"] != total or redis.get("pages_dead", 0) != 0:
        fail(f"Redis does not add up: {redis}")
    say(f"{len(documents)} documents ({dict(states)}), {total} pages: {total - duplicates} stored once, "
        f"{duplicates} duplicates, 0 lost; Redis has {redis['bits']} bits")
    return redis
