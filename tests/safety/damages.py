"""Damages that any file may have: functions that are given the path of a copy of a good file, and spoil it."""

import functools
import json
import os
import pickle
import random
import shutil
import struct
import zlib


def content(change):
    """The damage that writes `change(bytes)` in place of the bytes of a file."""
    def damage(path):
        path.write_bytes(change(path.read_bytes()))
    return damage


def fixed(data):
    """The damage that writes these bytes."""
    return content(lambda _: data)


def made(make, change=lambda data: data):
    """The damage that writes `change(make())`, made when it is wanted: of large files."""
    return lambda path: path.write_bytes(change(make()))


def inside(name, damage):
    """A damage of a file in a folder."""
    return lambda folder: damage(folder / name)


def in_json(name, change):
    """The damage that `change(value)` does to the value in a file of JSON in a folder; it may give another value."""
    def damage(folder):
        path = folder / name
        value = json.loads(path.read_text())
        other = change(value)
        path.write_text(json.dumps(value if other is None else other))
    return damage


class Malicious:
    def __reduce__(self):
        return os.system, ("touch /tmp/tarazu-was-here",)


def folder_instead(path):
    path.unlink()
    path.mkdir()


def pipe_instead(path):
    path.unlink()
    os.mkfifo(path)


def device_instead(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def link_to_itself(path):
    path.unlink()
    path.symlink_to(path.name)


def link_outside(path):
    """A link to a copy of the file itself, which lies elsewhere."""
    elsewhere = path.parent.parent / f"outside-{path.name}"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def password_file(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


NOISE = random.Random(0).randbytes(2000)
BYTES = {
    "empty": fixed(b""), "one byte": fixed(b"\0"), "cut in half": content(lambda data: data[:len(data) // 2]),
    "a byte short": content(lambda data: data[:-1]), "begins with zeros": content(lambda data: bytes(16) + data[16:]),
    "ends with zeros": content(lambda data: data[:-16] + bytes(16)), "noise": fixed(NOISE),
    "all ones": fixed(b"\xff" * 2000), "a pickle": fixed(pickle.dumps(Malicious())),
    "a script": fixed(b"#!/bin/sh\ntouch /tmp/tarazu-was-here\n"), "reversed": content(lambda data: data[::-1]),
    "a zip archive": fixed(b"PK\x03\x04" + bytes(100))}
PLACES = {"a folder": folder_instead, "a pipe": pipe_instead, "a device": device_instead,
          "a link to itself": link_to_itself}
DEEP = "[" * 100_000 + "]" * 100_000
JSONS = {
    "nested 100,000 deep": DEEP, "nested 500 deep": "[" * 500 + "]" * 500, "a number of 10,000 digits": "9" * 10_000,
    "not a number": "NaN", "a million lists": f"[{'[],' * 999_999}[]]", "null": "null", "a text": '"text"',
    "a key twice": '{"format": 1, "format": 2}', "a lone surrogate": '{"format": "\\ud800"}', "comma too many": "{,}"}
JSON_DAMAGES = {name: fixed(text.encode()) for name, text in JSONS.items()}


@functools.cache
def gzip_bomb(megabytes):
    """A gzip file that unpacks to so many MB of zeros."""
    packer, block, checksum = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(2**20), 0
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # may be repeated: it refers to nothing before
    for _ in range(megabytes):
        checksum = zlib.crc32(block, checksum)
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return header + packed * megabytes + packer.flush() + struct.pack("<2I", checksum, len(block) * megabytes)
