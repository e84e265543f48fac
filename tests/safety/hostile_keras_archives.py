# ruff: noqa: E501
"""Damages of the zip archives that `.keras` files are."""

import functools
import io
import struct
import warnings
import zipfile

from damages import content

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def members(change, packing=zipfile.ZIP_STORED):
    """The damage that writes the archive anew, with what `change(dict of members)` makes of its members."""
    def damage(path):
        with zipfile.ZipFile(path) as archive:
            entries = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(path, "w", packing) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that stand twice
            for name, data in change(entries):
                archive.writestr(name, data)
    return damage


def added(name, data=b"code", packing=zipfile.ZIP_STORED):
    return members(lambda entries: [*entries, (name, data)], packing)


def replaced(name, data, packing=zipfile.ZIP_STORED):
    return members(lambda entries: [(key, data() if callable(data) else data) if key == name else (key, old)
                                    for key, old in entries], packing)


def renamed(old, new):
    return members(lambda entries: [(new if name == old else name, data) for name, data in entries])


def link(name, target):
    """A member that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return members(lambda entries: [*((key, data) for key, data in entries if key != name), (info, target)])


def sizes_in_directory(name, **fields):
    """The damage that writes other numbers into a member's entry of the central directory."""
    places = {"method": (10, "<H"), "packed": (20, "<I"), "unpacked": (24, "<I"), "flags": (8, "<H"),
              "offset": (42, "<I")}

    def change(data):
        data = bytearray(data)
        start = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
        for key, value in fields.items():
            place, kind = places[key]
            struct.pack_into(kind, data, start + place, value)
        return bytes(data)
    return content(change)


def in_end(**fields):
    """The damage that writes other numbers into the record at the end of the archive."""
    places = {"count": (10, "<H"), "size": (12, "<I"), "offset": (16, "<I")}

    def change(data):
        data = bytearray(data)
        for key, value in fields.items():
            struct.pack_into(places[key][1], data, data.rindex(b"PK\x05\x06") + places[key][0], value)
        return bytes(data)
    return content(change)


@functools.cache
def bomb(*names):
    """An archive whose members of these names have 300 MB of zeros each; the others have an object of JSON."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in {CONFIG, METADATA, WEIGHTS, *names}:
            with archive.open(name, "w") as member:
                for _ in range(300 if name in names else 0):
                    member.write(bytes(2**20))
                member.write(b"{}")
    return memory.getvalue()


def bombed(*names):
    return content(lambda _: bomb(*names))


def lying_bomb(path):
    """A config that is said to have 100 bytes, and has 300 MB."""
    bombed(CONFIG)(path)
    sizes_in_directory(CONFIG, unpacked=100)(path)


ARCHIVES = {
    "a config of 300 MB in 300 KB": bombed(CONFIG), "weights of 300 MB in 300 KB": bombed(WEIGHTS),
    "metadata of 300 MB in 300 KB": bombed(METADATA), "a config that lies about its size": lying_bomb,
    "a bomb beside": added("assets/zeros", bytes(2**25), zipfile.ZIP_DEFLATED), "packed with bzip2": replaced(CONFIG, b"{}", zipfile.ZIP_BZIP2),
    "packed with LZMA": replaced(CONFIG, b"{}", zipfile.ZIP_LZMA), "two configs": added(CONFIG, b"{}"), "two files of weights": added(WEIGHTS, b""),
    "config in ..": renamed(CONFIG, f"../{CONFIG}"), "config at /": renamed(CONFIG, f"/{CONFIG}"), "config with \\": renamed(CONFIG, f".\\{CONFIG}"),
    "weights in ..": renamed(WEIGHTS, f"../{WEIGHTS}"), "weights at /etc": renamed(WEIGHTS, "/etc/passwd"),
    "a member in ..": added("../tarazu-was-here"), "a member in ../..": added("../../tarazu-was-here"), "a member in /tmp": added("/tmp/tarazu-was-here"),
    "a member C:": added("C:\\tarazu-was-here"), "3,000 members": members(lambda entries: [*entries, *((f"{i}", b"") for i in range(3_000))]),
    "config links to passwords": link(CONFIG, "/etc/passwd"), "weights link to passwords": link(WEIGHTS, "/etc/passwd"),
    "a member links to /etc": link("assets", "/etc"), "no config": renamed(CONFIG, "x"), "no metadata": renamed(METADATA, "x"),
    "a config of 4 GB": sizes_in_directory(CONFIG, unpacked=2**32 - 2, packed=2**32 - 2), "weights of 4 GB": sizes_in_directory(WEIGHTS, unpacked=2**32 - 2),
    "a config of 0 bytes": sizes_in_directory(CONFIG, unpacked=0), "a config behind the file": sizes_in_directory(CONFIG, offset=2**31),
    "a config in itself": sizes_in_directory(CONFIG, offset=1), "a locked config": sizes_in_directory(CONFIG, flags=1),
    "a config of an unknown packing": sizes_in_directory(CONFIG, method=77), "a directory of 4 GB": in_end(size=2**32 - 2),
    "a directory behind the file": in_end(offset=2**31), "no members": in_end(count=0, size=0), "65,535 members that are not there": in_end(count=65_535)}
