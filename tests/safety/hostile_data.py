# ruff: noqa: E501
"""Damages of data: tables, packed tables, Parquet, idx, the archive of CIFAR-10, images."""

import gzip
import lzma
import struct
import tarfile
import zlib

import numpy as np
from damages import BYTES, PLACES, content, fixed, gzip_bomb, made
from good_files import cifar, idx, image, tar

TEXTS = {
    "a NUL byte": content(lambda data: data.replace(b"abc"[:1], b"\0", 1)), "UTF-16": content(lambda data: data.decode().encode("utf-16")),
    "a name that is no UTF-8": content(lambda data: data[:1] + b"\xe3" + data[1:]),
    "UTF-32": content(lambda data: data.decode().encode("utf-32")), "half a letter": content(lambda data: data + "é".encode()[:1]),
    "a binary first line": content(lambda data: b"\xde\xad\xbe\xef\n" + data), "a quote that stays open": content(lambda data: data + b'"open,'),
    "a quote within": content(lambda data: data + b'"a"b,1,2,3\n'), "10 million columns": made(lambda: b"," * 10_000_000 + b"\n1\n"),
    "a million named columns": made(lambda: ",".join(f"c{i}" for i in range(1_000_000)).encode() + b"\n"),
    "a cell of 100 MB": made(lambda: b"a,b\n1," + b"x" * 100_000_000 + b"\n"), "a quoted cell of 20 MB": made(lambda: b'a,b\n1,"' + (b"x" * 99 + b"\n") * 200_000 + b'"\n'),
    "a name of 9 MB": made(lambda: b"x" * 9_000_000 + b",b\n1,2\n"), "one column name twice": content(lambda data: data.replace(b"weight", b"size", 1)),
    "rows of other widths": content(lambda data: data + b"1,2,3,4,5,6\n"), "no rows": fixed(b"a,b,c\n"), "blank lines": fixed(b"\n" * 1000),
    "a million quotes": fixed(b'a,b\n' + b'"' * 1_000_001), "only separators": fixed(b",,,,\n,,,,\n"), "only comments": fixed(b"# a\n" * 1000),
    "comments of 1 MB": fixed(b"#\n" * 500_000), "NumPy's format": fixed(b"\x93NUMPY\1\0" + bytes(100)), "a workbook": fixed(b"PK\3\4" + bytes(99)),
    "carriage returns": fixed(b"a,b\r1,2\r" * 10), "numbers of 1,000 digits": fixed(b"a,b\n" + (b"9" * 1000 + b",1\n") * 30),
    "formulas": fixed(b"a,b\n=cmd|' /C calc'!A0,1\n@SUM(1),2\n"), "endless lines of separators": fixed(b"a,b\n" + b'"\n",' * 500_000)}
A_TEXT, NO_LOSS = "lines of text are a table, and no cell is run", "only the end of the last line is gone"
TABLES_MAY_LOAD = {
    "carriage returns": "old programs end lines so", "numbers of 1,000 digits": "they are texts, as no number is so large", "formulas": A_TEXT, "a script": A_TEXT, "reversed": A_TEXT,
    "a byte short": NO_LOSS, "endless lines of separators": "a quoted cell may have lines, and all are closed"}
STREAMS_MAY_LOAD = {
    **{name: reason for name, reason in TABLES_MAY_LOAD.items() if name != "endless lines of separators"}, "a NUL byte": "Arrow takes it for a letter of a text",
    "a quote within": "Arrow takes it for a letter of a text", "only comments": "a stream has no comments: it is a column of texts", "comments of 1 MB": "a stream has no comments: it is a column of texts"}
TABLES = {**BYTES, **PLACES, **TEXTS}
bomb = made(lambda: gzip_bomb(300))
PACKED = {**BYTES, **PLACES, "a bomb of 300 MB": bomb, "a bomb in a bomb": made(lambda: gzip.compress(gzip_bomb(300))),
          "a length that lies": content(lambda data: data[:-4] + b"\xff\xff\xff\x7f"), "a sum that lies": content(lambda data: data[:-8] + bytes(4) + data[-4:]),
          "an endless name": fixed(b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 1_000_000), "ten thousand members": made(lambda: gzip.compress(b"") * 10_000),
          "noise behind": content(lambda data: data + b"noise" * 10), "a NUL inside": fixed(gzip.compress(b"a,b\n\0,1\n")),
          "20 MB of zeros": made(lambda: gzip.compress(b"a,b,c,d,e,f,g,h,i,j\n" + b"0,0,0,0,0,0,0,0,0,0\n" * 1_000_000)), "60 MB of zeros": made(lambda: gzip.compress(b"a,b,c,d,e,f,g,h,i,j\n" + b"0,0,0,0,0,0,0,0,0,0\n" * 3_000_000)),
          "10 million rows": made(lambda: gzip.compress(b"a\n" + b"0\n" * 10_000_000)), "a Parquet bomb": made(lambda: gzip.compress(b"PAR1" + bytes(10**6) + b"PAR1"))}

