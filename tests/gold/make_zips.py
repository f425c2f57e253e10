#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes mixed.zip (stored, deflated, empty, zip64 entries and an archive comment) and two.gz (two gzip members) for
tests/format/test_zip.c.  Standard library only; the bytes are the same at every run."""
import gzip
import io
import pathlib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


def main():
    with zipfile.ZipFile(HERE / "mixed.zip", "w") as z:
        z.writestr(zipfile.ZipInfo("a/stored.txt"), b"stored bytes")
        packed = zipfile.ZipInfo("a/packed.txt")
        packed.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(packed, b"packed " * 200)
        z.writestr(zipfile.ZipInfo("empty"), b"")
        with z.open(zipfile.ZipInfo("long"), "w", force_zip64=True) as f:
            f.write(b"with a zip64 field")
        z.comment = b"a comment"
    out = io.BytesIO()
    for text in (b"first\n" * 50, b"second\n"):
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as f:
            f.write(text)
    (HERE / "two.gz").write_bytes(out.getvalue())


if __name__ == "__main__":
    main()
