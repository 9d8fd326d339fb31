# SPDX-License-Identifier: AGPL-3.0-or-later
"""Draws strings of digits as scans show them, and tells which pixel is whose."""

import io
import os
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_digits

import hands

FINE = 3  # pens are drawn so many times as large
FONTS_OF_PRINT = [
    "LiberationSerif-Regular.ttf", "LiberationSerif-Italic.ttf", "LiberationSerif-Bold.ttf",
    "LiberationSerif-BoldItalic.ttf", "LiberationSans-Regular.ttf", "LiberationMono-Regular.ttf", "DejaVuSerif.ttf",
    "DejaVuSans.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSerif-Italic.ttf",
]  # fmt: skip
FONTS_OF_HANDS = [
    "BecauseWeBuild-Regular.otf", "BecauseWeConnect-Regular.otf", "BecauseWeCreate-Regular.otf",
    "BecauseWeLearn-Regular.otf", "BecauseWeMentor-Regular.otf", "BecauseWeOrganize-Regular.otf",
    "ComicNeue-Regular.otf", "ComicNeue-Italic.otf", "DancingScript-Regular.otf", "Havana-Regular.otf",
    "KaushanScript-Regular.otf", "Breip.ttf", "dkg.ttf", "dkgIt.ttf", "dkgBd.ttf", "Humor-Sans.ttf", "Kristi.ttf",
    "Rufscript010.ttf", "Delphine.ttf", "SteveHand.ttf", "TomsonTalks.ttf", "YOzBS_i.ttf", "YOzRS_.ttf",
    "Ecolier-court.ttf",
]  # fmt: skip
FONT_PX = 72
NEIGHBOURS_LEFT = ["y", "y", "y", ":", ":", "g", "m", "."]
NEIGHBOURS_RIGHT = ["t", "t", "th", "/", "/", "-", "n", "/C", "/Q"]


class Source:
    def __init__(self, folders):
        digits = load_digits()
        self.small = [digits.images[digits.target == d] for d in range(10)]
        self.print, self.hands = [fonts_load(names, folders) for names in (FONTS_OF_PRINT, FONTS_OF_HANDS)]


def fonts_load(names, folders):
    where = {name: os.path.join(root, name) for top in folders for root, _, files in os.walk(top) for name in files}
    missing = [name for name in names if name not in where]
    if missing:
        sys.exit(f"fonts are missing: {' '.join(missing)}; deploy/deps digits brings them")
    return [ImageFont.truetype(where[name], FONT_PX) for name in names]


def source_load(folder):
    return Source(["/usr/share/fonts", *([folder] if folder else [])])


# ---- pens ----


def smooth(points, steps=10):
    """Points along a centripetal-like Catmull-Rom curve; a point given twice makes a corner."""
    points = np.asarray(points, float)
    parts, start = [], 0
    for i in range(1, len(points)):
        if (points[i] == points[i - 1]).all():
            parts.append(points[start:i])
            start = i
    parts.append(points[start:])
    out = []
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    for part in parts:
        if len(part) < 2:
            continue
        p = np.vstack([2 * part[0] - part[1], part, 2 * part[-1] - part[-2]])
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:]):
            out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
        out.append(part[-1:])
    return np.vstack(out)


class Hand:
    """How one person writes: the same within a string."""

    def __init__(self, random):
        self.height = random.uniform(20, 56)
        self.wide = random.uniform(0.55, 1.15)
        self.slant = random.normal(0.18, 0.16)
        self.pen = self.height * min(0.22, max(0.045, random.gamma(6, 0.018)))
        self.shaky = random.choice([0.015, 0.03, 0.045])
        self.gap = random.normal(0.14, 0.14)
        self.styles = [random.integers(len(hands.DIGITS[d])) for d in range(10)]
        self.source = random.choice(["pen", "hands", "print", "small"], p=[0.6, 0.22, 0.08, 0.1])
        self.font = random.random()
        self.shape = random.choice(["round", "nib"], p=[0.8, 0.2])


def path_bend(random, hand, strokes):
    """The strokes of a glyph as this hand writes them this time, in pixels."""
    turn, phase, bend = random.normal(0, 0.05), random.uniform(0, 6.3, 2), random.normal(0, 0.02, 2)
    stretch = np.exp(random.normal(0, 0.08, 2))
    out = []
    for stroke in strokes:
        points = np.asarray(stroke, float)
        shift = random.normal(0, hand.shaky, points.shape)
        for i in range(1, len(points)):  # a corner stays one
            if (points[i] == points[i - 1]).all():
                shift[i] = shift[i - 1]
        line = smooth(points + shift + random.normal(0, hand.shaky * 0.7, 2))
        if len(line) > 20 and random.random() < 0.3:
            line = line[random.integers(0, 4) : len(line) - random.integers(0, 4)]
        x, y = line[:, 0] * stretch[0], line[:, 1] * stretch[1]
        x, y = x + bend[0] * np.sin(4 * y + phase[0]), y + bend[1] * np.sin(5 * x + phase[1])
        x = x * hand.wide - (y - 0.5) * hand.slant
        x, y = x - turn * (y - 0.5), y + turn * (x - 0.3)
        out.append(np.stack([x, y], 1) * hand.height)
    return out


