# SPDX-License-Identifier: AGPL-3.0-or-later
"""Born-digital documents whose pages have a proper letterhead: next to no time to read, and every field is found.

A page is text in Courier; letters that ASCII has not get codes of their own, which the PDF says the meaning of.
"""

WIDTH = 600  # of each letter of Courier, in 1/1000 of its size

LETTER = [  # left edge in points, baseline from the top, size, text
    (40, 60, 9, "ỦY BAN NHÂN DÂN"), (270, 60, 9, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
    (60, 73, 9, "{organ}"), (330, 73, 9, "Độc lập - Tự do - Hạnh phúc"),
    (60, 100, 9, "Số: {number}/{notation}"), (300, 100, 9, "Ba Đình, {date}"),
    (60, 125, 11, "{stamp}"), (230, 150, 11, "QUYẾT ĐỊNH"), (130, 170, 10, "Về việc {subject}"),
    (130, 205, 10, "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH"),
    (60, 235, 9, "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19/6/2015;"),
    (60, 250, 9, "Theo đề nghị của Trưởng phòng Tài chính - Kế hoạch,"),
    (230, 280, 10, "QUYẾT ĐỊNH:"), (60, 305, 9, "Điều 1. Phê duyệt kinh phí {number} triệu đồng."),
    (60, 320, 9, "Điều 2. Quyết định này có hiệu lực từ ngày ký."),
    (60, 380, 9, "Nơi nhận:"), (330, 380, 9, "TM. ỦY BAN NHÂN DÂN"), (60, 393, 9, "- Như Điều 2;"), (370, 393, 9, "CHỦ TỊCH"),
    (60, 406, 9, "- Lưu: VT."), (350, 470, 9, "{signer}"),
]


def _codes(texts):
    """A code for each letter: ASCII its own, others from 128 on."""
    odd = sorted({letter for text in texts for letter in text if ord(letter) > 126})
    if len(odd) > 127:
        raise ValueError(f"{len(odd)} letters are too many for one font")
    return {**{chr(code): code for code in range(32, 127)}, **{letter: 128 + i for i, letter in enumerate(odd)}}


def _string(text, codes):
    return "<" + "".join(f"{codes[letter]:02x}" for letter in text) + ">"


def _to_unicode(codes):
    rows = [f"<{code:02x}> <{ord(letter):04x}>" for letter, code in codes.items()]
    parts = [rows[i:i + 100] for i in range(0, len(rows), 100)]
    body = "\n".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts)
    return ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
            f"1 begincodespacerange <00> <ff> endcodespacerange\n{body}\nendcmap end end")


def _stream(text):
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


PRESET = {"date": "ngày 17 tháng 01 năm 2025", "organ": "QUẬN BA ĐÌNH", "signer": "Trần Phước Hiền", "notation": "QĐ-UBND", "stamp": ""}


def letters(path, pages):
    """Writes the PDF: a page for each dict, of number, subject and what else is said in the place of PRESET. What is "" is not there. box: of the
    paper, in points."""
    boxes = [said.get("box", "0 0 595 842") for said in pages]
    pages = [[(x, y, size, text.format(**{**PRESET, **said})) for x, y, size, text in LETTER] for said in pages]
    codes = _codes([text for lines in pages for *_, text in lines])
    names = " ".join(f"/uni{ord(letter):04X}" for letter, code in codes.items() if code >= 128)
    widths = " ".join([str(WIDTH)] * 224)
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /FirstChar 32 /LastChar 255 /Widths [{widths}] "
        f"/Encoding << /Type /Encoding /Differences [128 {names}] >> /ToUnicode 4 0 R >>",
        _stream(_to_unicode(codes))]
    for i, lines in enumerate(pages):
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [{boxes[i]}] /Contents "
                       f"{6 + 2 * i} 0 R /Resources << /Font << /F 3 0 R >> >> >>")
        objects.append(_stream("\n".join(f"BT /F {size} Tf {x} {842 - y} Td {_string(text, codes)} Tj ET" for x, y, size, text in lines)))
    out, places = "%PDF-1.7\n", []
    for i, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{i} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out += (f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n")
    with open(path, "w", encoding="ascii") as file:
        file.write(out)


def letter(path, **said):
    """Of one page."""
    letters(path, [said])
