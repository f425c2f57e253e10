#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes lib/token/unicode_tables.h: where the reference's Unicode differs from utf8proc's (2.8: Unicode 15).

The reference is the installed `tokenizers`: NFC from a crate of Unicode 9, \\p{L} \\p{N} \\s from Oniguruma (16), lower
case from Rust (17).  Every code point is asked.  The `regex` package tells which characters are newer still, so that the
tables also hold with a newer utf8proc.

    python3 tests/parity/unicode_tables.py > lib/token/unicode_tables.h
"""
import ctypes

import regex
from tokenizers import Regex, normalizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
u8 = ctypes.CDLL("libutf8proc.so.2")
u8.utf8proc_category.argtypes = u8.utf8proc_tolower.argtypes = [ctypes.c_int32]
u8.utf8proc_NFC.restype = ctypes.c_void_p
u8.utf8proc_NFC.argtypes = [ctypes.c_char_p]
libc = ctypes.CDLL(None)
libc.free.argtypes = [ctypes.c_void_p]

# Unicode 16 compositions, unknown to 15 and to the reference (characters that decompose or take part).
NEWER = [*range(0x105C9, 0x105CA), 0x105D2, 0x105DA, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113B8, 0x113BB,
         0x113C2, 0x113C5, 0x113C7, 0x113C8, 0x113C9, *range(0x1611E, 0x1612A), *range(0x16D63, 0x16D6B)]


def u8_class(c):
    k = u8.utf8proc_category(c)
    return 1 if 1 <= k <= 5 else 2 if 9 <= k <= 11 else 3 if 23 <= k <= 25 else 0


def u8_nfc(text):
    p = u8.utf8proc_NFC(text.encode())
    out = ctypes.string_at(p).decode()
    libc.free(p)
    return out


def classes():
    """The class of every code point as Oniguruma sees it: 0 other, 1 letter, 2 number, 3 space."""
    out = dict.fromkeys(POINTS, 0)
    for k, pattern in ((1, r"\p{L}"), (2, r"\p{N}"), (3, r"\s")):
        mark = normalizers.Replace(Regex(pattern), "\x01")
        for at in range(0, len(POINTS), 4096):
            part = POINTS[at:at + 4096]
            for c, o in zip(part, mark.normalize_str("".join(map(chr, part)))):
                if o == "\x01" and c != 1:
                    out[c] = k
    return out


def runs(points, value=lambda c: None):
    """Sorted code points as [first, last, value] with equal values."""
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1 and out[-1][2] == value(c):
            out[-1][1] = c
        else:
            out.append([c, c, value(c)])
    return out


def class_table():
    letter, number = regex.compile(r"\p{L}"), regex.compile(r"\p{N}")
    truth, need = classes(), set()
    for c in POINTS:
        newest = 1 if letter.match(chr(c)) else 2 if number.match(chr(c)) else 0
        if u8_class(c) != truth[c] or (newest != truth[c] and truth[c] != 3):
            need.add(c)
    return runs(need, lambda c: truth[c])


def lower_table():
    low, out = normalizers.Lowercase(), {}
    for c in POINTS:
        want = low.normalize_str(chr(c))
        if want != chr(u8.utf8proc_tolower(c)):
            if c == 0x130:
                assert want == "i\u0307"
                continue
            out[c] = ord(want) - c
    return runs(out, out.get)


def barrier_table():
    """Characters that NFC moves, splits or joins today and the reference leaves alone."""
    nfc, out, mark = normalizers.NFC(), set(NEWER) | {0x11930}, regex.compile(r"\P{ccc=0}")
    others = ("\u0301", "\u0323", "\u0334", "\u3099", "\u0345", "\u05b0")
    for c in POINTS[1:]:
        ch = chr(c)
        text = "q" + "".join(r + ch + "q" + ch + r + "q" for r in others)
        if nfc.normalize_str(text) != u8_nfc(text):
            out.add(c)
        elif mark.match(ch) and nfc.normalize_str("q\u0345" + ch) == "q\u0345" + ch \
                and nfc.normalize_str("q" + ch + "\u0334") == "q" + ch + "\u0334":
            out.add(c)
    out |= {0x11938, 0x11A7}  # U+11A7: utf8proc 2.8 swallows it behind a Hangul syllable
    return runs(out)


def rows(items):
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 110:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line)


print("""/* SPDX-License-Identifier: MIT
 * unicode_tables.h - where the reference's Unicode differs from utf8proc's; included by unicode.c alone.
 *
 * Ranges, ascending.  Written by tests/parity/unicode_tables.py from the `tokenizers` package: do not edit. */
/* clang-format off */

/* first, last, class: Oniguruma's \\p{L}, \\p{N}, \\s of Unicode 16 where utf8proc, of 15 or newer, differs. */
static const struct class_range {
    uint32_t first, last;
    mo_uclass class;
} class_ranges[] = {""")
NAMES = ["MO_U_OTHER", "MO_U_LETTER", "MO_U_NUMBER", "MO_U_SPACE"]
rows("{0x%x, 0x%x, %s}" % (a, b, NAMES[k]) for a, b, k in class_table())
print("""};

/* first, last, what to add: lower case of Unicode 17 that utf8proc of Unicode 15 lacks. */
static const struct lower_range {
    uint32_t first, last;
    int32_t add;
} lower_ranges[] = {""")
rows("{0x%x, 0x%x, %d}" % (a, b, k) for a, b, k in lower_table())
print("""};

/* first, last: newer than Unicode 9, with a combining class or composition that the reference does not know. */
static const struct barrier_range {
    uint32_t first, last;
} barrier_ranges[] = {""")
rows("{0x%x, 0x%x}" % (a, b) for a, b, _ in barrier_table())
print("};")
