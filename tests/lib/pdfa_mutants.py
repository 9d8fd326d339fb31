#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""pdfa_mutants.py SCAN DIGITAL: breaks good files (PDF/A-2b, one with a scan and a read layer, one with an embedded font of its
own that shows text) in one way each, and sees that pdfa_lint.py names the clause. Prints what it missed."""
import os
import re
import sys
import tempfile

import pikepdf
from pikepdf import Array, Dictionary, Name, String

sys.path.insert(0, os.path.dirname(__file__))
import pdfa_lint  # noqa: E402

MUTANTS = []


def mutant(clause, digital=False):
    def put(function):
        MUTANTS.append((clause, digital, function))
        return function
    return put


def image(pdf):
    return next(obj for obj in pdf.objects if isinstance(obj, pikepdf.Stream) and obj.get("/Subtype") == Name.Image)


def font(pdf):
    return next(obj for obj in pdf.objects if isinstance(obj, Dictionary) and obj.get("/Type") == Name.Font and "/Widths" in obj)


def page(pdf):
    return pdf.pages[0].obj


def annotate(pdf, **entries):
    look = pdf.make_stream(b"", Subtype=Name.Form, BBox=[0, 0, 9, 9], Resources=Dictionary())
    good = dict(Type=Name.Annot, Subtype=Name.Stamp, Rect=[0, 0, 9, 9], F=4, AP=Dictionary(N=look))
    good.update(entries)
    page(pdf).Annots = Array([pdf.make_indirect(Dictionary({"/" + k: v for k, v in good.items() if v is not None}))])


def state(pdf, **entries):
    page(pdf).Resources.ExtGState = Dictionary(G9=Dictionary(**entries))


def contents(pdf, more):
    page(pdf).Contents = Array([pdf.make_stream(more)] + (list(page(pdf).Contents) if isinstance(page(pdf).Contents, Array) else [page(pdf).Contents]))


def xmp(pdf, old, new):
    data = pdf.Root.Metadata.read_bytes()
    assert old in data, old
    pdf.Root.Metadata.write(data.replace(old, new))


mutant("6.2.8.1")(lambda pdf: image(pdf).__setitem__("/Interpolate", True))
mutant("6.2.8.1")(lambda pdf: image(pdf).__setitem__("/Alternates", Array([])))
mutant("6.2.6")(lambda pdf: image(pdf).__setitem__("/Intent", Name.Odd))
mutant("6.1.7.1")(lambda pdf: image(pdf).__setitem__("/F", String("elsewhere.jpg")))
mutant("6.2.4.3")(lambda pdf: image(pdf).__setitem__("/ColorSpace", Name.DeviceCMYK))
mutant("6.2.4.3")(lambda pdf: contents(pdf, b"0 0 0 1 k"))
mutant("6.2.4.3")(lambda pdf: pdf.Root.__delitem__("/OutputIntents"))
mutant("6.2.4.2")(lambda pdf: image(pdf).__setitem__("/ColorSpace", Array([Name.ICCBased, pdf.make_stream(b"no profile", N=1)])))
mutant("6.2.4.4")(lambda pdf: page(pdf).Resources.__setitem__("/ColorSpace", Dictionary(
    A=Array([Name.Separation, Name.Spot, Name.DeviceGray, Dictionary(FunctionType=2, Domain=[0, 1], N=1)]),
    B=Array([Name.Separation, Name.Spot, Name.DeviceRGB, Dictionary(FunctionType=2, Domain=[0, 1], N=1)]))))
mutant("6.2.3")(lambda pdf: pdf.Root.OutputIntents[0].DestOutputProfile.write(b"junk" * 50))
mutant("6.2.3")(lambda pdf: pdf.Root.OutputIntents[0].__delitem__("/DestOutputProfile"))
mutant("6.2.2")(lambda pdf: contents(pdf, b"1 2 3 nonsense"))
mutant("6.2.2")(lambda pdf: page(pdf).__delitem__("/Resources"))
mutant("6.2.5")(lambda pdf: state(pdf, TR=Name.Identity))
mutant("6.2.5")(lambda pdf: state(pdf, HTP=Array([0, 0])))
mutant("6.2.5")(lambda pdf: state(pdf, HT=Dictionary(HalftoneType=6)))
mutant("6.2.6")(lambda pdf: contents(pdf, b"/Odd ri"))
mutant("6.2.10")(lambda pdf: state(pdf, BM=Name.Strange))
mutant("6.2.9.3")(lambda pdf: page(pdf).Resources.XObject.__setitem__("/PS9", pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.PS)))
mutant("6.2.9.1")(lambda pdf: page(pdf).Resources.XObject.__setitem__("/F9", pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 1, 1], OPI=Dictionary())))
mutant("6.2.9.2")(lambda pdf: page(pdf).Resources.XObject.__setitem__("/F9", pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 1, 1], Ref=Dictionary())))
mutant("6.1.13")(lambda pdf: contents(pdf, b"q " * 29 + b"Q " * 29))
mutant("6.1.13")(lambda pdf: page(pdf).__setitem__("/PieceInfo", Dictionary({"/" + "N" * 128: 1})))
mutant("6.1.13")(lambda pdf: page(pdf).__setitem__("/PieceInfo", Dictionary(A=String("x" * 32768))))
mutant("6.1.13")(lambda pdf: page(pdf).__setitem__("/PieceInfo", Dictionary(A=2**31)))
mutant("6.1.13")(lambda pdf: page(pdf).__setitem__("/MediaBox", Array([0, 0, 2, 842])))
mutant("6.3.1")(lambda pdf: annotate(pdf, Subtype=Name.Movie))
mutant("6.3.2")(lambda pdf: annotate(pdf, F=0))
mutant("6.3.2")(lambda pdf: annotate(pdf, F=4 | 2))
mutant("6.3.2")(lambda pdf: annotate(pdf, F=None))
mutant("6.3.3")(lambda pdf: annotate(pdf, AP=None))
mutant("6.3.3")(lambda pdf: annotate(pdf, AP=Dictionary(N=pdf.make_stream(b""), D=pdf.make_stream(b""))))
mutant("6.3.3")(lambda pdf: annotate(pdf, AP=Dictionary(N=Dictionary(On=pdf.make_stream(b"")))))
mutant("6.5.1")(lambda pdf: annotate(pdf, A=Dictionary(S=Name.Launch)))
mutant("6.5.1")(lambda pdf: pdf.Root.__setitem__("/OpenAction", Dictionary(S=Name.JavaScript, JS=String("1"))))
mutant("6.5.1")(lambda pdf: annotate(pdf, A=Dictionary(S=Name.Named, N=Name.Print)))
mutant("6.5.2")(lambda pdf: page(pdf).__setitem__("/AA", Dictionary()))
mutant("6.5.2")(lambda pdf: annotate(pdf, AA=Dictionary()))
mutant("6.4.1")(lambda pdf: pdf.Root.__setitem__("/AcroForm", Dictionary(Fields=Array([]), NeedAppearances=True)))
mutant("6.4.2")(lambda pdf: pdf.Root.__setitem__("/AcroForm", Dictionary(Fields=Array([]), XFA=Array([]))))
mutant("6.8")(lambda pdf: pdf.Root.__setitem__("/Names", Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("a"), Dictionary(EF=Dictionary(F=pdf.make_stream(b"x")))])))))
mutant("6.9")(lambda pdf: pdf.Root.__setitem__("/OCProperties", Dictionary(OCGs=Array([]), D=Dictionary())))
mutant("6.9")(lambda pdf: pdf.Root.__setitem__("/OCProperties", Dictionary(OCGs=Array([]), D=Dictionary(Name=String("a"), AS=Array([])))))
mutant("6.10")(lambda pdf: page(pdf).__setitem__("/PresSteps", Dictionary()))
mutant("6.11")(lambda pdf: pdf.Root.__setitem__("/Requirements", Array([])))
mutant("6.1.12")(lambda pdf: pdf.Root.__setitem__("/Perms", Dictionary(Other=1)))
mutant("6.6.2.1")(lambda pdf: pdf.Root.__delitem__("/Metadata"))
mutant("6.6.2.1")(lambda pdf: xmp(pdf, b"</rdf:RDF>", b""))
mutant("6.6.2.3.1")(lambda pdf: xmp(pdf, b"<pdf:Producer>", b'<x:y xmlns:x="urn:z">1</x:y><pdf:Producer>'))
mutant("6.6.3")(lambda pdf: pdf.trailer.__setitem__("/Info", Dictionary(Producer=String("another"))))
mutant("6.6.4")(lambda pdf: xmp(pdf, b"<pdfaid:part>2", b"<pdfaid:part>9"))
mutant("6.6.4")(lambda pdf: xmp(pdf, b"conformance>B", b"conformance>Z"))
mutant("6.2.11.4.1", True)(lambda pdf: font(pdf).FontDescriptor.__delitem__("/FontFile2"))
mutant("6.2.11.4.1", True)(lambda pdf: font(pdf).FontDescriptor.FontFile2.write(b"no font"))
mutant("6.2.11.4.1", True)(lambda pdf: font(pdf).__setitem__("/Subtype", Name.Type1))
mutant("6.2.11.5", True)(lambda pdf: font(pdf).__setitem__("/Widths", Array([400] * 95)))
mutant("6.2.11.2", True)(lambda pdf: font(pdf).__setitem__("/Widths", Array([400] * 9)))
mutant("6.2.11.6", True)(lambda pdf: font(pdf).__delitem__("/Encoding"))
mutant("6.2.11.6", True)(lambda pdf: font(pdf).FontDescriptor.__setitem__("/Flags", 4))
mutant("6.2.11.8", True)(lambda pdf: contents(pdf, b"BT /F1 9 Tf 9 9 Td (\x07) Tj ET"))
mutant("6.2.11.7.2", True)(lambda pdf: font(pdf).__setitem__("/ToUnicode", pdf.make_stream(
    b"1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <41> <0000> endbfchar")))
mutant("6.2.11.3.2")(lambda pdf: next(o for o in pdf.objects if isinstance(o, Dictionary) and "/CIDToGIDMap" in o).__delitem__("/CIDToGIDMap"))

# Of the bytes, after writing.
BYTES = [
    ("6.1.2", lambda raw: b"\n" + raw),
    ("6.1.2", lambda raw: raw.replace(b"%PDF-1.", b"%PDF-9.", 1)),
    ("6.1.2", lambda raw: re.sub(rb"\A(%PDF-1\.\d\n)%[^\n]*", rb"\1%abcd", raw)),
    ("6.1.3", lambda raw: raw + b"more"),
    ("6.1.3", lambda raw: re.sub(rb"/ID\s*\[[^\]]*\]", lambda m: b" " * len(m[0]), raw)),
    ("6.1.4", lambda raw: raw.replace(b"xref\n0 ", b"xref 0 ", 1) if b"\nxref\n0 " in raw else raw),
    ("6.1.7.1", lambda raw: raw.replace(b"\nendstream", b" endstream", 1)),
    ("6.1.6", lambda raw: re.sub(rb"/ID\s*\[[^\]]*\]", b"/ID[<abc><abcd>]", raw)),  # it may be a literal string by chance
    ("6.1.9", lambda raw: raw.replace(b"1 0 obj\n", b"1 0 obj ", 1)),
]


def encrypted(path, target):
    with pikepdf.open(path) as pdf:
        pdf.save(target, encryption=pikepdf.Encryption(owner="a", user="", R=4))


def judge(path, clause, what):
    clauses = {said[0] for said in pdfa_lint.lint(path)[1]}
    if clause in clauses:
        return 0
    print("missed: %s: %s: said %s" % (clause, what, sorted(clauses)))
    return 1


def main(scan, digital):
    missed = 0
    with tempfile.TemporaryDirectory(prefix="sohoa-mutants-") as folder:
        target = os.path.join(folder, "mutant.pdf")
        for i, (clause, of_digital, change) in enumerate(MUTANTS):
            with pikepdf.open(digital if of_digital else scan) as pdf:
                change(pdf)
                pdf.save(target, object_stream_mode=pikepdf.ObjectStreamMode.disable, fix_metadata_version=False)
            missed += judge(target, clause, "mutant %d" % i)
        with open(scan, "rb") as file:
            raw = file.read()
        for i, (clause, change) in enumerate(BYTES):
            with open(target, "wb") as file:
                file.write(change(raw))
            missed += judge(target, clause, "bytes %d" % i)
        encrypted(scan, target)
        missed += judge(target, "6.1.3", "encryption")
    print("%d mutants, %d missed" % (len(MUTANTS) + len(BYTES) + 1, missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