def pen_draw(random, hand, strokes):
    """A glyph by pen: rows of 0 (paper) to 255, and the place of the glyph's own origin in them."""
    paths = path_bend(random, hand, strokes)
    every = np.vstack(paths)
    low = np.floor(every.min(0)) - 12
    size = np.ceil(every.max(0)) + 12 - low
    image = Image.new("L", tuple(int(s) * FINE for s in size), 0)
    draw = ImageDraw.Draw(image)
    for path in paths:
        along = np.linspace(0, 1, len(path))
        press = 1 + random.normal(0, 0.15) * np.sin(3 * along + random.uniform(0, 6)) - random.choice([0, 0, 0.4]) * along**4
        spots = (path - low) * FINE
        for (x0, y0), (x1, y1), p in zip(spots, spots[1:], press):
            r = max(0.8, hand.pen * p * FINE / 2)
            if hand.shape == "nib":  # broad one way, thin the other
                angle = np.arctan2(y1 - y0, x1 - x0)
                r *= 0.65 + 0.45 * abs(np.sin(angle - 0.6))
            draw.line((x0, y0, x1, y1), fill=255, width=max(1, round(2 * r)))
            draw.ellipse((x1 - r, y1 - r, x1 + r, y1 + r), fill=255)
            draw.ellipse((x0 - r, y0 - r, x0 + r, y0 + r), fill=255)
    image = image.resize((image.width // FINE, image.height // FINE), Image.BOX)
    return np.asarray(image, np.float32), low


# ---- fonts, and the digits of scikit-learn ----


def font_glyph(font, text):
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left + 40, bottom - top + 40), 0)
    ImageDraw.Draw(image).text((20 - left, 20 - top), text, font=font, fill=255)
    return np.asarray(image, np.float32), (bottom - top)


def small_glyph(random, source, digit):
    """One of 8 x 8 blocks, made smooth."""
    image = source.small[digit][random.integers(len(source.small[digit]))] / 16
    image = np.pad(ndimage.zoom(np.pad(image, 1), (7.2, 5.4), order=3), 14)
    image = ndimage.gaussian_filter(image, 1.5)
    return np.clip((image - random.uniform(0.38, 0.52)) * 6 * 255 + 128, 0, 255).astype(np.float32), 60


def picture_bend(random, hand, image, high, print_only):
    """Scales a glyph so that high rows become the hand's height, and bends it a little."""
    k = hand.height / high * np.exp(random.normal(0, 0.05))
    wide = k * (1 if print_only else np.exp(random.normal(0, 0.12)))
    slant = random.normal(0, 0.03) if print_only else random.normal(0.05, 0.15)
    rows, cols = int(image.shape[0] * k) + 8, int(image.shape[1] * wide) + 2 * int(hand.height * 0.3) + 8
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    y -= rows / 2
    x -= cols / 2
    x = x + slant * y
    if not print_only:
        size = 0.03 * hand.height
        a, b, c, d = random.uniform(0, 6.3, 4)
        f = 6 / hand.height
        x = x + size * np.sin(f * y + a) * random.normal(0, 0.6) + size * np.sin(f * x + b) * random.normal(0, 0.6)
        y = y + size * np.sin(f * x + c) * random.normal(0, 0.6) + size * np.sin(f * y + d) * random.normal(0, 0.6)
    out = ndimage.map_coordinates(
        ndimage.gaussian_filter(image, 0.35 / max(k, 0.2)),
        [y / k + image.shape[0] / 2, x / wide + image.shape[1] / 2], order=1,
    )  # fmt: skip
    if not print_only and random.random() < 0.5:
        size = 2 if random.random() < 0.7 or hand.height < 40 else 3
        out = ndimage.grey_dilation(out, size) if random.random() < 0.7 else out
    return out


def font_size(font):
    return font.getbbox("0")[3] - font.getbbox("0")[1]


def digit_draw(random, source, hand, digit):
    """Rows of ink, and the row where the digit's top is meant to be."""
    if hand.source == "pen":
        style = hand.styles[digit] if random.random() < 0.85 else random.integers(len(hands.DIGITS[digit]))
        image, low = pen_draw(random, hand, hands.DIGITS[digit][style])
        return image, -low[1]
    if hand.source == "small":
        image, high = small_glyph(random, source, digit)
        image = picture_bend(random, hand, image, high, False)
    else:
        fonts = source.print if hand.source == "print" else source.hands
        font = fonts[int(hand.font * len(fonts))]
        image, _ = font_glyph(font, str(digit))
        image = picture_bend(random, hand, image, font_size(font), hand.source == "print")
    rows = np.flatnonzero(image.max(1) > 100)
    return image, float(rows[0]) if len(rows) else 0.0


# ---- strings ----


