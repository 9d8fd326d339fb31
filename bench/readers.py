# SPDX-License-Identifier: AGPL-3.0-or-later
"""The three readers that bench/ocr compares: how each is given a document, run, and asked for its text.

prepare() is not measured: what a peer can't open by itself is made for it there. run() is. A document that a reader fails is
in Reading.failed with the reader's own words.
"""
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import meter

LIMIT_S = 3600         # a run that takes longer is killed
OWN_DPI = 300          # of pages that are no scans
SCAN_SHARE = 0.5       # of the page that an image must cover for its resolution to be the scan's
GRAY = "gray"
ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}


@dataclass
class Document:
    """One scan. file is its name in its set (as truth has it), key its name among all sets."""

    key: str
    file: str
    path: Path
    pages: int
    truth: Path = None   # folder, None: unknown


@dataclass
class Reading:
    cpu_s: float = 0.0
    wall_s: float = 0.0
    texts: dict = field(default_factory=dict)    # key: [a text a page]
    records: dict = field(default_factory=dict)  # key: [a dict a page], of record.json; Sohoa's only
    failed: dict = field(default_factory=dict)   # key: why

    def add(self, other):
        self.cpu_s += other.cpu_s
        self.wall_s += other.wall_s
        for name in ("texts", "records", "failed"):
            getattr(self, name).update(getattr(other, name))


def is_pdf(path):
    with open(path, "rb") as file:
        return b"%PDF-" in file.read(1024)


def _said(argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def page_count(path):
    """Pages of a PDF or frames of an image; None when it is neither."""
    if is_pdf(path):
        try:
            return int(re.search(r"^Pages: +(\d+)", _said(["pdfinfo", path]), re.M).group(1))
        except subprocess.CalledProcessError:
            return None
    from PIL import Image, UnidentifiedImageError
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1)
    except (UnidentifiedImageError, OSError):
        return None


def scan_images(path, pages):
    """[(dpi, gray)] of each page of a PDF: of its largest image, if that covers the page."""
    size = {int(m[1]): float(m[2]) * float(m[3]) / 72**2 for m in re.finditer(
        r"^Page +(\d+) size: +([\d.]+) x ([\d.]+) pts", _said(["pdfinfo", "-l", str(pages), path]), re.M)}
    best = {}
    for line in _said(["pdfimages", "-list", "-l", str(pages), path]).splitlines()[2:]:
        page, _, kind, width, height, colour, _, _, _, _, _, _, x_dpi, y_dpi, *_ = line.split()
        page, x_dpi, y_dpi = int(page), int(x_dpi), int(y_dpi)
        area = int(width) / max(x_dpi, 1) * int(height) / max(y_dpi, 1)
        if kind == "image" and area > max(SCAN_SHARE * size[page], best.get(page, (0,))[0]):
            best[page] = (area, x_dpi, colour == GRAY)
    return [best.get(page, (0, OWN_DPI, False))[1:] for page in range(1, pages + 1)]


def _last_words(log):
    """What a program said last, on one line."""
    lines = [line.strip() for line in Path(log).read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def _pages(text, count):
    """Texts of the pages of what ends each of them, or all but the last, with a form feed."""
    pages = text.split("\f")
    return (pages + [""] * count)[:count]


class Peer:
    """A program that is run once a document."""

    def run(self, document, given, folder, core):
        """given is what prepare() returned."""
        reading = Reading()
        if isinstance(given, Exception):
            reading.failed[document.key] = f"can't be given to it: {given}"
            return reading
        usage = meter.run(self.command(given, folder), core, folder / "log", LIMIT_S, ONE_THREAD)
        reading.cpu_s, reading.wall_s = usage.cpu_s, usage.wall_s
        if usage.status or usage.timed_out:
            reading.failed[document.key] = f"exit status {usage.status}: {_last_words(folder / 'log')}"
        else:
            text = (folder / "out.txt").read_text("utf-8", "replace")
            reading.texts[document.key] = _pages(text, document.pages)
        return reading

    def prepare(self, document, folder):
        """The file to give to the program, or the exception that kept from making it."""
        try:
            return self.input(document, folder)
        except Exception as why:  # whatever a foreign library has against the file: it fails this document
            return why


class Tesseract(Peer):
    """Its PDF pages are painted for it at the scan's own resolution, its pages come in one call."""

    name = "tesseract"
    needs = ("tesseract", "pdftoppm", "pdfimages", "pdfinfo")

    def input(self, document, folder):
        if not is_pdf(document.path):
            return document.path
        images = []
        for number, (dpi, gray) in enumerate(scan_images(document.path, document.pages), 1):
            stem = folder / f"page-{number}"
            subprocess.run(["pdftoppm", "-png", *(["-gray"] if gray else []), "-r", str(dpi), "-f", str(number),
                            "-l", str(number), "-singlefile", document.path, stem], check=True)
            images.append(f"{stem}.png")
        if len(images) == 1:
            return images[0]
        (folder / "list.txt").write_text("\n".join(images) + "\n", encoding="utf-8")
        return folder / "list.txt"

    def command(self, given, folder):
        return ["tesseract", str(given), str(folder / "out"), "-l", "vie", "txt", "pdf", "alto"]


class Ocrmypdf(Peer):
    """Its images are wrapped in a PDF for it, without loss."""

    name = "ocrmypdf"
    needs = ("ocrmypdf",)

    def input(self, document, folder):
        if is_pdf(document.path):
            return document.path
        import img2pdf
        (folder / "in.pdf").write_bytes(img2pdf.convert(str(document.path)))
        return folder / "in.pdf"

    def command(self, given, folder):
        return ["ocrmypdf", "-l", "vie", "--rotate-pages", "--deskew", "--output-type", "pdfa", "--force-ocr", "-j1",
                "--sidecar", str(folder / "out.txt"), str(given), str(folder / "out.pdf")]


class Sohoa:
    """`sohoa run` on all documents of a group at once, with one slot; start and end are in its figures."""

    name = "sohoa"

    def __init__(self, programs):
        self.program = str(programs / "sohoa")

    def run(self, documents, folder, core):
        for document in documents:
            (folder / "scans" / document.key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(document.path, folder / "scans" / document.key)
        out = folder / "out"
        usage = meter.run([self.program, "run", str(folder / "scans"), "--out", str(out), "--slots", "1", "--json"],
                          core, folder / "log", LIMIT_S, ONE_THREAD)
        if usage.timed_out or not (out / "report.json").exists():
            raise RuntimeError(f"sohoa run: exit status {usage.status}: {_last_words(folder / 'log')}")
        reading = Reading(usage.cpu_s, usage.wall_s)
        report = json.loads((out / "report.json").read_text("utf-8"))
        state = {entry["source"]: entry for entry in report["documents"]}
        for document in documents:
            self._collect(document, state[document.key], out, reading)
        return reading

    @staticmethod
    def _collect(document, entry, out, reading):
        if entry["state"] not in ("stored", "duplicate"):
            reading.failed[document.key] = f"{entry['state']}: {entry['reason']}"
            return
        results = out / entry["path"]
        reading.texts[document.key] = _pages((results / "text.txt").read_text("utf-8"), document.pages)
        reading.records[document.key] = json.loads((results / "record.json").read_text("utf-8"))["pages"]


PEERS = {reader.name: reader for reader in (Tesseract(), Ocrmypdf())}


def missing(names):
    """Programs that these peers need and that are not there."""
    return [need for name in names for need in PEERS[name].needs if not shutil.which(need, path=os.environ.get("PATH"))]
