# SPDX-License-Identifier: AGPL-3.0-or-later
"""What bench/ocr makes of readings: one flat dictionary of figures, and tables for people.

Pages with truth are of one class each: `blank`; `rotated`, whatever else befell it; `clean`, without damage; `damaged`.
"""
from collections import Counter, defaultdict
from functools import cache

import score

READERS = ("sohoa", "tesseract", "ocrmypdf")
MEASURES = ("cer", "wer", "cer_bare", "wer_bare")
UPRIGHT = ("clean", "damaged")
PARTS = {"": (), "_body": ("body",), "_head": ("head",)}
FULL_TURN_DEG = 360


@cache
def _truth_rows(folder):
    return score.truth_table(folder / "pages.tsv")


def page_class(row):
    if row["blank"] == "1":
        return "blank"
    if row["rotation_deg"] != "0":
        return "rotated"
    return "clean" if row["damage"] == "none" else "damaged"


def truth_pages(documents):
    """(document, page index, row of pages.tsv) of every page whose truth is known."""
    for document in documents:
        rows = _truth_rows(document.truth) if document.truth else []
        for row in rows:
            if row["file"] == document.file and int(row["page"]) <= document.pages:
                yield document, int(row["page"]) - 1, row


def scores(documents, sums):
    """[(row, record of the page, {reader: score of the page})] of the pages that are not blank."""
    scored = []
    for document, at, row in truth_pages(documents):
        if page_class(row) == "blank":
            continue
        lines, parts = score.truth_pages(document.truth, document.file)[at]
        scored.append((row, sums["sohoa"].records[document.key][at],
                       {name: score.score_page(lines, parts, reading.texts[document.key][at]) for name, reading in sums.items()}))
    return scored


def _sum(scored, reader, measure, classes, parts=()):
    tally = score.Tally()
    for row, _, page in scored:
        if page_class(row) in classes:
            tally.add(page[reader][measure])
    return tally.rate(*parts)


def _accuracy(scored, sums):
    """CER and WER: cer, cer_body, cer_body_clean ... of Sohoa, with _tesseract, _ocrmypdf at the end of the peers'."""
    found = {}
    for reader in READERS:
        end = "" if reader == "sohoa" else "_" + reader
        for measure in MEASURES:
            for part, names in PARTS.items():
                for of, classes in {"": UPRIGHT, "_clean": ("clean",), "_damaged": ("damaged",), "_rotated": ("rotated",)}.items():
                    found[measure + part + of + end] = _sum(scored, reader, measure, classes, names) if reader in sums else None
    return found


def turned_right(row, record):
    """Whether Sohoa took back exactly the turn that the page was given."""
    return (FULL_TURN_DEG - record["rotation"]) % FULL_TURN_DEG == int(row["rotation_deg"])


def _share(flags):
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def _pages(documents, scored, sums):
    """What Sohoa says of pages, against the truth."""
    records = sums["sohoa"].records
    found = Counter(record.get("grade") or "none" for pages in records.values() for record in pages)
    blank = [(page_class(row) == "blank", records[document.key][at]["kind"] == "blank")
             for document, at, row in truth_pages(documents)]
    guess = [(record["error_expected"], page["sohoa"]["cer"]) for _, record, page in scored
             if record.get("error_expected") is not None]
    return {
        "upright": _share(turned_right(row, record) for row, record, _ in scored if page_class(row) == "rotated"),
        "turned_wrongly": sum(not turned_right(row, record) for row, record, _ in scored if page_class(row) in UPRIGHT)
        if scored else None,
        "blank_found": _share(called for is_blank, called in blank if is_blank),
        "blank_wrongly": sum(called for is_blank, called in blank if not is_blank) if blank else None,
        "spearman": score.spearman([(x, tally.rate()) for x, tally in guess]),
        "spearman_body": score.spearman([(x, tally.rate("body")) for x, tally in guess if tally.rate("body") is not None]),
        "grades": {grade: found[grade] for grade in sorted(found)} if set(found) - {"none"} else None,
    }


def figures(documents, sums, failed):
    """documents are those that every reader read; sums has a Reading of each reader over them."""
    pages = sum(document.pages for document in documents)
    ours = sums["sohoa"]
    found = {"documents": len(documents), "pages": pages, "cpu_s_per_page": ours.cpu_s / pages,
             "wall_s_per_page": ours.wall_s / pages}
    for name in READERS[1:]:
        peer = sums.get(name)
        found["cpu_s_per_page_" + name] = peer.cpu_s / pages if peer else None
        found["wall_s_per_page_" + name] = peer.wall_s / pages if peer else None
        found["vs_" + name] = peer.cpu_s / ours.cpu_s if peer else None
    found["failed"] = {name: why for name, why in failed.items() if why}
    found["born_digital"] = sum(r["kind"] == "text" for pages in ours.records.values() for r in pages)
    scored = scores(documents, sums)
    found["classes"] = dict(Counter(page_class(row) for _, _, row in truth_pages(documents))) if scored else None
    found.update(_accuracy(scored, sums))
    found.update(_pages(documents, scored, sums))
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in found.items()}


def by_damage(documents, sums):
    """{damage: (pages, {reader: body CER})} over the pages that are upright and have it, whatever else they have."""
    having = defaultdict(list)
    for entry in scores(documents, sums):
        if page_class(entry[0]) in UPRIGHT:
            for damage in entry[0]["damage"].split(","):
                having[damage].append(entry)
    return {damage: (len(scored), {name: _sum(scored, name, "cer", UPRIGHT, ("body",)) for name in sums})
            for damage, scored in sorted(having.items())}


# ---- tables ----

def _cell(value, form):
    return format("-" if value is None else format(value, form), ">10")


def _row(title, values, form):
    return f"{title:<28}" + "".join(_cell(value, form) for value in values)


def table(found, damage, peers):
    shown = [name for name in READERS if name == "sohoa" or name in peers]
    ends = ["" if name == "sohoa" else "_" + name for name in shown]
    lines = [f"{found['documents']} documents, {found['pages']} pages ({found['born_digital']} born digital)",
             _row("", shown, ""),
             _row("CPU s a page", [found["cpu_s_per_page" + end] for end in ends], ".2f"),
             _row("wall s a page", [found["wall_s_per_page" + end] for end in ends], ".2f"),
             _row("CPU, times Sohoa's", [1.0] + [found["vs" + end] for end in ends[1:]], ".2f")]
    if found["classes"]:
        lines.append("pages of each class: " + ", ".join(f"{name} {count}" for name, count in sorted(found["classes"].items())))
        for measure in MEASURES:
            for part in PARTS:
                for of in ("_clean", "_damaged", "_rotated"):
                    lines.append(_row(measure + part + of, [found[measure + part + of + end] for end in ends], ".2%"))
        lines += [_row("body CER with " + name, [rates[reader] for reader in shown], ".2%") + f"  {count} pages"
                  for name, (count, rates) in damage.items()]
        lines += [f"{name}: {found[name]}" for name in
                  ("upright", "turned_wrongly", "blank_found", "blank_wrongly", "spearman", "spearman_body", "grades")]
    lines += [f"{name} failed {key}: {why}" for name, keys in found["failed"].items() for key, why in keys.items()]
    return "\n".join(lines)