class Sheet:
    """Darkness of the picture, and whose it is."""

    def __init__(self, rows, cols):
        self.ink = np.zeros((rows, cols), np.float32)
        self.owner = np.zeros((rows, cols), np.int64)

    def paste(self, image, top, left, owner):
        y0, x0 = max(0, int(top)), max(0, int(left))
        y1, x1 = min(self.ink.shape[0], int(top) + image.shape[0]), min(self.ink.shape[1], int(left) + image.shape[1])
        if y1 <= y0 or x1 <= x0:
            return
        part = image[y0 - int(top) : y1 - int(top), x0 - int(left) : x1 - int(left)]
        stronger = part > self.ink[y0:y1, x0:x1]
        self.owner[y0:y1, x0:x1][stronger] = owner
        self.ink[y0:y1, x0:x1] = np.maximum(self.ink[y0:y1, x0:x1], part)


def edges(image):
    cols = np.flatnonzero(image.max(0) > 100)
    return (int(cols[0]), int(cols[-1]) + 1) if len(cols) else (0, image.shape[1])


def neighbour_draw(random, source, hand, text):
    font = source.print[random.integers(4)]
    image, _ = font_glyph(font, text)
    size = font_size(font) / (hand.height * random.uniform(0.6, 1.1))
    return np.asarray(Image.fromarray(image.astype(np.uint8)).resize((max(1, int(image.shape[1] / size)), max(1, int(image.shape[0] / size)))), np.float32)


def neighbours_paste(random, source, hand, sheet, first, last, top, none):
    """What stands in print on either side and was not cut off quite."""
    for text, right in ((random.choice(NEIGHBOURS_LEFT), False), (random.choice(NEIGHBOURS_RIGHT), True)):
        if random.random() > 0.3:
            continue
        if random.random() < 0.3:
            image, low = pen_draw(random, hand, hands.OTHERS[random.integers(len(hands.OTHERS))])
        else:
            image = neighbour_draw(random, source, hand, text)
        a, b = edges(image)
        if random.random() < 0.6:  # a part of it only
            cut = int(a + (b - a) * random.uniform(0.3, 1))
            image = image[:, :cut] if right else image[:, a + b - cut :]
            a, b = edges(image)
        gap = hand.height * random.uniform(-0.05, 0.4)
        left = last + gap - a if right else first - gap - b
        sheet.paste(image, top + random.uniform(-0.1, 0.3) * hand.height, left, none)


def clutter_paste(random, hand, sheet, base, none):
    if random.random() < 0.12:  # a dotted line to write on
        for x in range(0, sheet.ink.shape[1], max(3, int(hand.height * 0.16))):
            size = max(1, int(hand.height * 0.05))
            sheet.paste(np.full((size, size), 255, np.float32), base + random.integers(-1, 2), x, none)
    if random.random() < 0.04:
        sheet.paste(np.full((max(1, int(hand.height * 0.04)), sheet.ink.shape[1]), 255, np.float32), base + hand.height * 0.12, 0, none)
    for _ in range(random.poisson(0.5)):
        size = random.integers(1, max(2, int(hand.height * 0.12)))
        sheet.paste(np.full((size, size), 255, np.float32), random.integers(sheet.ink.shape[0]), random.integers(sheet.ink.shape[1]), none)


def scan(random, ink):
    """What a scanner, a filter or a JPEG make of it: rows of gray."""
    ink = ndimage.gaussian_filter(ink, random.uniform(0.2, 1.0))
    gray = 255 - ink / 255 * random.uniform(140, 255) + random.normal(0, random.choice([0, 3, 10]), ink.shape)
    gray = np.clip(gray, 0, 255).astype(np.uint8)
    if random.random() < 0.25:
        return np.where(gray < random.uniform(110, 190), 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        held = io.BytesIO()
        Image.fromarray(gray).save(held, "JPEG", quality=int(random.integers(25, 90)))
        return np.asarray(Image.open(held))
    return gray


def string_draw(random, source, text=None, near=True):
    """(gray rows, owner of each pixel as glyph.samples_of wants it, text) of a made up string by a made up hand; near:
    with what may stand beside it."""
    hand = Hand(random)
    if text is None:
        text = "".join(str(d) for d in random.integers(0, 10, random.choice([1, 2, 3, 4], p=[0.15, 0.5, 0.25, 0.1])))
    h = hand.height
    sheet = Sheet(int(2.6 * h), int((len(text) + 3) * 1.4 * h))
    none = len(text)
    sheet.owner[:] = none
    at = start = 1.6 * h
    top = 0.75 * h
    for i, digit in enumerate(text):
        image, row = digit_draw(random, source, hand, int(digit))
        a, b = edges(image)
        sheet.paste(image, top - row + random.normal(0, 0.05) * h, at - a, i)
        at += b - a + hand.gap * h + random.normal(0, 0.04) * h
    last = at - hand.gap * h
    if near:
        neighbours_paste(random, source, hand, sheet, start, last, top, none)
    clutter_paste(random, hand, sheet, top + h, none)
    margin = int(random.uniform(0.1, 0.9) * h)
    cut = slice(max(0, int(start) - margin), int(last) + margin)
    return scan(random, sheet.ink[:, cut]), sheet.owner[:, cut], text
