"""Random damages of good files, by a seed: of bytes, of texts, of JSON, of what is inside an archive."""

import gzip
import io
import json
import shutil
import string
import struct
import tarfile
import warnings
import zipfile
import zlib

EDGES = (0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
VALUES = (None, True, 0, -1, 2**31, 2**63, 10**30, 0.5, 1e308, "", "x", "os:system", "../x", "\0",
          [], {}, [[]], {"a": 1})
WORDS = (b"", b"\0", b"\n", b'"', b",", b"-", b"nan", b"1e999", b"[", b"{", b"\xff\xfe", b"9" * 400,
         "é".encode(), b"\r", b"#")
PARTS = "head", "header", "tail"


def flipped(data, random):
    """A few bits are the other way round."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        changed[_place(data, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_bytes(data, random):
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 4))):
        changed[_place(data, random)] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
    return bytes(changed)


def cut(data, random):
    start = _place(data, random)
    return data[:start] + data[start + random.choice((1, 2, 8, 100, len(data))):]


def repeated(data, random):
    """A block stands many times."""
    start = _place(data, random)
    end = min(len(data), start + random.choice((1, 4, 30, 300)))
    return data[:end] + data[start:end] * random.choice((1, 2, 50, 3000)) + data[end:]


def spliced(data, random):
    """A block is copied over another place, or in between."""
    start, to = _place(data, random), _place(data, random)
    block = data[start:start + random.choice((1, 4, 16, 100))]
    return data[:to] + block + data[to + random.choice((0, len(block))):]


def other_integer(data, random):
    """Four or eight bytes, or fewer, hold an integer at the edge of its range."""
    kind = random.choice(("<B", "<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(kind)
    start = _place(data, random)
    return data[:start] + struct.pack(kind, random.choice(EDGES) % 256**size) + data[start + size:]


def inserted(data, random):
    start = _place(data, random)
    return data[:start] + random.choice((*WORDS, random.randbytes(random.choice((1, 8, 200))))) + data[start:]


def other_digits(data, random):
    """A number that is written in digits is another."""
    places = [i for i, byte in enumerate(data[:100_000]) if chr(byte) in string.digits]
    if not places:
        return set_bytes(data, random)
    place = random.choice(places)
    return data[:place] + str(random.choice((*EDGES, -1, 10**20))).encode() + data[place + 1:]


def _place(data, random):
    """A place in bytes; the first and the last ones, where headers are, more often."""
    part = random.choice((*PARTS, "all", "all", "all"))
    size = {"head": 16, "header": 400, "tail": 64}.get(part, len(data))
    place = random.randrange(max(1, min(size, len(data))))
    return max(0, len(data) - 1 - place) if part == "tail" else min(place, len(data) - 1)


OF_BYTES = flipped, set_bytes, cut, repeated, spliced, other_integer, inserted, other_digits


def bytes_mutated(data, random):
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(OF_BYTES)(data or b"\0", random)
    return data


def json_mutated(data, random):
    """JSON in which values are others, gone, twice, in another's place, or deeper."""
    value = {"": json.loads(data)}
    for _ in range(random.choice((1, 1, 2, 4))):
        holder, key = random.choice(_slots(value))
        _, source = random.choice(_slots(value)), random.choice(_slots(value))
        change = random.randrange(6)
        if change == 0 and holder is not value:
            del holder[key]
        elif change == 1:
            holder[key] = _copies(source[0][source[1]], 1)[0]
        elif change == 2:
            holder[key] = _copies(holder[key], random.choice((1, 2, 1000)))
        elif change == 3 and isinstance(holder, dict):
            other = random.choice(("class", "format", "x", "layer", str(random.randrange(9))))
            holder[other] = _copies(holder[key], 1)[0]
        elif change == 4 and isinstance(holder[key], str | int | float):
            text = bytes_mutated(str(holder[key]).encode(), random).decode("utf-8", "replace")
            holder[key] = text if isinstance(holder[key], str) else random.choice((*EDGES, -holder[key], text))
        else:
            holder[key] = _copies(random.choice(VALUES), 1)[0]
    return json.dumps(value.get("")).encode()


def _copies(value, count):
    """So many copies, or as many as have 10 MB. All are copies: what holds itself, or a thousand of one, has no end."""
    text = json.dumps(value)
    return [json.loads(text) for _ in range(min(count, max(1, 10_000_000 // len(text))))]


def _slots(value):
    """Every place of a value that holds another: (list or dict, index or key)."""
    found, level = [], [value]
    while level:
        holder = level.pop()
        for key, item in holder.items() if isinstance(holder, dict) else enumerate(holder):
            found.append((holder, key))
            if isinstance(item, dict | list):
                level.append(item)
    return found


def lines_mutated(data, random):
    """Lines of JSON, of which one is mutated."""
    lines = data.splitlines()
    place = random.randrange(len(lines))
    lines[place] = json_mutated(lines[place], random)
    return b"\n".join(lines) + b"\n"


def tensors_mutated(data, random):
    """A safetensors file whose header of JSON is mutated, its length right."""
    size = int.from_bytes(data[:8], "little")
    header = json_mutated(data[8:8 + size], random)
    return len(header).to_bytes(8, "little") + header + data[8 + size:]


def gzip_mutated(data, random):
    return gzip.compress(bytes_mutated(gzip.decompress(data), random), 1)


def tar_mutated(data, random):
    """A packed archive of which a header says another thing, its sum right."""
    changed = bytearray(gzip.decompress(data))
    with tarfile.open(fileobj=io.BytesIO(changed)) as archive:
        offset = random.choice(archive.getmembers()).offset
    start, size = random.choice(((0, 100), (124, 12), (156, 1), (157, 100), (257, 8), (345, 155)))
    changed[offset + start:offset + start + size] = bytes_mutated(bytes(changed[offset + start:offset + start + size]),
                                                                  random)[:size].ljust(size, b"\0")
    changed[offset + 148:offset + 156] = b" " * 8
    changed[offset + 148:offset + 156] = b"%06o\0 " % sum(changed[offset:offset + 512])
    return gzip.compress(bytes(changed), 1)


def zip_mutated(data, random):
    """An archive of which a member is mutated, gone, twice or of another name, and sealed again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = random.randrange(len(members))
    name, content = members[place]
    change = random.choice(("content",) * 8 + ("name", "gone", "twice"))
    if change == "content":
        mutate = json_mutated if name.endswith(".json") and random.random() < 0.7 else bytes_mutated
        members[place] = name, mutate(content, random)
    elif change == "name":
        members[place] = random.choice(("../" + name, "/" + name, "x", name.upper())), content
    else:
        members[place:place + 1] = members[place:place + 1] * (0 if change == "gone" else 2)
    memory = io.BytesIO()
    with (warnings.catch_warnings(action="ignore"),  # of a name that stands twice
          zipfile.ZipFile(memory, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive):
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)  # one date for all: equal seeds, equal bytes
    return memory.getvalue()


def png_mutated(data, random):
    """An image of which a chunk is mutated, its sum right; pixels are packed again at times."""
    chunks, place = [], 8
    while place < len(data):
        size = struct.unpack(">I", data[place:place + 4])[0]
        chunks.append((data[place + 4:place + 8], data[place + 8:place + 8 + size]))
        place += 12 + size
    number = random.randrange(len(chunks))
    name, content = chunks[number]
    is_packed = name == b"IDAT" and random.random() < 0.5
    content = bytes_mutated(zlib.decompress(content) if is_packed else content, random)
    chunks[number] = name, zlib.compress(content) if is_packed else content
    return data[:8] + b"".join(struct.pack(">I", len(content)) + name + content
                               + struct.pack(">I", zlib.crc32(name + content)) for name, content in chunks)


def footer_mutated(data, random):
    """A Parquet file whose footer is mutated, its length right."""
    size = struct.unpack("<I", data[-8:-4])[0]
    new = bytes_mutated(data[-8 - size:-8], random)
    return data[:-8 - size] + new + struct.pack("<I", len(new)) + data[-4:]


INSIDE = {".json": json_mutated, ".jsonl": lines_mutated, ".safetensors": tensors_mutated, ".csv.gz": gzip_mutated,
          ".tar.gz": tar_mutated, ".parquet": footer_mutated, ".png": png_mutated, ".keras": zip_mutated}


def mutate(good, path, random):
    """Write a damaged copy of the good file, or folder with a damaged file, to `path`."""
    if good.is_dir():
        shutil.copytree(good, path)
        name = random.choice(sorted(file.relative_to(good) for file in good.rglob("*") if file.is_file()))
        good, path = good / name, path / name
    data = good.read_bytes()
    inside = next((change for suffix, change in INSIDE.items() if good.name.endswith(suffix)), bytes_mutated)
    path.write_bytes((inside if random.random() < 0.6 else bytes_mutated)(data, random))
