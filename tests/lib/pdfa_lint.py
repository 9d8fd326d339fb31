#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""pdfa_lint.py [--json] FILE...: whether files that claim to be PDF/A-1b or -2b keep the rules.

The rules are a table (rule(...) below), each named by its clause of ISO 19005-2, and of ISO 19005-1 where that part differs or
has it alone. Knows nothing of the program that wrote the file: bytes are read as bytes, objects by pikepdf, font programs by
fontTools. One line a violation: file, clause, object, what is wrong. Exit code 0: all keep them; 1: violations; 2: usage."""
import decimal
import io
import json
import re
import struct
import sys

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.basePen import NullPen
from fontTools.ttLib import TTFont
from lxml import etree
from pikepdf import Array, Dictionary, Name, Stream

RULES = []
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
DEPTH_MAX = 100


def rule(clause2, clause1=None):
    """clause in ISO 19005-2 and -1; None: the part does not have the rule."""
    def put(function):
        RULES.append((clause2, clause1, function))
        return function
    return put


def num(obj):
    try:
        return "%d %d" % obj.objgen if obj.is_indirect else "-"
    except AttributeError:
        return "-"


def is_dict(obj):
    return isinstance(obj, (Dictionary, Stream))


def get(obj, key, default=None):
    return obj.get(key, default) if is_dict(obj) else default


def name(obj):
    return str(obj)[1:] if isinstance(obj, Name) else ""


def names(obj):
    """Of a name or an array of them."""
    if isinstance(obj, Array):
        return [name(item) for item in obj]
    return [name(obj)] if isinstance(obj, Name) else []


class Used:
    """What is to be seen of a font: the codes."""
    def __init__(self, font):
        self.font, self.codes = font, set()


class Doc:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.raw = file.read()
        self.pdf = pikepdf.open(io.BytesIO(self.raw))
        self.root = self.pdf.Root
        self.objects = []  # (object, number of the indirect one it is in)
        self._walk()
        self.xmp_error, self.xmp = None, None
        self._read_xmp()
        self.part = self._claim("part")
        self.conformance = self._claim("conformance")
        self.fonts, self.operators, self.contents = {}, [], []
        self.spaces = []  # (space, resources) in use
        self._seen = set()
        self._read_contents()

    # ---- objects ----
    def _walk(self):
        seen, todo = set(), [self.pdf.trailer]
        while todo:
            top = todo.pop()
            stack = [(top, 0)]
            number = num(top)
            while stack:
                obj, depth = stack.pop()
                self.objects.append((obj, number))
                if depth > DEPTH_MAX:
                    raise ValueError("objects nested deeper than %d" % DEPTH_MAX)
                values = []
                if is_dict(obj):
                    values = [obj[key] for key in obj.keys()]
                elif isinstance(obj, Array):
                    values = list(obj)
                for value in values:
                    if getattr(value, "is_indirect", False):
                        if value.objgen not in seen:
                            seen.add(value.objgen)
                            todo.append(value)
                    else:
                        stack.append((value, depth + 1))

    def dicts(self):
        return [(obj, number) for obj, number in self.objects if is_dict(obj)]

    def streams(self):
        return [(obj, number) for obj, number in self.objects if isinstance(obj, Stream)]

    def annotations(self):
        for page in self.pdf.pages:
            for annot in page.obj.get("/Annots", []):
                if is_dict(annot):
                    yield annot

    # ---- metadata ----
    def _read_xmp(self):
        stream = get(self.root, "/Metadata")
        if not isinstance(stream, Stream):
            return
        try:
            self.xmp = etree.fromstring(stream.read_bytes(), etree.XMLParser(resolve_entities=False))
        except (etree.XMLSyntaxError, ValueError, pikepdf.PdfError) as error:
            self.xmp_error = str(error)

    def _claim(self, key):
        if self.xmp is None:
            return None
        for node in self.xmp.iter(RDF + "Description"):
            if node.get(PDFAID + key):
                return node.get(PDFAID + key)
            child = node.find(PDFAID + key)
            if child is not None:
                return (child.text or "").strip()
        return None

    def xmp_text(self, tag):
        if self.xmp is None:
            return None
        for node in self.xmp.iter(tag):
            leaf = node.find(".//" + RDF + "li")
            return ((leaf if leaf is not None else node).text or "").strip()
        return None

    # ---- contents ----
    def _read_contents(self):
        for page in self.pdf.pages:
            resources = page.obj.get("/Resources")
            self._content(page.obj, page.obj.get("/Resources"), num(page.obj), {}, True)
            group = get(page.obj, "/Group")
            if get(group, "/CS") is not None:
                self.spaces.append((group["/CS"], resources, num(page.obj)))
        for annot in self.annotations():
            look = get(get(annot, "/AP"), "/N")
            for form in [look] if isinstance(look, Stream) else [look[k] for k in look.keys()] if is_dict(look) else []:
                if isinstance(form, Stream):
                    self._form(form, None, {})

    def _form(self, form, resources, state):
        if form.objgen in self._seen:
            return
        self._seen.add(form.objgen)
        self._content(form, form.get("/Resources"), num(form), dict(state), False)

    def _content(self, holder, resources, number, state, is_page):
        try:
            instructions = pikepdf.parse_content_stream(holder)
        except Exception as error:  # pikepdf tells broken contents in several ways
            self.contents.append((number, "can't be read: %s" % error, 0, False))
            return
        depth = deepest = 0
        saved, used_names = [], False
        for operands, operator in instructions:
            op = str(operator)
            self.operators.append((op, operands, number))
            if op == "q":
                saved.append(dict(state))
                depth += 1
                deepest = max(depth, deepest)
            elif op == "Q":
                depth -= 1
                state = saved.pop() if saved else state
            elif op in ("Tf", "Do", "gs", "sh", "cs", "CS", "scn", "SCN"):
                named = [item for item in operands if isinstance(item, Name)]
                used_names = used_names or (bool(named) and op not in ("cs", "CS"))
                self._named(op, operands, resources, number, state)
            elif op == "Tr":
                state["mode"] = int(operands[0])
            elif op in ("Tj", "TJ", "'", '"'):
                self._show(operands, state)
            elif op in ("k", "K", "rg", "RG", "g", "G"):
                space = {"k": "/DeviceCMYK", "r": "/DeviceRGB", "g": "/DeviceGray"}[op[0].lower()]
                self.spaces.append((Name(space), resources, number))
            elif op == "INLINE IMAGE":
                self._inline(operands[0], resources, number)
        self.contents.append((number, None, deepest, used_names and resources is None))

    def _inline(self, image, resources, number):
        try:
            self.spaces.append((image.obj.get("/ColorSpace", image.obj.get("/CS")), resources, number))
        except Exception:  # spaces by name; pikepdf's inline images differ by version
            pass

    def _named(self, op, operands, resources, number, state):
        if op == "Tf":
            font = get(get(resources, "/Font"), operands[0])
            state["font"] = None
            if is_dict(font):
                key = font.objgen if font.is_indirect else id(font)
                first = key not in self.fonts
                state["font"] = self.fonts.setdefault(key, Used(font))
                if first and name(get(font, "/Subtype")) == "Type3":
                    for proc in get(font, "/CharProcs", {}).keys():
                        stream = font["/CharProcs"][proc]
                        self._content(stream, font.get("/Resources", resources), num(stream), {}, False)
        elif op == "Do":
            self._do(get(get(resources, "/XObject"), operands[0]), resources, number, state)
        elif op in ("cs", "CS"):
            space = get(get(resources, "/ColorSpace"), operands[0], operands[0])
            self.spaces.append((space, resources, number))
        elif op == "sh":
            shading = get(get(resources, "/Shading"), operands[0])
            self.spaces.append((get(shading, "/ColorSpace"), resources, number))
        elif op in ("scn", "SCN") and operands and isinstance(operands[-1], Name):
            pattern = get(get(resources, "/Pattern"), operands[-1])
            if isinstance(pattern, Stream):
                self._form(pattern, resources, state)
            self.spaces.append((get(get(pattern, "/Shading"), "/ColorSpace"), resources, number))

    def _do(self, target, resources, number, state):
        if not isinstance(target, Stream):
            return
        if name(target.get("/Subtype")) == "Form":
            self._form(target, resources, state)
            if get(target.get("/Group"), "/CS") is not None:
                self.spaces.append((target["/Group"]["/CS"], target.get("/Resources"), num(target)))
        elif target.get("/ColorSpace") is not None:
            self.spaces.append((target["/ColorSpace"], resources, num(target)))

    def _show(self, operands, state):
        used = state.get("font")
        if used is None or state.get("mode") == 3:
            return
        wide = name(get(used.font, "/Subtype")) == "Type0"
        for item in operands[0] if isinstance(operands[0], Array) else operands[-1:]:
            if isinstance(item, pikepdf.String):
                data = bytes(item)
                used.codes.update(struct.unpack(">%dH" % (len(data) // 2), data[:len(data) // 2 * 2]) if wide else data)


# ---- 6.1 file structure ----

@rule("6.1.2", "6.1.2")
def header(doc):
    found = re.match(rb"%PDF-1\.([0-7])[\r\n]", doc.raw)
    if not found:
        yield "-", "the file does not begin with %PDF-1.0 to 1.7 and an end of line"
    elif doc.part == "1" and int(found[1]) > 4:
        pass  # a reader ignores it


@rule("6.1.2", "6.1.2")
def header_comment(doc):
    line = doc.raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", 2)
    if len(line) < 2 or not line[1].startswith(b"%") or len(line[1]) < 5 or any(b < 128 for b in line[1][1:5]):
        yield "-", "the second line is not a comment of four bytes above 127"


@rule("6.1.3", "6.1.3")
def file_identifier(doc):
    ident = doc.pdf.trailer.get("/ID")
    if not isinstance(ident, Array) or len(ident) != 2 or not bytes(ident[0]):
        yield "trailer", "no file identifier"


@rule("6.1.3", "6.1.3")
def no_encryption(doc):
    if "/Encrypt" in doc.pdf.trailer or doc.pdf.is_encrypted:
        yield "trailer", "the file is encrypted"


@rule("6.1.3", "6.1.3")
def nothing_after_the_end(doc):
    if not re.search(rb"%%EOF(\r\n|\r|\n)?\Z", doc.raw):
        yield "-", "data after the last %%EOF"


@rule("6.1.4", "6.1.4")
def cross_reference(doc):
    at = re.search(rb"startxref\s+(\d+)\s+%%EOF(\r\n|\r|\n)?\Z", doc.raw)
    if not at:
        yield "-", "no startxref at the end"
        return
    start = int(at[1])
    if doc.raw[start:start + 4] == b"xref":
        if not re.match(rb"xref(\r\n|\r|\n)\d+ \d+(\r\n|\r|\n| \n)", doc.raw[start:start + 64]):
            yield "-", "xref and its first subsection are not parted by one end of line"
    elif not re.match(rb"\d+ \d+ obj", doc.raw[start:start + 32]):
        yield "-", "startxref does not point to a cross-reference"


@rule(None, "6.1.4")
def no_cross_reference_streams(doc):
    for stream, number in doc.streams():
        if name(stream.get("/Type")) in ("XRef", "ObjStm"):
            yield number, "a stream of objects or cross-references"
    if b"/Type/XRef" in doc.raw or b"/Type /XRef" in doc.raw or b"/ObjStm" in doc.raw:
        yield "-", "a stream of objects or cross-references"


@rule("6.1.6", "6.1.6")
def hexadecimal_strings(doc):
    for found in re.finditer(rb"/ID\s*\[([^\]]*)\]", doc.raw[-4096:]):
        for text in re.findall(rb"<([^<>]*)>", found[1]):
            if not re.fullmatch(rb"[0-9A-Fa-f\s]*", text) or len(re.sub(rb"\s", b"", text)) % 2:
                yield "trailer", "an odd or unknown digit in a hexadecimal string"


@rule("6.1.7.1", "6.1.7")
def stream_lengths(doc):
    """Only files with a table tell where objects begin."""
    for number, at in table(doc).items():
        head = doc.raw[at:at + 65536]
        found = re.match(rb"\d+ \d+ obj\s*<<.*?>>\s*stream(\r\n|\n|\r)", head, re.S)
        if not found:
            continue
        stream = doc.pdf.get_object(number, 0)
        if not isinstance(stream, Stream):
            continue
        start = at + found.end()
        if found[1] == b"\r":
            yield "%d 0" % number, "stream is followed by a carriage return alone"
        length = int(stream.stream_dict.get("/Length", -1)) if hasattr(stream, "stream_dict") else int(stream.get("/Length", -1))
        if not re.match(rb"(\r\n|\r|\n)endstream", doc.raw[start + length:start + length + 12]):
            yield "%d 0" % number, "Length %d does not lead to an end of line and endstream" % length


@rule("6.1.9", "6.1.8")
def object_syntax(doc):
    for number, at in table(doc).items():
        if not re.match(rb"%d \d+ obj[\r\n]" % number, doc.raw[at:at + 24]) or at and doc.raw[at - 1:at] not in b"\r\n":
            yield "%d 0" % number, "the object does not begin a line as 'N G obj'"


def table(doc):
    """Offsets by number, of a file with one table."""
    at = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", doc.raw)
    start = int(at[1]) if at else -1
    head = re.match(rb"xref\s+0 (\d+)\s*", doc.raw[start:start + 64]) if start >= 0 else None
    if not head:
        return {}
    rows = doc.raw[start + head.end():start + head.end() + 20 * int(head[1])]
    return {i: int(rows[20 * i:20 * i + 10]) for i in range(1, int(head[1])) if rows[20 * i + 17:20 * i + 18] == b"n"}


@rule("6.1.7.1", "6.1.7")
def external_streams(doc):
    for stream, number in doc.streams():
        for key in ("/F", "/FFilter", "/FDecodeParms"):
            if key in stream:
                yield number, "stream with %s" % key


@rule("6.1.7.2", "6.1.10")
def filters(doc):
    known = {"ASCIIHexDecode", "ASCII85Decode", "FlateDecode", "RunLengthDecode", "CCITTFaxDecode", "JBIG2Decode", "DCTDecode"}
    known |= {"JPXDecode", "Crypt"} if doc.part != "1" else set()
    for stream, number in doc.streams():
        for used in names(stream.get("/Filter")):
            if used not in known:
                yield number, "filter %s" % used
            if used == "Crypt" and name(get(stream.get("/DecodeParms"), "/Name", Name.Identity)) != "Identity":
                yield number, "a crypt filter other than Identity"


@rule("6.1.7.2", "6.1.10")
def inline_filters(doc):
    for op, operands, number in doc.operators:
        if op == "INLINE IMAGE" and re.search(rb"/LZW", operands[0].unparse()[:512] if hasattr(operands[0], "unparse") else b""):
            yield number, "an inline image with LZW"


@rule("6.1.12", None)
def permissions(doc):
    for key in get(doc.root, "/Perms", Dictionary()).keys():
        if key not in ("/UR3", "/DocMDP"):
            yield "catalog", "permission %s" % key


@rule("6.1.13", "6.1.12")
def limits_of_names(doc):
    for obj, number in doc.objects:
        for text in [str(obj)] if isinstance(obj, Name) else list(obj.keys()) if is_dict(obj) else []:
            if len(text.encode("utf-8", "surrogateescape")) > 128:
                yield number, "a name of more than 127 bytes"


@rule("6.1.13", "6.1.12")
def limits_of_strings(doc):
    for obj, number in doc.objects:
        if isinstance(obj, pikepdf.String) and len(bytes(obj)) > (65535 if doc.part == "1" else 32767):
            yield number, "a string of %d bytes" % len(bytes(obj))


@rule("6.1.13", "6.1.12")
def limits_of_numbers(doc):
    for obj, number in doc.objects:
        if isinstance(obj, int) and not -2**31 <= obj < 2**31:
            yield number, "integer %d" % obj
    for obj, number in doc.objects:
        if doc.part == "1" and isinstance(obj, decimal.Decimal) and abs(obj) > 32767:
            yield number, "real %s" % obj


@rule(None, "6.1.12")
def limits_of_containers(doc):
    for obj, number in doc.objects:
        if isinstance(obj, Array) and len(obj) > 8191:
            yield number, "an array of %d" % len(obj)
        if is_dict(obj) and len(obj.keys()) > 4095:
            yield number, "a dictionary of %d" % len(obj.keys())


@rule("6.1.13", "6.1.12")
def limits_of_objects(doc):
    if len(doc.pdf.objects) > 8388607:
        yield "-", "too many objects"


@rule("6.1.13", "6.1.12")
def limits_of_nesting(doc):
    for number, _, deepest, _ in doc.contents:
        if deepest > 28:
            yield number, "q nested %d deep" % deepest


@rule("6.1.13", "6.1.12")
def limits_of_inks(doc):
    for obj, number in doc.objects:
        if isinstance(obj, Array) and len(obj) > 1 and name(obj[0]) == "DeviceN" and isinstance(obj[1], Array):
            if len(obj[1]) > (8 if doc.part == "1" else 32):
                yield number, "a DeviceN of %d inks" % len(obj[1])


@rule("6.1.13", None)
def limits_of_pages(doc):
    for page in doc.pdf.pages:
        box = [float(x) for x in page.mediabox or []]
        if len(box) != 4:
            yield num(page.obj), "a page without MediaBox"
        elif not all(3 <= abs(box[i + 2] - box[i]) <= 14400 for i in (0, 1)):
            yield num(page.obj), "a page of %g x %g points" % (box[2] - box[0], box[3] - box[1])


# ---- 6.2 graphics ----

OPERATORS = set("""b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l m M MP n q Q
re RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \"""".split()) | {"INLINE IMAGE"}


@rule("6.2.2", "6.2.10")
def operators(doc):
    for op, _, number in doc.operators:
        if op not in OPERATORS:
            yield number, "operator %s" % op
    for number, error, _, _ in doc.contents:
        if error:
            yield number, "contents %s" % error


@rule("6.2.2", None)
def own_resources(doc):
    for number, _, _, lacks in doc.contents:
        if lacks:
            yield number, "contents name resources and have none of their own"


def intents(doc):
    return [item for item in get(doc.root, "/OutputIntents", []) if name(get(item, "/S")) == "GTS_PDFA1"]


@rule("6.2.3", "6.2.2")
def output_intent(doc):
    profiles = set()
    for item in get(doc.root, "/OutputIntents", []):
        if isinstance(get(item, "/DestOutputProfile"), Stream):
            profiles.add(item["/DestOutputProfile"].objgen)
        if "/DestOutputProfileRef" in item:
            yield num(item), "DestOutputProfileRef"
    if len(profiles) > 1:
        yield "catalog", "output intents with different profiles"
    for item in intents(doc):
        if "/OutputConditionIdentifier" not in item:
            yield num(item), "an output intent without OutputConditionIdentifier"
        if not isinstance(get(item, "/DestOutputProfile"), Stream):
            yield num(item), "an output intent without profile"


def icc_fault(data, newest, n=None, classes=(b"mntr", b"prtr", b"scnr", b"spac")):
    if len(data) < 132 or data[36:40] != b"acsp":
        return "not an ICC profile"
    size, version = struct.unpack(">I", data[:4])[0], data[8]
    if size != len(data):
        return "an ICC profile of %d bytes says %d" % (len(data), size)
    if version > newest:
        return "an ICC profile of version %d" % version
    if data[12:16] not in classes:
        return "an ICC profile of class %r" % data[12:16]
    channels = {b"GRAY": 1, b"RGB ": 3, b"Lab ": 3, b"CMYK": 4}.get(data[16:20])
    if channels is None or (n is not None and n != channels):
        return "an ICC profile for %r where N is %s" % (data[16:20], n)
    tags = {}
    for i in range(struct.unpack(">I", data[128:132])[0]):
        key, at, length = struct.unpack(">4sII", data[132 + 12 * i:144 + 12 * i])
        if at + length > len(data) or at < 132:
            return "an ICC profile whose tag %r lies outside" % key
        tags[key] = data[at:at + length]
    need = {b"desc", b"wtpt", b"cprt"}
    if data[16:20] == b"RGB " and b"A2B0" not in tags:
        need |= {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}
    if data[16:20] == b"CMYK":
        need |= {b"A2B0"}
    if need - set(tags):
        return "an ICC profile without %s" % sorted(need - set(tags))
    return None


@rule("6.2.3", "6.2.2")
def output_profile(doc):
    for item in intents(doc):
        stream = get(item, "/DestOutputProfile")
        if isinstance(stream, Stream):
            fault = icc_fault(stream.read_bytes(), 2 if doc.part == "1" else 4, int(stream.get("/N", 0)), (b"mntr", b"prtr"))
            if fault:
                yield num(stream), fault


@rule("6.2.4.2", "6.2.3.2")
def icc_spaces(doc):
    for obj, number in doc.objects:
        if isinstance(obj, Array) and len(obj) > 1 and isinstance(obj[0], Name) and obj[0] == Name.ICCBased:
            if not isinstance(obj[1], Stream):
                yield number, "ICCBased without a profile"
                continue
            fault = icc_fault(obj[1].read_bytes(), 2 if doc.part == "1" else 4, int(obj[1].get("/N", 0)))
            if fault:
                yield num(obj[1]), fault


def device_of(space, depth=0):
    """The device space below a colour space, if it is one."""
    if isinstance(space, Name):
        return {"/G": "DeviceGray", "/RGB": "DeviceRGB", "/CMYK": "DeviceCMYK"}.get(str(space), str(space)[1:])
    if isinstance(space, Array) and len(space) and depth < 4:
        kind = name(space[0])
        if kind in ("Indexed", "I", "Pattern") and len(space) > 1:
            return device_of(space[1], depth + 1)
        if kind in ("Separation", "DeviceN") and len(space) > 2:
            return device_of(space[2], depth + 1)
        if len(space) == 1:
            return device_of(space[0], depth + 1)
    return None


@rule("6.2.4.3", "6.2.3.3")
def device_colours(doc):
    profile = get(intents(doc)[0], "/DestOutputProfile") if intents(doc) else None
    covered = {"GRAY": ("DeviceGray",), "RGB ": ("DeviceGray", "DeviceRGB"), "CMYK": ("DeviceGray", "DeviceCMYK")}
    space_of = profile.read_bytes()[16:20].decode("latin-1") if isinstance(profile, Stream) else ""
    told = set()
    for space, resources, number in doc.spaces:
        device = device_of(space)
        if device not in ("DeviceGray", "DeviceRGB", "DeviceCMYK") or device in covered.get(space_of, ()):
            continue
        default = get(get(resources, "/ColorSpace"), "/Default" + device[6:])
        if default is None and (device, number) not in told:
            told.add((device, number))
            yield number, "%s without output intent or default for it" % device


@rule("6.2.4.4", None)
def separations_agree(doc):
    seen = {}
    for obj, number in doc.objects:
        if isinstance(obj, Array) and len(obj) == 4 and name(obj[0]) == "Separation":
            looks = (obj[2].unparse(), obj[3].unparse() if not isinstance(obj[3], Stream) else obj[3].read_raw_bytes())
            if seen.setdefault(name(obj[1]), looks) != looks:
                yield number, "separation %s is described in two ways" % name(obj[1])


def states(doc):
    for obj, number in doc.dicts():
        table_of = get(obj, "/ExtGState")
        if isinstance(table_of, Dictionary):
            for key in table_of.keys():
                if is_dict(table_of[key]):
                    yield table_of[key], number


@rule("6.2.5", "6.2.8")
def transfer_functions(doc):
    for state, number in states(doc):
        if "/TR" in state:
            yield number, "TR"
        if "/TR2" in state and name(state["/TR2"]) != "Default":
            yield number, "TR2"
        if "/HTP" in state:
            yield number, "HTP"


@rule("6.2.5", None)
def halftones(doc):
    for obj, number in doc.dicts():
        if "/HalftoneType" in obj and (int(obj["/HalftoneType"]) not in (1, 5) or "/HalftoneName" in obj):
            yield number, "a halftone of type %s or with a name" % obj["/HalftoneType"]


INTENTS = {"RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation"}


@rule("6.2.6", "6.2.9")
def rendering_intents(doc):
    for op, operands, number in doc.operators:
        if op == "ri" and name(operands[0]) not in INTENTS:
            yield number, "intent %s" % operands[0]
    for state, number in states(doc):
        if "/RI" in state and name(state["/RI"]) not in INTENTS:
            yield number, "intent %s" % state["/RI"]
    for stream, number in doc.streams():
        if name(stream.get("/Subtype")) == "Image" and "/Intent" in stream and name(stream["/Intent"]) not in INTENTS:
            yield number, "intent %s" % stream["/Intent"]


def xobjects(doc, kind):
    return [(s, n) for s, n in doc.streams() if name(s.get("/Subtype")) == kind and name(s.get("/Type", Name.XObject)) == "XObject"]


@rule("6.2.8.1", "6.2.4")
def images(doc):
    for image, number in xobjects(doc, "Image"):
        for key in ("/Alternates", "/OPI"):
            if key in image:
                yield number, "image with %s" % key
        if image.get("/Interpolate", False):
            yield number, "image to be interpolated"


@rule("6.2.8.1", "6.2.4")
def inline_images(doc):
    for op, operands, number in doc.operators:
        if op == "INLINE IMAGE" and re.search(rb"/(I|Interpolate)\s+true", operands[0].unparse()[:512]):
            yield number, "inline image to be interpolated"


@rule("6.2.8.3", None)
def jpeg2000(doc):
    for image, number in xobjects(doc, "Image"):
        if "JPXDecode" in names(image.get("/Filter")):
            fault = jpx_fault(image.read_raw_bytes(), "/ColorSpace" in image)
            if fault:
                yield number, fault


def jpx_boxes(data):
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
        size = size or len(data) - at
        if size < head:
            return
        yield kind, data[at + head:at + size]
        at += size


def jpx_fault(data, has_space):
    stream, colours = (data, []) if data[:2] == b"\xff\x4f" else (None, [])
    for kind, body in jpx_boxes(data) if stream is None else ():
        if kind == b"jp2c":
            stream = body
        if kind == b"jp2h":
            colours = [inner for k, inner in jpx_boxes(body) if k == b"colr"]
    if stream is None or stream[:4] != b"\xff\x4f\xff\x51":
        return "no JPEG 2000 codestream"
    count = struct.unpack(">H", stream[40:42])[0]
    depths = {stream[42 + 3 * i] for i in range(count)}
    if count not in (1, 3, 4):
        return "JPEG 2000 of %d channels" % count
    if len(depths) != 1 or (depths.pop() & 127) + 1 > 38:
        return "JPEG 2000 of channels with different or too great depths"
    for colour in colours:
        if colour[0] not in (1, 2, 3):
            return "JPEG 2000 with colour method %d" % colour[0]
        if colour[0] == 1 and struct.unpack(">I", colour[3:7])[0] == 19:
            return "JPEG 2000 in CIEJab"
    if not has_space and len(colours) > 1 and sum(colour[2] == 1 for colour in colours) != 1:
        return "JPEG 2000 with several colour spaces, not just one of them exact"
    return None


@rule("6.2.9.1", "6.2.5")
def forms(doc):
    for form, number in xobjects(doc, "Form"):
        for key in ("/OPI", "/PS", "/Ref") if doc.part == "1" else ("/OPI", "/PS"):
            if key in form:
                yield number, "form with %s" % key
        if name(form.get("/Subtype2")) == "PS":
            yield number, "form with PostScript"


@rule("6.2.9.2", "6.2.6")
def reference_forms(doc):
    for form, number in xobjects(doc, "Form"):
        if "/Ref" in form:
            yield number, "a form of another file"


@rule("6.2.9.3", "6.2.7")
def postscript(doc):
    for stream, number in doc.streams():
        if name(stream.get("/Subtype")) == "PS":
            yield number, "a PostScript XObject"


BLENDS = set("""Normal Compatible Multiply Screen Overlay Darken Lighten ColorDodge ColorBurn HardLight SoftLight Difference Exclusion
Hue Saturation Color Luminosity""".split())


@rule("6.2.10", None)
def blend_modes(doc):
    for state, number in states(doc):
        for mode in names(state.get("/BM")):
            if mode not in BLENDS:
                yield number, "blend mode %s" % mode


@rule("6.2.10", None)
def blending_space(doc):
    """Without an output intent, a page with transparency tells its blending space."""
    clear = [n for s, n in states(doc) if name(s.get("/SMask", Name("/None"))) != "None" or float(s.get("/ca", 1)) < 1
             or float(s.get("/CA", 1)) < 1 or any(m != "Normal" for m in names(s.get("/BM")))]
    clear += [n for s, n in xobjects(doc, "Image") if "/SMask" in s]
    if clear and not intents(doc):
        for page in doc.pdf.pages:
            if get(get(page.obj, "/Group"), "/CS") is None:
                yield num(page.obj), "transparency without output intent or blending space"


@rule(None, "6.4")
def no_transparency(doc):
    for state, number in states(doc):
        if "/SMask" in state and name(state["/SMask"]) != "None":
            yield number, "a soft mask"
        if float(state.get("/ca", 1)) != 1 or float(state.get("/CA", 1)) != 1:
            yield number, "opacity below 1"
        if any(mode not in ("Normal", "Compatible") for mode in names(state.get("/BM"))):
            yield number, "blend mode %s" % state["/BM"]
    for image, number in xobjects(doc, "Image"):
        if "/SMask" in image and name(image["/SMask"]) != "None":
            yield number, "an image with a soft mask"
    for obj, number in doc.dicts():
        if name(get(get(obj, "/Group"), "/S")) == "Transparency":
            yield number, "a transparency group"


# ---- 6.2.11 fonts ----

def descendant(font):
    below = get(font, "/DescendantFonts")
    return below[0] if isinstance(below, Array) and len(below) else font


def program_of(font):
    """(key, stream) of the embedded program."""
    descriptor = get(descendant(font), "/FontDescriptor")
    for key in ("/FontFile", "/FontFile2", "/FontFile3"):
        if isinstance(get(descriptor, key), Stream):
            return key, descriptor[key]
    return None, None


def seen_fonts(doc):
    for used in doc.fonts.values():
        if used.codes and name(get(used.font, "/Subtype")) != "Type3":
            yield used, num(used.font), name(get(used.font, "/BaseFont"))


def all_fonts(doc):
    for used in doc.fonts.values():
        yield used.font, num(used.font)


@rule("6.2.11.2", "6.3.2")
def font_dictionaries(doc):
    kinds = {"Type0", "Type1", "MMType1", "TrueType", "Type3", "CIDFontType0", "CIDFontType2"}
    for font, number in all_fonts(doc):
        for one in {num(font): font, num(descendant(font)): descendant(font)}.values():
            if name(get(one, "/Type")) != "Font" or name(get(one, "/Subtype")) not in kinds:
                yield number, "not a font dictionary"
            elif "/BaseFont" not in one and name(one["/Subtype"]) != "Type3":
                yield number, "a font without name"
        if name(get(font, "/Subtype")) in ("Type1", "TrueType", "MMType1") and program_of(font)[0]:
            widths = get(font, "/Widths")
            if not isinstance(widths, Array) or len(widths) != int(get(font, "/LastChar", -1)) - int(get(font, "/FirstChar", 0)) + 1:
                yield number, "Widths do not count from FirstChar to LastChar"


@rule("6.2.11.3.1", "6.3.3.1")
def cid_systems(doc):
    for font, number in all_fonts(doc):
        encoding = get(font, "/Encoding")
        if name(get(font, "/Subtype")) != "Type0" or not isinstance(encoding, Stream):
            continue
        ours, theirs = get(descendant(font), "/CIDSystemInfo"), get(encoding, "/CIDSystemInfo")
        if any(str(get(ours, key)) != str(get(theirs, key)) for key in ("/Registry", "/Ordering")):
            yield number, "the CMap is for another collection than the font"


@rule("6.2.11.3.2", "6.3.3.2")
def glyph_maps(doc):
    for font, number in all_fonts(doc):
        below = descendant(font)
        if name(get(below, "/Subtype")) == "CIDFontType2" and program_of(font)[0]:
            mapping = get(below, "/CIDToGIDMap")
            if not isinstance(mapping, Stream) and name(mapping) != "Identity":
                yield number, "no CIDToGIDMap"


@rule("6.2.11.3.3", "6.3.3.3")
def cmaps(doc):
    known = re.compile(r"Identity-[HV]|(GB|B5|HK|ETen|CNS|Uni|8|9|Ext|EUC|H$|V$|KSC|ETenms|Adobe)[A-Za-z0-9-]*|[HV]")
    for font, number in all_fonts(doc):
        encoding = get(font, "/Encoding")
        if name(get(font, "/Subtype")) == "Type0" and isinstance(encoding, Name) and not known.fullmatch(name(encoding)):
            yield number, "CMap %s is neither known nor embedded" % name(encoding)


@rule("6.2.11.4.1", "6.3.4")
def embedded(doc):
    for used, number, label in seen_fonts(doc):
        if program_of(used.font)[0] is None:
            yield number, "font %s is not embedded" % label


@rule("6.2.11.4.1", "6.3.4")
def programs_fit(doc):
    fits = {"/FontFile": ("Type1", "MMType1"), "/FontFile2": ("TrueType", "CIDFontType2")}
    cff = {"Type1C": ("Type1", "MMType1"), "CIDFontType0C": ("CIDFontType0",),
           "OpenType": ("Type1", "TrueType", "CIDFontType0", "CIDFontType2")}
    for font, number in all_fonts(doc):
        key, stream = program_of(font)
        if key is None:
            continue
        kind = name(get(descendant(font), "/Subtype"))
        sort = name(stream.get("/Subtype")) if key == "/FontFile3" else key
        if kind not in (cff.get(sort, ()) if key == "/FontFile3" else fits[key]):
            yield number, "a %s font with a program in %s %s" % (kind, key, sort if key == "/FontFile3" else "")


def load(doc, font):
    """(advance by glyph number, glyph number by code) of the program: both may raise."""
    key, stream = program_of(font)
    data = stream.read_bytes()
    if key == "/FontFile2":
        return TrueType(data, font)
    if key == "/FontFile3" and name(stream.get("/Subtype")) != "OpenType":
        return Cff(data, font)
    return None


class TrueType:
    def __init__(self, data, font):
        self.ttf = TTFont(io.BytesIO(data), lazy=True, fontNumber=0)
        self.order = self.ttf["maxp"].numGlyphs
        self.em = self.ttf["head"].unitsPerEm
        self.metrics = self._metrics()
        self.font = font

    def _metrics(self):
        count, data = self.ttf["hhea"].numberOfHMetrics, self.ttf.reader["hmtx"]
        return struct.unpack(">%dH" % (2 * count), data[:4 * count])[::2]

    def width(self, glyph):
        return self.metrics[min(glyph, len(self.metrics) - 1)] * 1000 / self.em

    def glyph(self, code):
        below = descendant(self.font)
        if below is not self.font and "/DescendantFonts" in self.font:
            mapping = get(below, "/CIDToGIDMap")
            if isinstance(mapping, Stream):
                table_of = mapping.read_bytes()
                return struct.unpack(">H", table_of[2 * code:2 * code + 2])[0] if 2 * code + 2 <= len(table_of) else 0
            return code
        return self._simple(code)

    def _simple(self, code):
        tables = {(t.platformID, t.platEncID): t.cmap for t in self.ttf["cmap"].tables} if "cmap" in self.ttf else {}
        symbolic = int(get(get(self.font, "/FontDescriptor"), "/Flags", 0)) & 4
        if symbolic or "/Encoding" not in self.font:
            candidates = [(3, 0, code), (3, 0, 0xf000 + code), (1, 0, code)]
        else:
            letter = bytes([code]).decode("cp1252" if "WinAnsi" in str(encoding_base(self.font)) else "mac_roman", "replace")
            candidates = [(3, 1, ord(letter)), (1, 0, code), (3, 0, 0xf000 + code)]
        for platform, encoding, at in candidates:
            if at in tables.get((platform, encoding), {}):
                return self.ttf.getGlyphID(tables[(platform, encoding)][at])
        return 0


def encoding_base(font):
    encoding = get(font, "/Encoding")
    return encoding if isinstance(encoding, Name) else get(encoding, "/BaseEncoding")


class Cff:
    def __init__(self, data, font):
        fonts = CFFFontSet()
        fonts.decompile(io.BytesIO(data), None)
        self.top, self.font = fonts[0], font
        self.top.rawDict.setdefault("charset", 0)  # ISOAdobe, which fontTools does not take for granted
        self.em = 1 / (getattr(self.top, "FontMatrix", None) or [0.001])[0]
        self.charset = self.top.charset
        self.order = len(self.charset)

    def width(self, glyph):
        charstring = self.top.CharStrings.charStringsIndex[glyph]
        charstring.draw(NullPen())
        return charstring.width * 1000 / self.em

    def glyph(self, code):
        if "/DescendantFonts" in self.font:
            if hasattr(self.top, "ROS"):
                label = "cid%05d" % code
                return self.charset.index(label) if label in self.charset else 0
            return code
        label = self._label(code)
        return self.charset.index(label) if label in self.charset else 0

    def _label(self, code):
        from fontTools.agl import UV2AGL
        from fontTools.encodings.StandardEncoding import StandardEncoding
        encoding = get(self.font, "/Encoding")
        label = None
        if encoding_base(self.font) is not None:
            kind = "cp1252" if "WinAnsi" in str(encoding_base(self.font)) else "mac_roman"
            label = UV2AGL.get(ord(bytes([code]).decode(kind, "replace")))
        elif isinstance(getattr(self.top, "Encoding", None), list):
            label = self.top.Encoding[code]
        else:
            label = StandardEncoding[code]
        at = 0
        for item in get(encoding, "/Differences", []) if is_dict(encoding) else []:
            if isinstance(item, Name):
                label = name(item) if at == code else label
                at += 1
            else:
                at = int(item)
        return label


def said_width(font, code):
    below = descendant(font)
    if "/DescendantFonts" not in font:
        first, widths = int(font.get("/FirstChar", 0)), font.get("/Widths", [])
        if first <= code < first + len(widths):
            return float(widths[code - first])
        return float(get(get(font, "/FontDescriptor"), "/MissingWidth", 0))
    width, items, i = float(below.get("/DW", 1000)), list(below.get("/W", [])), 0
    while i + 1 < len(items):
        first = int(items[i])
        if isinstance(items[i + 1], Array):
            if first <= code < first + len(items[i + 1]):
                return float(items[i + 1][code - first])
            i += 2
        else:
            if first <= code <= int(items[i + 1]):
                return float(items[i + 2])
            i += 3
    return width


def programs(doc):
    """Fonts in use with programs that can be looked into; what can't is program_sound()'s."""
    for used, number, label in seen_fonts(doc):
        encoding = get(used.font, "/Encoding")
        if "/DescendantFonts" in used.font and name(encoding) not in ("Identity-H", "Identity-V"):
            continue
        try:
            loaded = load(doc, used.font) if program_of(used.font)[0] else None
        except Exception:
            continue
        if loaded:
            yield used, number, label, loaded


@rule("6.2.11.4.1", "6.3.4")
def program_sound(doc):
    for font, number in all_fonts(doc):
        if program_of(font)[0]:
            try:
                loaded = load(doc, font)
                if loaded:
                    loaded.width(min(1, loaded.order - 1))
            except Exception as error:  # fontTools raises whatever comes
                yield number, "the font program can't be read: %s: %s" % (type(error).__name__, error)


@rule("6.2.11.4.2", None)
def glyph_lists(doc):
    for font, number in all_fonts(doc):
        listed = get(get(descendant(font), "/FontDescriptor"), "/CIDSet")
        if isinstance(listed, Stream) and program_of(font)[0] == "/FontFile2":
            bits = listed.read_bytes()
            count = load(doc, font).order
            if any(not (bits[i // 8:i // 8 + 1] or b"\0")[0] >> (7 - i % 8) & 1 for i in range(count)) and \
                    name(get(descendant(font), "/CIDToGIDMap")) == "Identity":
                yield number, "CIDSet does not list all glyphs of the program"


@rule(None, "6.3.5")
def subsets_list_glyphs(doc):
    for used, number, label in seen_fonts(doc):
        if re.match(r"[A-Z]{6}\+", label):
            descriptor = get(descendant(used.font), "/FontDescriptor")
            key = "/CIDSet" if "/DescendantFonts" in used.font else "/CharSet"
            if name(get(used.font, "/Subtype")) != "TrueType" and key not in descriptor:
                yield number, "subset %s has no %s" % (label, key)


@rule("6.2.11.5", "6.3.6")
def widths_agree(doc):
    for used, number, label, loaded in programs(doc):
        for code in sorted(used.codes):
            glyph = loaded.glyph(code)
            if not 0 < glyph < loaded.order:
                continue
            real, said = loaded.width(glyph), said_width(used.font, code)
            if abs(real - said) > 1.01:
                yield number, "font %s: code %d is %g wide, its program says %.1f" % (label, code, said, real)
                break


@rule("6.2.11.6", "6.3.7")
def truetype_encodings(doc):
    for used, number, label in seen_fonts(doc):
        if name(get(used.font, "/Subtype")) != "TrueType":
            continue
        symbolic = int(get(get(used.font, "/FontDescriptor"), "/Flags", 0)) & 4
        if symbolic and "/Encoding" in used.font:
            yield number, "symbolic font %s has an encoding" % label
        if not symbolic and name(encoding_base(used.font)) not in ("WinAnsiEncoding", "MacRomanEncoding"):
            yield number, "font %s, not symbolic, has neither WinAnsi nor MacRoman encoding" % label


@rule("6.2.11.7.2", None)
def unicode_maps(doc):
    """Not asked of level b, but one that is there must not mean U+0000, U+FEFF or U+FFFE."""
    for font, number in all_fonts(doc):
        stream = get(font, "/ToUnicode")
        if isinstance(stream, Stream):
            text = stream.read_bytes()
            for block in re.findall(rb"beginbfchar(.*?)endbfchar", text, re.S):
                for _, meaning in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
                    if meaning.lower() in (b"0000", b"feff", b"fffe"):
                        yield number, "ToUnicode means U+%s" % meaning.decode()
            if b"begincodespacerange" not in text:
                yield number, "ToUnicode is no CMap"


@rule("6.2.11.8", None)
def glyphs_there(doc):
    for used, number, label, loaded in programs(doc):
        for code in sorted(used.codes):
            glyph = loaded.glyph(code)
            if not 0 < glyph < loaded.order:
                yield number, "font %s has no glyph for code %d, which is shown" % (label, code)
                break


# ---- 6.3 annotations, 6.4 forms, 6.5 actions ----

ANNOTATIONS_1 = set("Text Link FreeText Line Square Circle Highlight Underline Squiggly StrikeOut Stamp Ink Popup Widget PrinterMark TrapNet".split())
ANNOTATIONS_2 = ANNOTATIONS_1 | set("Polygon PolyLine Caret FileAttachment Watermark Redact".split())


@rule("6.3.1", "6.5.2")
def annotation_kinds(doc):
    for annot in doc.annotations():
        if name(annot.get("/Subtype")) not in (ANNOTATIONS_1 if doc.part == "1" else ANNOTATIONS_2):
            yield num(annot), "annotation %s" % annot.get("/Subtype")


@rule("6.3.2", "6.5.3")
def annotation_flags(doc):
    for annot in doc.annotations():
        flags = int(annot.get("/F", 0))
        if name(annot.get("/Subtype")) == "Popup" and doc.part != "1":
            continue
        if "/F" not in annot or not flags & 4 or flags & (1 | 2 | 32 | (256 if doc.part != "1" else 0)):
            yield num(annot), "flags %d: not printed, or hidden" % flags


@rule(None, "6.5.3")
def annotation_opacity(doc):
    for annot in doc.annotations():
        if float(annot.get("/CA", 1)) != 1:
            yield num(annot), "CA %s" % annot["/CA"]


@rule("6.3.3", "6.5.3")
def appearances(doc):
    for annot in doc.annotations():
        kind, looks = name(annot.get("/Subtype")), annot.get("/AP")
        box = [float(x) for x in annot.get("/Rect", [0, 0, 0, 0])]
        if looks is None:
            if doc.part != "1" and kind not in ("Popup", "Link") and (box[0] != box[2] or box[1] != box[3]):
                yield num(annot), "%s without appearance" % kind
            continue
        if set(looks.keys()) != {"/N"}:
            yield num(annot), "appearances %s" % sorted(looks.keys())
            continue
        field = annot
        while "/FT" not in field and is_dict(get(field, "/Parent")):
            field = field["/Parent"]
        button = kind == "Widget" and name(field.get("/FT")) == "Btn"
        if button == isinstance(looks["/N"], Stream):
            yield num(annot), "appearance of %s is %s" % (kind, "one stream" if button else "not one stream")


@rule("6.4.1", "6.9")
def form_appearances(doc):
    if get(get(doc.root, "/AcroForm"), "/NeedAppearances", False):
        yield "AcroForm", "NeedAppearances"


@rule("6.4.2", None)
def no_xfa(doc):
    if "/XFA" in get(doc.root, "/AcroForm", {}):
        yield "AcroForm", "XFA"
    if get(doc.root, "/NeedsRendering", False):
        yield "catalog", "NeedsRendering"


ACTIONS = set("GoTo GoToR Thread URI Named SubmitForm".split())


@rule("6.5.1", "6.6.1")
def actions(doc):
    for obj, number in doc.dicts():
        for key in ("/A", "/OpenAction", "/Next", "/PA"):
            value = get(obj, key)
            for action in value if isinstance(value, Array) else [value]:
                kind = name(get(action, "/S")) if isinstance(action, Dictionary) else ""
                if kind and kind not in ACTIONS | ({"GoToE"} if doc.part != "1" else set()):
                    yield number, "action %s" % kind
                if kind == "Named" and name(get(action, "/N")) not in ("NextPage", "PrevPage", "FirstPage", "LastPage"):
                    yield number, "named action %s" % get(action, "/N")
    if "/JavaScript" in get(doc.root, "/Names", {}):
        yield "catalog", "a tree of JavaScript"


@rule("6.5.2", "6.6.2")
def triggers(doc):
    for obj, number in [(doc.root, "catalog")] + [(p.obj, num(p.obj)) for p in doc.pdf.pages]:
        if "/AA" in obj:
            yield number, "additional actions"
    for obj, number in doc.dicts():
        if "/AA" in obj and ("/FT" in obj or name(obj.get("/Type")) == "Annot" or "/Rect" in obj):
            yield number, "additional actions"


# ---- 6.6 metadata ----

@rule("6.6.2.1", "6.7.2")
def metadata_there(doc):
    stream = get(doc.root, "/Metadata")
    if not isinstance(stream, Stream) or doc.xmp_error:
        yield "catalog", "metadata can't be read: %s" % (doc.xmp_error or "there are none")
    elif name(stream.get("/Type")) != "Metadata" or name(stream.get("/Subtype")) != "XML":
        yield num(stream), "metadata of another type"


@rule("6.6.2.1", "6.7.2")
def metadata_plain(doc):
    stream = get(doc.root, "/Metadata")
    if isinstance(stream, Stream) and "/Filter" in stream and doc.part == "1":
        yield num(stream), "metadata are filtered"
    if isinstance(stream, Stream) and re.search(rb"<\?xpacket begin=[^>]*(bytes|encoding)=", stream.read_bytes()):
        yield num(stream), "the packet's header has bytes or encoding"


@rule("6.6.2.3.1", "6.7.8")
def metadata_schemas(doc):
    known = ("http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/pdf/1.3/",
             "http://www.aiim.org/pdfa/ns/id/", "http://ns.adobe.com/xap/1.0/mm/", "http://ns.adobe.com/xap/1.0/rights/")
    if doc.xmp is None or b"pdfaExtension" in doc.root.Metadata.read_bytes():
        return
    for node in doc.xmp.iter(RDF + "Description"):
        for tag in [child.tag for child in node] + list(node.attrib):
            space = re.match(r"{([^}]*)}", tag)
            if space and space[1] not in known and space[1] != RDF[1:-1]:
                yield num(doc.root.Metadata), "property %s of a schema that is not described" % tag


INFO = {"/Title": "{http://purl.org/dc/elements/1.1/}title", "/Author": "{http://purl.org/dc/elements/1.1/}creator",
        "/Subject": "{http://purl.org/dc/elements/1.1/}description", "/Keywords": "{http://ns.adobe.com/pdf/1.3/}Keywords",
        "/Creator": "{http://ns.adobe.com/xap/1.0/}CreatorTool", "/Producer": "{http://ns.adobe.com/pdf/1.3/}Producer"}


@rule("6.6.3", "6.7.3")
def info_agrees(doc):
    info = doc.pdf.trailer.get("/Info")
    for key, tag in INFO.items():
        if is_dict(info) and key in info and doc.xmp_text(tag) != str(info[key]).strip():
            yield "Info", "%s differs from the metadata" % key


@rule("6.6.4", "6.7.11")
def claim(doc):
    if doc.part not in ("1", "2") or doc.conformance not in ("A", "B", "U") or (doc.part == "1" and doc.conformance == "U"):
        yield "metadata", "part %s, conformance %s" % (doc.part, doc.conformance)


# ---- 6.8 to 6.11 ----

@rule("6.8", "6.1.11")
def embedded_files(doc):
    for obj, number in doc.dicts():
        if "/EF" in obj:
            if doc.part == "1":
                yield number, "an embedded file"
                continue
            for key in obj["/EF"].keys():
                if not re.search(rb"pdfaid:part", obj["/EF"][key].read_bytes()):
                    yield number, "an embedded file that is no PDF/A"
    if doc.part == "1" and "/EmbeddedFiles" in get(doc.root, "/Names", {}):
        yield "catalog", "embedded files"


@rule("6.9", None)
def optional_content(doc):
    layers = get(doc.root, "/OCProperties")
    if layers is None:
        return
    labels = []
    groups = [group.objgen for group in layers.get("/OCGs", [])]
    for config in [layers.get("/D")] + list(layers.get("/Configs", [])):
        labels.append(str(get(config, "/Name", "")))
        if not labels[-1]:
            yield "OCProperties", "a configuration without name"
        if "/AS" in config:
            yield "OCProperties", "AS"
        if "/Order" in config:
            listed, todo = set(), list(config["/Order"])
            while todo:
                item = todo.pop()
                todo += list(item) if isinstance(item, Array) else []
                if is_dict(item):
                    listed.add(item.objgen)
            if set(groups) - listed:
                yield "OCProperties", "Order leaves groups out"
    if len(set(labels)) != len(labels):
        yield "OCProperties", "two configurations of one name"


@rule(None, "6.1.13")
def no_optional_content(doc):
    if "/OCProperties" in doc.root:
        yield "catalog", "optional content"


@rule("6.10", None)
def alternate_presentations(doc):
    if "/AlternatePresentations" in get(doc.root, "/Names", {}):
        yield "catalog", "alternate presentations"
    for page in doc.pdf.pages:
        if "/PresSteps" in page.obj:
            yield num(page.obj), "PresSteps"


@rule("6.11", None)
def requirements(doc):
    if "/Requirements" in doc.root:
        yield "catalog", "document requirements"


# ---- the program ----

def lint(path):
    """(claimed part and conformance, violations) of a file."""
    try:
        doc = Doc(path)
    except Exception as error:  # whatever a broken file makes pikepdf say
        return None, [("6.1.1", "-", "the file can't be read: %s" % error)]
    said = []
    for clause2, clause1, function in RULES:
        clause = clause1 if doc.part == "1" else clause2
        if clause is None:
            continue
        try:
            said += [(clause, where, what) for where, what in function(doc)]
        except Exception as error:  # a file so odd that a rule stumbles keeps it not
            said.append((clause, "-", "%s: %s: %s" % (function.__name__, type(error).__name__, error)))
    return (doc.part or "") + (doc.conformance or "").lower(), said


def main(arguments):
    as_json = "--json" in arguments
    paths = [a for a in arguments if a != "--json"]
    if not paths or any(a.startswith("-") for a in paths):
        print(__doc__, file=sys.stderr)
        return 2
    report, bad = [], False
    for path in paths:
        claimed, said = lint(path)
        bad = bad or bool(said)
        report.append({"file": path, "claims": claimed, "violations": [dict(zip(("clause", "object", "what"), v)) for v in said]})
        for clause, where, what in said if not as_json else ():
            print("%s: %s: object %s: %s" % (path, clause, where, what))
    if as_json:
        print(json.dumps({"rules": len(RULES), "files": report}, ensure_ascii=False))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
