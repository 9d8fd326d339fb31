#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""pdfa_sources.py PICTURE FOLDER: sources of the kinds that PDF/A is hard for, made of a picture with text (A4 at 200 dpi; only its
head, to be read quickly). Those in FOLDER/plain can become PDF/A-1b, those in FOLDER/later only -2b, those in FOLDER/never neither."""
import io
import os
import sys

import pikepdf
from PIL import Image
from pikepdf import Array, Dictionary, Name, String

DPI, HEAD = 200, (0, 0, 1654, 480)
LIBERATION = "/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf"


def coded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def document():
    return pikepdf.new()


def page_of(pdf, contents, resources, width=595, height=842, **more):
    page = Dictionary(Type=Name.Page, MediaBox=[0, 0, width, height], Contents=pdf.make_stream(contents), Resources=resources, **more)
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    return pdf.pages[-1].obj


def scan(pdf, picture, data, filter_name, space, **more):
    image = pdf.make_stream(data, Type=Name.XObject, Subtype=Name.Image, Width=picture.width, Height=picture.height,
                            BitsPerComponent=8, ColorSpace=Name("/" + space), Filter=Name("/" + filter_name), **more)
    width, height = (round(side * 72 / DPI) for side in HEAD[2:])
    return page_of(pdf, b"q %d 0 0 %d 0 0 cm /Im0 Do Q" % (width, height), Dictionary(XObject=Dictionary(Im0=image)), width, height)


def jpeg(pdf, picture, mode, **more):
    space = {"L": "DeviceGray", "RGB": "DeviceRGB", "CMYK": "DeviceCMYK"}[mode]
    return scan(pdf, picture, coded(picture.convert(mode), "JPEG", quality=60), "DCTDecode", space, **more)


def text(pdf, font, contents=b"BT /F1 12 Tf 72 720 Td (Born digital, 2024) Tj ET"):
    return page_of(pdf, contents, Dictionary(Font=Dictionary(F1=pdf.make_indirect(font))))


def embedded_font(pdf):
    from fontTools.ttLib import TTFont
    font = TTFont(LIBERATION)
    cmap, widths, em = font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm
    with open(LIBERATION, "rb") as file:
        program = pdf.make_stream(file.read())
    return Dictionary(
        Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.LiberationSerif, Encoding=Name.WinAnsiEncoding, FirstChar=32, LastChar=126,
        Widths=Array([round(widths[cmap[c]][0] * 1000 / em) for c in range(32, 127)]),
        FontDescriptor=pdf.make_indirect(Dictionary(
            Type=Name.FontDescriptor, FontName=Name.LiberationSerif, Flags=32, FontBBox=[-200, -300, 1200, 1000], ItalicAngle=0,
            Ascent=900, Descent=-200, CapHeight=700, StemV=80, FontFile2=program)))


def stamp(pdf, page, kind, flags=0, **more):
    look = pdf.make_stream(b"1 0 0 rg 0 0 90 30 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 90, 30], Resources=Dictionary())
    return pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), Rect=[40, 40, 130, 70], F=flags,
                                        AP=Dictionary(N=look, D=look), **more))


def annotated(picture):
    pdf = document()
    page = jpeg(pdf, picture, "L", Interpolate=True)
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 50, 50], A=Dictionary(S=Name.Launch, F=String("a.exe")))
    page.Annots = Array([stamp(pdf, page, "Stamp", AA=Dictionary(E=script)), stamp(pdf, page, "FileAttachment"),
                         stamp(pdf, page, "Stamp", 2), pdf.make_indirect(link)])
    page.AA = Dictionary(O=script)
    pdf.Root.OpenAction = script
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])), EmbeddedFiles=Dictionary(Names=Array([
        String("x"), pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String("x"), EF=Dictionary(F=pdf.make_stream(b"x"))))])))
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), NeedAppearances=True, XFA=pdf.make_stream(b"<xfa/>"))
    page.Resources.ExtGState = Dictionary(G0=Dictionary(TR=Name.Identity, RI=Name.Odd, HT=Name.Default))
    pdf.docinfo["/Title"] = "Quyết định <số> 1 & 2"
    pdf.docinfo["/CreationDate"] = "D:20210105081524+07'00'"
    pdf.docinfo["/Custom"] = "x"
    return pdf


def lzw(data):
    """Codes of 9 to 12 bits, the table cleared before it grows beyond 9."""
    bits, codes = "", [256]
    for i, byte in enumerate(data):
        if i and i % 200 == 0:
            codes.append(256)
        codes.append(byte)
    bits = "".join("{:09b}".format(code) for code in codes + [257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def layers(pdf, page):
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("A")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(AS=Array([]), Order=Array([])))


def plain(picture, put):
    pdf = document()
    jpeg(pdf, picture, "L")
    jpeg(pdf, picture, "RGB")
    put("jpeg", pdf)
    put("annotations", annotated(picture))
    pdf = document()
    jpeg(pdf, picture, "CMYK", Decode=Array([1, 0] * 4))
    put("cmyk", pdf)
    pdf = document()
    small = picture.convert("L").resize((picture.width // 4, picture.height // 4))
    scan(pdf, small, lzw(small.tobytes()), "LZWDecode", "DeviceGray")
    put("lzw", pdf)
    pdf = document()
    text(pdf, embedded_font(pdf))
    put("digital", pdf)
    pdf = document()
    page = jpeg(pdf, picture, "L")  # names of resources that are keys elsewhere
    page.Resources.XObject["/A"] = page.Resources.XObject.Im0
    del page.Resources.XObject["/Im0"]
    page.Resources.Font = Dictionary(Next=pdf.make_indirect(embedded_font(pdf)))
    page.Contents = pdf.make_stream(b"q 595 0 0 173 0 0 cm /A Do Q BT /Next 12 Tf 72 9 Td (Seen) Tj ET")
    put("names", pdf)
    pdf = document()
    text(pdf, Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name("/Times New Roman,Bold"), Encoding=Name.WinAnsiEncoding))
    put("times", pdf)
    pdf = document()
    jpeg(pdf, picture, "L")
    put("encrypted", pdf, encryption=pikepdf.Encryption(owner="owner", user="", R=4))


def later(picture, put):
    pdf = document()
    scan(pdf, picture, coded(picture.convert("RGB"), "JPEG2000"), "JPXDecode", "DeviceRGB")
    put("jpx", pdf)
    pdf = document()
    layers(pdf, jpeg(pdf, picture, "L"))
    put("layers", pdf)
    pdf = document()
    page = jpeg(pdf, picture, "L")
    page.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 50, 50], F=4, A=Dictionary(
        S=Name.GoToE, F=String("other.pdf"), D=Array([0, Name.Fit])))])
    put("embedded-target", pdf)
    pdf = document()
    page = jpeg(pdf, picture, "L")
    page.PieceInfo = Dictionary(A=Dictionary(LastModified=String("D:2021"), Private=Array([pikepdf.Object.parse(b"40000.5")])))
    put("great-number", pdf)
    pdf = document()
    page = text(pdf, embedded_font(pdf), b"/G0 gs BT /F1 12 Tf 72 720 Td (Clear) Tj ET")
    page.Resources.ExtGState = Dictionary(G0=Dictionary(ca=0.5, BM=Name.Multiply))
    page.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceCMYK)
    put("clear", pdf)


def never(picture, put):
    pdf = document()
    text(pdf, Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.NobodyKnows, Encoding=Name.WinAnsiEncoding))
    put("unknown-font", pdf)
    pdf = document()
    font = embedded_font(pdf)
    font.Widths = Array([400] * 95)
    text(pdf, font)
    put("wrong-widths", pdf)
    pdf = document()
    text(pdf, embedded_font(pdf), b"BT /F1 12 Tf 72 720 Td (x) Tj ET 1 2 nonsense")
    put("odd-operator", pdf)
    pdf = document()
    page = jpeg(pdf, picture, "L")
    page.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[9, 9, 99, 99], C=[1, 0, 0])])
    put("no-appearance", pdf)


def main(path, folder):
    picture = Image.open(path).convert("RGB").crop(HEAD)
    for make in (plain, later, never):
        target = os.path.join(folder, make.__name__)
        os.makedirs(target, exist_ok=True)
        make(picture, lambda label, pdf, at=target, **how: pdf.save(os.path.join(at, label + ".pdf"), **how))
    picture.convert("1").save(os.path.join(folder, "plain", "g4.tiff"), compression="group4", dpi=(DPI, DPI))


if __name__ == "__main__":
    main(*sys.argv[1:])
