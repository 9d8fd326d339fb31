#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""layer_overlap.py OUT...: how well the words of documents' text layers lie on the ink, of what `sohoa run` left in OUT. A word's
box is where pdftotext sees it; ink is what is darker than gray 160 on the page at 100 dpi. Last line: JSON with the share of
boxes with ink in them, and the mean overlap (intersection over union) with the ALTO's box of the same word."""
import io
import json
import os
import re
import subprocess
import sys
from lxml import etree
from PIL import Image

DPI, DARK = 100, 160


def layer_words(pdf, page):
    said = subprocess.run(["pdftotext", "-bbox", "-cropbox", "-f", str(page), "-l", str(page), pdf, "-"], capture_output=True, text=True).stdout
    return [(m[4], [float(m[i]) / 72 for i in (0, 1, 2, 3)]) for m in
            re.findall(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)</word>', said)]


def alto_words(path):
    """By page: text and box in inches."""
    tree = etree.parse(path)
    unit = tree.findtext(".//{*}MeasurementUnit")
    for page in tree.iter("{*}Page"):
        words = []
        for word in page.iter("{*}String"):
            x, y, w, h = (float(word.get(k)) for k in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
            words.append((word.get("CONTENT"), (x, y, x + w, y + h)))
        yield page, words, unit


def ink(pdf, page):
    data = subprocess.run(["pdftoppm", "-gray", "-r", str(DPI), "-f", str(page), "-l", str(page), "-cropbox", pdf], capture_output=True).stdout

    return Image.open(io.BytesIO(data)).point(lambda v: 255 if v < DARK else 0)


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    area = lambda r: (r[2] - r[0]) * (r[3] - r[1])
    return both / (area(a) + area(b) - both) if both else 0


def page_figures(pdf, number, alto, scale):
    words, picture = layer_words(pdf, number), ink(pdf, number)
    inked = sum(picture.crop(tuple(round(v * DPI) for v in box)).getbbox() is not None for _, box in words)
    overlaps = []
    for text, box in alto:
        box = tuple(v * scale for v in box)
        same = [iou(box, other) for label, other in words if label == text.replace("&", "&amp;")]
        overlaps.append(max(same, default=0))
    return len(words), inked, overlaps


def main(folders):
    total = inked = 0
    overlaps = []
    pages = 0
    for folder in folders:
        for at, _, files in sorted(os.walk(folder)):
            if "alto.xml" not in files:
                continue
            pdf = os.path.join(at, "document.pdf")
            sizes = subprocess.run(["pdfinfo", "-l", "-1", pdf], capture_output=True, text=True).stdout
            size = [(float(a), float(r)) for a, r in zip(re.findall(r"size:\s+([\d.]+)", sizes), re.findall(r"rot:\s+(\d+)", sizes))]
            widths = [float(a if r % 180 == 0 else b) for (a, b), (_, r) in zip(re.findall(r"size:\s+([\d.]+) x ([\d.]+)", sizes), size)]
            for i, (page, words, unit) in enumerate(alto_words(os.path.join(at, "alto.xml"))):
                scale = widths[i] / 72 / float(page.get("WIDTH"))
                count, good, found = page_figures(pdf, i + 1, words, scale)
                print("%s page %d: %d words, %d on ink, overlap %.3f" % (at, i + 1, count, good, sum(found) / max(len(found), 1)), file=sys.stderr)
                total, inked, pages = total + count, inked + good, pages + 1
                overlaps += found
    print(json.dumps({"pages": pages, "words": total, "on_ink": round(inked / max(total, 1), 4),
                      "overlap": round(sum(overlaps) / max(len(overlaps), 1), 4),
                      "overlap_over_half": round(sum(v > 0.5 for v in overlaps) / max(len(overlaps), 1), 4)}))


if __name__ == "__main__":
    main(sys.argv[1:])