PACKED_MAY_LOAD = {"a script": A_TEXT, "20 MB of zeros": "ordinary tables are packed as well", "10 million rows": "they take no more memory than any small file may"}


def footer(change):
    """The damage that changes the footer of a Parquet file, and keeps its length right."""
    def changed(data):
        size = struct.unpack("<I", data[-8:-4])[0]
        new = change(data[-8 - size:-8])
        return data[:-8 - size] + new + struct.pack("<I", len(new)) + b"PAR1"
    return content(changed)


def repeated_rows(rows):
    """A file of few bytes that tells, rightly, of so many rows."""
    def write(path):
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([("a", pyarrow.bool_())])
        with pyarrow.parquet.ParquetWriter(path, schema, compression="gzip") as writer:
            block = pyarrow.table({"a": np.zeros(rows // 12, bool)})
            for _ in range(12):
                writer.write_table(block)
    return write


def python_type(path):
    """A column whose type says that it is to be unpickled."""
    import pickle

    import pyarrow
    import pyarrow.parquet
    from damages import Malicious

    marks = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Malicious(), 0)}
    field = pyarrow.field("a", pyarrow.int64(), metadata=marks)
    pyarrow.parquet.write_table(pyarrow.table([pyarrow.array([1, 2])], pyarrow.schema([field])), path)


def nested_type(path):
    import pyarrow
    import pyarrow.parquet

    value, kind = 1, pyarrow.int64()
    for _ in range(50):
        value, kind = [value], pyarrow.list_(kind)
    pyarrow.parquet.write_table(pyarrow.table({"a": pyarrow.array([value], kind)}), path)


def varint(number):
    out = b""
    while number >= 128:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


PARQUETS = {
    **BYTES, **PLACES, "a footer of 2 GB": content(lambda data: data[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"),
    "a footer of 4 GB": content(lambda data: data[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1"), "a footer of 0": content(lambda data: data[:-8] + bytes(4) + b"PAR1"),
    "a footer of noise": footer(lambda old: np.random.default_rng(0).bytes(len(old))), "half a footer": footer(lambda old: old[:len(old) // 2]),
    "a footer of ones": footer(lambda old: b"\xff" * len(old)), "lists nested in the footer": footer(lambda old: b"\x19" * 100_000),
    "structs nested in the footer": footer(lambda old: b"\x1c" * 100_000), "encrypted": content(lambda data: data[:-4] + b"PARE"),
    "a list of 2^31 in the footer": footer(lambda old: b"\x15\x04\x19\xfc" + varint(2**31 - 1)), "48 million rows": repeated_rows(48_000_000),
    "rows that lie": footer(lambda old: old.replace(b"\x16\x78", b"\x16\x7a")), "pages of noise": content(lambda data: data[:60] + bytes(200) + data[260:]),
    "a type to unpickle": python_type, "lists 50 deep": nested_type, "only marks": fixed(b"PAR1" * 3)}
PARQUETS_MAY_LOAD = {"a type to unpickle": "Arrow reads the numbers and nobody unpickles the type", "rows that lie": "Arrow counts the rows of the pages themselves"}

IDX = {
    **BYTES, **PLACES, "2^31 x 2^31": fixed(b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 1)), "2^32-1 everywhere": fixed(b"\0\0\x08\x03" + b"\xff" * 12),
    "sizes that overflow to 0": fixed(b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 4)), "floats": fixed(b"\0\0\x0d\x03" + idx(2, 3, 4)[4:]),
    "255 axes": fixed(b"\0\0\x08\xff" + bytes(4 * 255)), "an axis less": fixed(idx(2, 3)), "a byte more": content(lambda data: data + b"\0"),
    "half a header": fixed(b"\0\0\x08\x03\0\0"), "a bomb": bomb,
    "packed and short": fixed(gzip.compress(idx(9, 9, 9))[:30])}
IDX_MAY_LOAD = {"ends with zeros": "pixels may be black"}


def cifar_member(name, size, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return gzip.compress(info.tobuf() + bytes(10_240))


def huge_member():
    info = tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin")
    info.size = 2**80
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


GOOD_NAMES = ("cifar-10-batches-bin/data_batch_1.bin", "../../../../tmp/tarazu-was-here", "/tmp/tarazu-was-here")
CIFAR = {
    **BYTES, **PLACES, "a bomb": bomb, "a member of 10 GB": fixed(cifar_member(GOOD_NAMES[0], 10 * 2**30)),
    "a member above": fixed(cifar_member(GOOD_NAMES[1], 10)), "an absolute member": fixed(cifar_member(GOOD_NAMES[2], 10)),
    "a link to passwords": fixed(cifar_member(GOOD_NAMES[0], 0, tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": fixed(cifar_member(GOOD_NAMES[0], 0, tarfile.LNKTYPE, "/etc/passwd")), "a device": fixed(cifar_member(GOOD_NAMES[0], 0, tarfile.CHRTYPE)),
    "a name of 1 GB": fixed(cifar_member("././@LongLink", 2**30, tarfile.GNUTYPE_LONGNAME)), "a header of 1 GB": fixed(cifar_member("x", 2**30, tarfile.XHDTYPE)),
    "a sparse file": fixed(cifar_member("x", 2**30, tarfile.GNUTYPE_SPARSE)), "no members": fixed(cifar({})), "records cut off": fixed(cifar({GOOD_NAMES[0]: bytes(3000)})),
    "a negative size": content(lambda data: gzip.compress(gzip.decompress(data)[:124] + b"\x80" + bytes(3) + b"\xff" * 8 + gzip.decompress(data)[136:])),
    "xz": made(lambda: lzma.compress(bytes(10**6))), "a member of 2^80 bytes": fixed(gzip.compress(huge_member())), "a thousand members": made(lambda: tar({f"a/{i}": b"" for i in range(1000)}))}


def png(width, height, kind=2, data=b"", *chunks):
    def chunk(name, content_):
        return struct.pack(">I", len(content_)) + name + content_ + struct.pack(">I", zlib.crc32(name + content_))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*pair) for pair in chunks) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def tiff(*entries):
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return b"II*\0\x08\0\0\0" + body


JPEG, GIF, BMP, WEBP, TIFF = (lambda: image("JPEG")), (lambda: image("GIF", mode="P")), (lambda: image("BMP")), (lambda: image("WEBP")), (lambda: image("TIFF"))


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(%pipe%touch /tmp/tarazu-was-here) (r) file\nshowpage\n%%EOF\n"
IMAGES = {
    **BYTES, **PLACES, "30,000 x 30,000": fixed(png(30_000, 30_000)), "2^31 x 2^31": fixed(png(2**31 - 1, 2**31 - 1)), "0 x 0": fixed(png(0, 0)),
    "9,000 x 9,000 that unpack": lambda path: path.write_bytes(image(size=(9000, 9000), mode="1")),
    "10^9 x 1": fixed(png(10**9, 1)), "a bomb in pixels": made(lambda: png(10, 10, 2, bytes(50 * 2**20))), "a bomb in a profile": made(lambda: png(10, 10, 2, b"", (b"iCCP", b"a\0\0" + zlib.compress(bytes(50 * 2**20))))),
    "a bomb in text": made(lambda: png(10, 10, 2, b"", (b"zTXt", b"a\0\0" + zlib.compress(bytes(50 * 2**20))))), "a palette missing": fixed(png(10, 10, 3, bytes(110))),
    "a chunk of 2 GB": content(lambda data: data[:33] + struct.pack(">I", 2**31 - 1) + data[37:]), "a JPEG cut off": made(JPEG, lambda data: data[:-200]),
    "a JPEG of 65,535 x 65,535": made(JPEG, lambda data: data.replace(b"\0\x08\0\x0c\x03", b"\xff\xff\xff\xff\x03")), "a JPEG without tables": made(JPEG, lambda data: data.replace(b"\xff\xdb", b"\xff\xe1")),
    "a GIF of 65,535 x 65,535": made(GIF, lambda data: data[:6] + b"\xff\xff\xff\xff" + data[10:]), "a GIF cut off": made(GIF, lambda data: data[:40]),
    "a BMP of 2^31 x 2^31": made(BMP, lambda data: data[:18] + b"\xff\xff\xff\x7f" * 2 + data[26:]), "a BMP cut off": made(BMP, lambda data: data[:60]),
    "a WebP cut off": made(WEBP, lambda data: data[:len(data) // 2]), "a WebP of 16,383 x 16,383": made(WEBP, lambda data: data[:26] + b"\xff\x3f\xff\x3f" + data[30:]),
    "a TIFF that points to itself": made(TIFF, lambda data: data[:4] + b"\x04\0\0\0" + data[8:]), "a TIFF of 2^31 x 2^31": fixed(tiff((256, 4, 1, 2**31), (257, 4, 1, 2**31), (262, 3, 1, 1))),
    "a TIFF of a billion tags": fixed(b"II*\0\x08\0\0\0\xff\xff" + bytes(1000)), "a TIFF with 2^32 strips": fixed(tiff((256, 4, 1, 9), (257, 4, 1, 9), (273, 4, 2**32 - 1, 8))),
    "PostScript": fixed(EPS), "an SVG": fixed(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'), "a PDF": fixed(b"%PDF-1.7\n"),
    "a pixel map in Python's fonts": fixed(b"PILfont\n;;;;;;10;\nDATA\n"), "a Windows metafile": fixed(b"\xd7\xcd\xc6\x9a" + bytes(60))}
IMAGES_MAY_LOAD = {
    **dict.fromkeys(("a byte short", "ends with zeros", "a chunk of 2 GB"), "all pixels are there: what comes behind them is not read"),
    "a bomb in pixels": "no more is unpacked than the image has pixels", "a palette missing": "it is one of grays then"}
