# SPDX-License-Identifier: AGPL-3.0-or-later
"""worker/strokes.c and worker/glyph.c as the training calls them, and which group of pieces is which digit."""

import atexit
import ctypes
import os
import shutil
import subprocess
import tempfile

import numpy as np

PIECES_MOST, STROKES_MOST, DIGITS = 4, 24, 10
FEATURES = 8 * 5 * 5 + 8 * 8 + 4
NONE, CLASSES = DIGITS, DIGITS + 1
WHOLE, MIXED = 0.88, 0.62  # a digit is there with this share of its ink, and is spoilt below that one


class Gray(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("width", ctypes.c_uint32), ("height", ctypes.c_uint32), ("stride", ctypes.c_size_t)]


class Piece(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int32) for n in ("left", "top", "right", "bottom", "ink", "order")]


class Strokes(ctypes.Structure):
    _fields_ = [
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("label", ctypes.POINTER(ctypes.c_uint16)),
        ("piece", Piece * STROKES_MOST),
        ("count", ctypes.c_uint),
        ("tall", ctypes.c_int32),
        ("slant", ctypes.c_int32),
    ]


def library_load():
    tree = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = os.path.join(folder, "glyph.so")
    files = [os.path.join(tree, "worker", name) for name in ("ink.c", "strokes.c", "glyph.c")]
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-I", tree, *files, "-o", path], check=True)
    return ctypes.CDLL(path)


LIBRARY = library_load()


def pieces_find(picture):
    """The strokes of a picture (rows of bytes), with the caller to call strokes_clear."""
    strokes = Strokes()
    picture = np.ascontiguousarray(picture)
    gray = Gray(picture.ctypes.data, picture.shape[1], picture.shape[0], picture.shape[1])
    if LIBRARY.strokes_find(ctypes.byref(gray), ctypes.byref(strokes)):
        raise MemoryError
    return strokes


def label_of(ink, all_ink, text):
    """The digit of a group of pieces; None where one can't say. ink, all_ink: pixels of each digit, then of what is
    none, in the group and in the picture."""
    total = ink.sum()
    main = int(ink[:-1].argmax()) if len(ink) > 1 else -1
    if main < 0 or not ink[main]:
        return NONE
    has, pure = ink[main] / all_ink[main], ink[main] / total
    if has >= WHOLE and pure >= WHOLE:
        return int(text[main])
    if has < MIXED or pure < MIXED + 0.1:
        return NONE
    return None


def samples_of(picture, owner, text):
    """Yields (features, class). owner: for each pixel the place in text of the digit whose ink it is, len(text) for
    other ink."""
    strokes = pieces_find(picture)
    feature = (ctypes.c_uint8 * FEATURES)()
    if strokes.count:
        label = np.ctypeslib.as_array(strokes.label, picture.shape)
        table = np.zeros((strokes.count + 1, len(text) + 1))
        np.add.at(table, (label[label > 0], owner[label > 0]), 1)
        pieces = table[1:]
        all_ink = np.maximum(table.sum(0), 1)
        for first in range(strokes.count):
            for count in range(1, min(PIECES_MOST, strokes.count - first) + 1):
                group = strokes.piece[first : first + count]
                if max(p.right for p in group) - min(p.left for p in group) > 2 * strokes.tall:
                    break
                found = label_of(pieces[first : first + count].sum(0), all_ink, text)
                if found is not None:
                    LIBRARY.glyph_measure(ctypes.byref(strokes), first, count, feature)
                    yield np.frombuffer(feature, np.uint8).copy(), found
    LIBRARY.strokes_clear(ctypes.byref(strokes))


def accuracy(packed, rows, classes):
    """Of a packed net, in the same whole numbers as worker/glyph.c."""
    x, at = rows.astype(np.int64), 0
    while at < len(packed):
        inputs, outputs = int.from_bytes(packed[at : at + 2], "little"), int.from_bytes(packed[at + 2 : at + 4], "little")
        shift, at = packed[at + 4], at + 5
        block = np.frombuffer(packed, np.uint8, outputs * (inputs + 4), at).reshape(outputs, inputs + 4)
        bias = np.ascontiguousarray(block[:, :4]).view("<i4")[:, 0].astype(np.int64)
        weights = np.ascontiguousarray(block[:, 4:]).view(np.int8).astype(np.int64)
        at += outputs * (inputs + 4)
        z = (x @ weights.T + bias) >> shift
        x = np.clip(z, 0, 255)
    return float((z.argmax(1) == classes).mean())
