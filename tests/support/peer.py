#!/usr/bin/env python3
"""A peer of a libthespis system, written from docs/protocol.md alone.

Standard library only, and nothing of the C code: where the two disagree, one of them or the page is
wrong. It is slow, plain and strict.

    peer.py check FILE...      tests/vectors/*.txt: decoded, compared, encoded again
    peer.py fill FILE          prints FILE with the hex of each value written anew
    peer.py seeds FILE DIR     each vector's bytes as a file in DIR: a corpus for a fuzzer
    peer.py hello HOST PORT    greets a system and says who it is
    peer.py talk               two of them over a pair of sockets: this file's own test

As a module: encode_frame() and decode_frame(), Shape, Types, and Peer for a socket, which can also
be told to misbehave.
"""
import json
import os
import socket
import struct
import sys
import threading

MAGIC = "thespis"
GREETING_MAX = 4096
FRAME_MAX = 128 * 1024
FRAME_LEAST = 64 * 1024
MESSAGE_MAX = 64 * 1024 * 1024 + 64 * 1024
ADDRESSES_MAX, ADDRESS_MAX, NAME_MAX, WORDS_MAX, SHAPE_MAX = 8, 127, 255, 1023, 32768
NESTING_MAX = 32

KINDS = {1: "HELLO", 2: "RESUME", 3: "ACK", 4: "PING", 5: "PONG", 6: "CLOSE", 7: "WHERE", 8: "HERE",
         9: "RETURNED", 16: "TYPE", 17: "DATA", 18: "MORE"}
NUMBERS = {name: number for number, name in KINDS.items()}


class Wrong(Exception):
    """The bytes break the protocol."""


def demand(claim, words):
    if not claim:
        raise Wrong(words)


# ---- CBOR: majors 0 to 7, definite, shortest ---------------------------------------------

UINT, MINUS, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE, F32, F64 = range(10)


def put_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | code]) + value.to_bytes(size, "big")
    raise ValueError(value)


def put_int(value):
    return put_head(UINT, value) if value >= 0 else put_head(MINUS, -1 - value)


def put_text(text):
    data = text.encode()
    return put_head(TEXT, len(data)) + data


def put_bytes(data):
    return put_head(BYTES, len(data)) + data


FALSE, TRUE, NULL = b"\xf4", b"\xf5", b"\xf6"


class Items:
    """A range of bytes, read item by item: (kind, value)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        demand(count <= len(self.data) - self.at, "an item is cut off")
        self.at += count
        return self.data[self.at - count:self.at]

    def next(self):
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            if low in (20, 21, 22):
                return SIMPLE, {20: False, 21: True, 22: None}[low]
            demand(low in (26, 27), "a simple value or float that is not ours")
            return (F32, self.take(4)) if low == 26 else (F64, self.take(8))
        demand(low <= 27, "an indefinite or reserved head")
        value = low
        if low >= 24:
            size = 1 << low - 24
            value = int.from_bytes(self.take(size), "big")
            demand(value >= (24 if size == 1 else 1 << 4 * size), "a head longer than it need be")
        if major == BYTES:
            return BYTES, self.take(value)
        if major == TEXT:
            try:
                return TEXT, self.take(value).decode()
            except UnicodeDecodeError:
                raise Wrong("a text that is not UTF-8") from None
        return major, value

    def expect(self, kind, most=None, least=0):
        found, value = self.next()
        demand(found == kind, "an item of another kind")
        if kind in (UINT, ARRAY, MAP) and most is not None:
            demand(least <= value <= most, "a number out of its range")
        return value

    def text(self, least, most):
        text = self.expect(TEXT)
        demand(least <= len(text.encode()) <= most, "a text too short or too long")
        demand(all(not (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0) for c in text), "no plain text")
        return text

    def bool(self):
        value = self.expect(SIMPLE)
        demand(value is not None, "null for a bool")
        return value

    def end(self):
        demand(self.at == len(self.data), "bytes after the end")


# ---- addresses -------------------------------------------------------------------------------

def addr_pack(text):
    if text == "none":
        return bytes(16)
    system, slot, generation = text.split(".")
    return struct.pack("<QII", int(system, 16), int(slot), int(generation))


def addr_text(data):
    system, slot, generation = struct.unpack("<QII", data)
    return "none" if system == 0 else f"{system:016x}.{slot}.{generation}"


# ---- frames ------------------------------------------------------------------------------------

U64 = (1 << 64) - 1
U32 = (1 << 32) - 1

HELLO_KEYS = ["magic", "low", "high", "features", "system", "name", "admin", "frame", "message",
              "addresses", "dialled", "expected"]
RESUME_KEYS = ["version", "mine", "yours", "last", "count"]


def put_addresses(addresses):
    return put_head(ARRAY, len(addresses)) + b"".join(map(put_text, addresses))


def get_addresses(items):
    count = items.expect(ARRAY, ADDRESSES_MAX)
    return [items.text(1, ADDRESS_MAX) for _ in range(count)]


def pass_over(items):
    left = 1
    while left:
        kind, value = items.next()
        left -= 1
        if kind in (ARRAY, MAP):
            demand(value <= len(items.data), "fewer items than were announced")
            left += value * (2 if kind == MAP else 1)
        elif kind == TAG:
            left += 1


def encode_hello(f):
    values = [put_text(MAGIC)]
    values += [put_head(UINT, f[key]) for key in ("low", "high", "features")]
    values += [put_head(UINT, int(f["system"], 16)), put_text(f["name"])]
    values += [put_head(ARRAY, 2) + put_head(UINT, f["admin"][0]) + put_head(UINT, f["admin"][1])]
    values += [put_head(UINT, f["frame"]), put_head(UINT, f["message"])]
    values += [put_addresses(f["addresses"]), TRUE if f["dialled"] else FALSE]
    values += [put_head(UINT, int(f["expected"], 16))]
    return put_head(MAP, len(values)) + b"".join(
        put_head(UINT, key) + value for key, value in enumerate(values))


def decode_hello(items):
    f = {"kind": "HELLO"}
    pairs = items.expect(MAP, 32, 12)
    for number, key in enumerate(HELLO_KEYS):
        demand(items.expect(UINT) == number, "a key that is missing or out of order")
        if key == "magic":
            demand(items.expect(TEXT) == MAGIC, "another magic")
        elif key in ("low", "high"):
            f[key] = items.expect(UINT, U32, 1)
        elif key in ("features", "message"):
            f[key] = items.expect(UINT)
        elif key == "system":
            f[key] = f"{items.expect(UINT, U64, 1):016x}"
        elif key == "expected":
            f[key] = f"{items.expect(UINT):016x}"
        elif key == "name":
            f[key] = items.text(0, NAME_MAX)
        elif key == "admin":
            items.expect(ARRAY, 2, 2)
            f[key] = [items.expect(UINT, U32), items.expect(UINT, U32)]
        elif key == "frame":
            f[key] = items.expect(UINT, U32, FRAME_LEAST)
        elif key == "addresses":
            f[key] = get_addresses(items)
        elif key == "dialled":
            f[key] = items.bool()
    demand(f["low"] <= f["high"], "versions upside down")
    last = 11
    for _ in range(pairs - 12):
        key = items.expect(UINT, U32, last + 1)
        pass_over(items)
        last = key
    return f


def decode_resume(items):
    f = {"kind": "RESUME"}
    items.expect(MAP, 5, 5)
    for number, key in enumerate(RESUME_KEYS):
        demand(items.expect(UINT) == number, "a key that is missing or out of order")
        least, most = {"version": (1, U32), "mine": (1, U64)}.get(key, (0, U64))
        f[key] = items.expect(UINT, most, least)
    return f


def encode_body(f):
    kind = f["kind"]
    if kind == "HELLO":
        return encode_hello(f)
    if kind == "RESUME":
        return put_head(MAP, 5) + b"".join(
            put_head(UINT, number) + put_head(UINT, f[key])
            for number, key in enumerate(RESUME_KEYS))
    if kind == "ACK":
        return struct.pack("<Q", f["up_to"])
    if kind in ("PING", "PONG"):
        return struct.pack("<Q", f["token"])
    if kind == "CLOSE":
        return put_head(ARRAY, 2) + put_head(UINT, f["reason"]) + put_text(f["words"])
    if kind == "WHERE":
        return struct.pack("<Q", int(f["system"], 16))
    if kind == "HERE":
        return (put_head(ARRAY, 2) + put_head(UINT, int(f["system"], 16)) +
                put_addresses(f["addresses"]))
    if kind == "RETURNED":
        return struct.pack("<Q", f["up_to"]) + put_head(ARRAY, 1) + put_text(f["words"])
    if kind == "TYPE":
        return (struct.pack("<Q", f["number"]) + put_head(ARRAY, 3) + put_head(UINT, f["type"]) +
                put_text(f["name"]) + put_text(f["shape"]))
    body = bytes.fromhex(f["body"])
    if kind == "MORE":
        return struct.pack("<QI", f["number"], f["transfer"]) + body
    head = struct.pack("<Q", f["number"]) + addr_pack(f["from"]) + addr_pack(f["to"])
    head += struct.pack("<I", f["type"])
    if "transfer" in f:
        head += struct.pack("<IQ", f["transfer"], f["total"])
    return head + body


def decode_body(kind, has_more, body):
    items = Items(body)
    f = {"kind": kind}
    if kind in ("HELLO", "RESUME"):
        f = decode_hello(items) if kind == "HELLO" else decode_resume(items)
        items.end()
    elif kind == "CLOSE":
        items.expect(ARRAY, 2, 2)
        f.update(reason=items.expect(UINT, U32, 1), words=items.text(0, WORDS_MAX))
        items.end()
    elif kind == "HERE":
        items.expect(ARRAY, 2, 2)
        f.update(system=f"{items.expect(UINT, U64, 1):016x}", addresses=get_addresses(items))
        items.end()
    elif kind in ("RETURNED", "TYPE"):
        number, items.at = struct.unpack("<Q", items.take(8))[0], 8
        items.expect(ARRAY, 3 if kind == "TYPE" else 1, 3 if kind == "TYPE" else 1)
        if kind == "RETURNED":
            f.update(up_to=number, words=items.text(0, WORDS_MAX))
        else:
            demand(number > 0, "number 0")
            f.update(number=number, type=items.expect(UINT, U32, 1), name=items.text(1, NAME_MAX),
                     shape=items.text(1, SHAPE_MAX))
        items.end()
    elif kind in ("ACK", "PING", "PONG", "WHERE"):
        demand(len(body) == 8, "a body that is not 8 bytes")
        value = struct.unpack("<Q", body)[0]
        if kind == "WHERE":
            demand(value > 0, "system 0")
            f["system"] = f"{value:016x}"
        else:
            f["up_to" if kind == "ACK" else "token"] = value
    elif kind == "MORE":
        f.update(zip(("number", "transfer"), struct.unpack("<QI", items.take(12))))
        f.update(more=has_more, body=body[12:].hex())
        demand(f["number"] > 0 and len(body) > 12, "number 0 or an empty piece")
    else:
        f["number"] = struct.unpack("<Q", items.take(8))[0]
        f["from"], f["to"] = addr_text(items.take(16)), addr_text(items.take(16))
        f["type"] = struct.unpack("<I", items.take(4))[0]
        demand(f["number"] > 0 and f["to"] != "none" and f["type"] > 0, "number, to or type 0")
        if has_more:
            f.update(zip(("transfer", "total"), struct.unpack("<IQ", items.take(12))))
            demand(0 < len(body) - 56 < f["total"] <= MESSAGE_MAX, "a total that cannot be")
        f["body"] = body[items.at:].hex()
    return f


def encode_frame(f):
    body = encode_body(f)
    has_more = f["kind"] == "DATA" and "transfer" in f or f["kind"] == "MORE" and f["more"]
    return struct.pack("<IBBH", len(body), NUMBERS[f["kind"]], has_more, 0) + body


def decode_header(data, limit=FRAME_MAX):
    """(length of the body, kind, has_more) of the 8 bytes of a header."""
    length, kind, flags, zero = struct.unpack("<IBBH", data)
    demand(kind in KINDS, "a kind that is none")
    demand(flags == 0 or flags == 1 and KINDS[kind] in ("DATA", "MORE"), "flags that mean nothing")
    demand(zero == 0, "a header that does not end in 0")
    demand(length <= limit, "a frame too long")
    return length, KINDS[kind], bool(flags)


def decode_frame(data):
    demand(len(data) >= 8, "no whole header")
    length, kind, has_more = decode_header(data[:8])
    demand(len(data) == 8 + length, "not a whole frame")
    return decode_body(kind, has_more, data[8:])


# ---- messages --------------------------------------------------------------------------------

NUMERIC = {  # kind: bytes, tag of an array, struct's letter
    "u8": (1, 64, "B"), "u16": (2, 69, "H"), "u32": (4, 70, "I"), "u64": (8, 71, "Q"),
    "i8": (1, 72, "b"), "i16": (2, 77, "h"), "i32": (4, 78, "i"), "i64": (8, 79, "q"),
    "f32": (4, 85, "f"), "f64": (8, 86, "d")}


class Shape:
    """What a shape's text says: fields of (name, kind or Shape, count or None)."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.fields = self._struct()
        self.rest = text[self.at:] == "+"
        demand(self.rest or self.at == len(text), "a shape with more behind it")

    def _word(self, stops):
        start = self.at
        while self.text[self.at] not in stops:
            self.at += 1
        return self.text[start:self.at]

    def _struct(self):
        fields = []
        self.at += 1                                    # {
        while self.text[self.at] != "}":
            name = self._word(":")
            self.at += 1
            kind = self._struct() if self.text[self.at] == "{" else self._word(",[}")
            count = None
            if self.text[self.at] == "[":
                self.at += 1
                count = int(self._word("]"))
                self.at += 1
            fields.append((name, kind, count))
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
        return fields


class Types:
    """The types of one direction: numbers, names, shapes."""

    def __init__(self):
        self.by_number, self.by_name = {}, {}

    def add(self, number, name, shape):
        self.by_number[number] = (name, Shape(shape))
        self.by_name[name] = (number, Shape(shape))


def hexed(data):
    return {"hex": data.hex()}


def put_stringy(value):
    if isinstance(value, str):
        return put_text(value)
    return put_bytes(bytes.fromhex(value["hex"]))


def put_float(kind, value):
    if isinstance(value, str):                          # its bits
        data = bytes.fromhex(value)
    else:
        data = struct.pack(">f" if kind == "f32" else ">d", value)
    return (b"\xfa" if kind == "f32" else b"\xfb") + data


def get_float(kind, data):
    value = struct.unpack(">f" if kind == "f32" else ">d", data)[0]
    return value if value == value and abs(value) != float("inf") else data.hex()


def put_value(types, kind, value):
    if isinstance(kind, list):
        return put_fields(types, kind, value)
    if kind in ("f32", "f64"):
        return put_float(kind, value)
    if kind in NUMERIC:
        return put_int(value)
    if kind == "bool":
        return TRUE if value else FALSE
    if kind == "addr":
        return put_bytes(addr_pack(value))
    if value is None:
        return NULL
    if kind == "msg":
        number, shape = types.by_name[value["type"]]
        return (put_head(ARRAY, 4) + put_head(UINT, number) + put_bytes(addr_pack(value["from"])) +
                put_bytes(addr_pack(value["to"])) + encode_message(types, shape, value["value"]))
    return put_stringy(value)


def put_fields(types, fields, value, rest=b"", more=0):
    out = [put_head(ARRAY, len(fields) + more), rest]
    for name, kind, count in fields:
        if kind == "chars":
            out.append(put_stringy(value[name]))
        elif count is None:
            out.append(put_value(types, kind, value[name]))
        elif not isinstance(kind, list) and kind in NUMERIC:
            _, tag, letter = NUMERIC[kind]
            data = struct.pack(f"<{count}{letter}", *value[name])
            out.append(put_head(TAG, tag) + put_bytes(data))
        else:
            out.append(put_head(ARRAY, count))
            out += [put_value(types, kind, element) for element in value[name]]
    return b"".join(out)


def encode_message(types, shape, value):
    if shape.rest or "+" in value:
        return put_fields(types, shape.fields, value, put_stringy(value["+"]), 1)
    return put_fields(types, shape.fields, value)


def get_value(types, kind, items, depth):
    if isinstance(kind, list):
        demand(depth < NESTING_MAX, "nested too deep")
        return get_fields(types, kind, items, depth + 1)
    found, value = items.next()
    if kind in ("f32", "f64"):
        demand(found == (F32 if kind == "f32" else F64), "no float")
        return get_float(kind, value)
    if kind in NUMERIC:
        size = NUMERIC[kind][0]
        demand(found == UINT or found == MINUS and kind[0] == "i", "no integer")
        demand(value < 1 << 8 * size - (kind[0] == "i"), "an integer too large")
        return value if found == UINT else -1 - value
    if kind == "bool":
        demand(found == SIMPLE and value is not None, "no bool")
        return value
    if kind == "addr":
        demand(found == BYTES and len(value) == 16, "no address")
        return addr_text(value)
    if found == SIMPLE:
        demand(value is None, "a bool for something larger")
        return None
    if kind == "msg":
        demand(found == ARRAY and value == 4, "no message")
        demand(depth < NESTING_MAX, "nested too deep")
        number = items.expect(UINT)
        demand(number in types.by_number, "a type never announced")
        name, shape = types.by_number[number]
        ends = [items.expect(BYTES), items.expect(BYTES)]
        demand(all(len(end) == 16 for end in ends), "no address")
        return {"type": name, "from": addr_text(ends[0]), "to": addr_text(ends[1]),
                "value": get_message(types, shape, items, depth + 1)}
    demand(found == BYTES or found == TEXT and kind == "str", "no text or bytes")
    return hexed(value) if found == BYTES else value


def get_numbers(kind, count, items):
    size, tag, letter = NUMERIC[kind]
    demand(items.expect(TAG) == tag, "another tag")
    data = items.expect(BYTES)
    demand(len(data) == size * count, "more or fewer numbers")
    return list(struct.unpack(f"<{count}{letter}", data))


def get_fields(types, fields, items, depth, count_is_read=False):
    if not count_is_read:
        items.expect(ARRAY, len(fields), len(fields))
    value = {}
    for name, kind, count in fields:
        if kind == "chars":
            found, text = items.next()
            demand(found in (TEXT, BYTES), "no text")
            data = text.encode() if found == TEXT else text
            demand(len(data) < count and 0 not in data, "a text too long, or with a NUL")
            value[name] = text if found == TEXT else hexed(text)
        elif count is None:
            value[name] = get_value(types, kind, items, depth)
        elif not isinstance(kind, list) and kind in NUMERIC:
            value[name] = get_numbers(kind, count, items)
        else:
            items.expect(ARRAY, count, count)
            value[name] = [get_value(types, kind, items, depth) for _ in range(count)]
    return value


def get_message(types, shape, items, depth):
    count = items.expect(ARRAY)
    has_rest = shape.rest or not shape.fields and count == 1
    demand(count == len(shape.fields) + has_rest, "more or fewer fields")
    rest = items.expect(BYTES) if has_rest else b""
    demand(shape.rest or not has_rest or rest, "an empty rest of a signal")
    value = get_fields(types, shape.fields, items, depth, True)
    if has_rest:
        value["+"] = hexed(rest)
    return value


def decode_message(types, shape, data):
    items = Items(data)
    value = get_message(types, shape, items, 0)
    items.end()
    return value


# ---- vectors ---------------------------------------------------------------------------------

def read_vectors(path):
    """Blocks of `key: value` lines between blank ones, each a dict; `hex` may be several."""
    block, blocks = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in list(lines) + ["\n"]:
            line = line.strip()
            if line.startswith("#"):
                continue
            if line:
                key, _, value = line.partition(":")
                block[key] = block.get(key, "") + value.strip()
            elif block:
                blocks.append(block)
                block = {}
    return blocks


def vector_types(blocks):
    types = Types()
    for block in blocks:
        if "shape" in block:
            types.add(len(types.by_number) + 1, block["type"], block["shape"])
    return types


def vector_encode(types, block):
    value = json.loads(block["value"])
    if "message" in block:
        return encode_message(types, types.by_name[block["type"]][1], value)
    return encode_frame(value)


def vector_decode(types, block, data):
    if "message" in block:
        return decode_message(types, types.by_name[block["type"]][1], data)
    return decode_frame(data)


def check_block(types, block):
    data = bytes.fromhex(block["hex"])
    try:
        value = vector_decode(types, block, data)
    except Wrong as wrong:
        return None if "error" in block else f"refused: {wrong}"
    if "error" in block:
        return f"taken, but: {block['error']}"
    if value != json.loads(block["value"]):
        return f"means {json.dumps(value)}"
    if block.get("again") != "no" and vector_encode(types, block) != data:
        return f"is written {vector_encode(types, block).hex()}"
    return None


def check(paths):
    count, bad = 0, 0
    for path in paths:
        blocks = read_vectors(path)
        types = vector_types(blocks)
        for block in blocks:
            if "hex" not in block:
                continue
            count += 1
            complaint = check_block(types, block)
            if complaint:
                bad += 1
                name = block.get("frame", block.get("message"))
                print(f"{path}: {name}: {complaint}")
    print(f"{count} vectors, {bad} of them wrong")
    return bad > 0 or count == 0


def fill(path):
    types = vector_types(read_vectors(path))
    block = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.strip().partition(":")
            if not line.strip():
                block = {}
            elif not line.startswith("#"):
                block[key] = value.strip()
            if key == "hex" and block.get("again") != "no" and "error" not in block:
                line = f"hex: {vector_encode(types, block).hex()}\n"
            sys.stdout.write(line)


def seeds(path, folder):
    os.makedirs(folder, exist_ok=True)
    blocks = read_vectors(path)
    types = vector_types(blocks)
    for block in (b for b in blocks if "hex" in b):
        data = bytes.fromhex(block["hex"])
        if "message" in block:                          # as tests/fuzz/codec.c takes it
            data = bytes([types.by_name[block["type"]][0]]) + data
        name = block.get("frame", block.get("message")).replace(" ", "-")
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


# ---- a socket --------------------------------------------------------------------------------

class Closed(Exception):
    """The other side closed; .frame is its CLOSE, or None."""

    def __init__(self, frame=None):
        super().__init__(frame["words"] if frame else "without a word")
        self.frame = frame


class Peer:
    """One connection of a small system. Every receive acknowledges, unless told otherwise."""

    def __init__(self, stream, system=1, name="peer.py", session=1):
        self.socket = stream
        self.system, self.name, self.session = system, name, session
        self.other, self.other_session = None, 0
        self.sent = self.came = 0
        self.ours, self.theirs = Types(), Types()
        self.pieces = {}
        self.returned = []

    @classmethod
    def dial(cls, host, port, timeout=20, **more):
        return cls(socket.create_connection((host, int(port)), timeout), **more)

    def raw(self, data):
        """Whatever bytes: to misbehave."""
        self.socket.sendall(data)

    def frame(self, **fields):
        self.raw(encode_frame(fields))

    def _take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise Closed()
            data += more
        return data

    def read(self):
        """The next frame, whichever."""
        length, kind, has_more = decode_header(self._take(8))
        frame = decode_body(kind, has_more, self._take(length))
        if kind == "CLOSE":
            raise Closed(frame)
        return frame

    def hello(self, **changes):
        fields = dict(kind="HELLO", low=1, high=1, features=0, system=f"{self.system:016x}",
                      name=self.name, admin=[1, 1], frame=FRAME_MAX, message=MESSAGE_MAX,
                      addresses=[], dialled=True, expected=f"{0:016x}")
        fields.update(changes)
        self.frame(**fields)

    def resume(self, count=0):
        self.frame(kind="RESUME", version=1, mine=self.session, yours=self.other_session,
                   last=self.came, count=count)

    def greet(self):
        """HELLO and RESUME, in the order the greater id asks for. Answers the other HELLO."""
        self.hello()
        self.other = self.read()
        demand(self.other["kind"] == "HELLO", "no HELLO first")
        if self.system < int(self.other["system"], 16):
            self.resume()
        theirs = self.read()
        demand(theirs["kind"] == "RESUME", "no RESUME after HELLO")
        if self.other_session not in (0, theirs["mine"]):
            self.sent = self.came = 0
        self.other_session = theirs["mine"]
        if self.system > int(self.other["system"], 16):
            self.resume(count=1)
        return self.other

    def announce(self, name, shape):
        number = len(self.ours.by_number) + 1
        self.ours.add(number, name, shape)
        self.sent += 1
        self.frame(kind="TYPE", number=self.sent, type=number, name=name, shape=shape)

    def send(self, to, name, value, sender="none", piece=65536):
        """One message of an announced type, in pieces if it is longer. Answers the number of
        its last frame."""
        number, shape = self.ours.by_name[name]
        body = encode_message(self.ours, shape, value)
        self.sent += 1
        first = dict(kind="DATA", number=self.sent, to=to, type=number, body=body[:piece].hex())
        first["from"] = sender
        if len(body) > piece:
            first.update(transfer=self.sent & U32, total=len(body))
        self.frame(**first)
        for at in range(piece, len(body), piece):
            self.sent += 1
            self.frame(kind="MORE", number=self.sent, transfer=first["transfer"],
                       more=at + piece < len(body), body=body[at:at + piece].hex())
        return self.sent

    def receive(self, acknowledge=True):
        """The next message: {from, to, name, value}. Answers pings, learns types on the way."""
        while True:
            frame = self.read()
            kind = frame["kind"]
            if kind == "PING":
                self.frame(kind="PONG", token=frame["token"])
            elif kind == "RETURNED":
                self.returned.append(frame)
            elif kind in ("TYPE", "DATA", "MORE"):
                message = self._numbered(frame)
                if acknowledge:
                    self.frame(kind="ACK", up_to=self.came)
                if message:
                    return message

    def _numbered(self, frame):
        if frame["number"] <= self.came:
            return None                                 # seen before
        demand(frame["number"] == self.came + 1, "a gap in the numbers")
        self.came += 1
        if frame["kind"] == "TYPE":
            demand(frame["type"] == len(self.theirs.by_number) + 1, "a type out of its turn")
            self.theirs.add(frame["type"], frame["name"], frame["shape"])
            return None
        data = bytes.fromhex(frame["body"])
        if frame["kind"] == "MORE":
            first = self.pieces[frame["transfer"]]
            first["data"] += data
            if frame["more"]:
                return None
            frame, data = first, first["data"]
            del self.pieces[frame["transfer"]]
            demand(len(data) == frame["total"], "pieces that are not the whole")
        elif "transfer" in frame:
            demand(frame["transfer"] not in self.pieces, "a transfer begun twice")
            self.pieces[frame["transfer"]] = dict(frame, data=data)
            return None
        demand(frame["type"] in self.theirs.by_number, "a type never announced")
        name, shape = self.theirs.by_number[frame["type"]]
        return {"from": frame["from"], "to": frame["to"], "name": name,
                "value": decode_message(self.theirs, shape, data)}

    def until_acknowledged(self):
        """Reads until all that was sent is acknowledged. Answers which messages were not read."""
        up_to = 0
        while up_to < self.sent:
            frame = self.read()
            if frame["kind"] in ("ACK", "RETURNED"):
                up_to = frame["up_to"]
            if frame["kind"] == "RETURNED":
                self.returned.append(frame)
            if frame["kind"] == "PING":
                self.frame(kind="PONG", token=frame["token"])
        return self.returned

    def close(self, reason=1, words="good bye"):
        self.frame(kind="CLOSE", reason=reason, words=words)
        self.socket.close()


def talk():
    """Messages of every size that matters, from one to the other."""
    ends = socket.socketpair()
    for end in ends:
        end.settimeout(20)
    asker, other = Peer(ends[0], system=1, session=7), Peer(ends[1], system=2, session=8)
    sizes = [0, 1, 23, 24, 255, 256, 4000, 65536, 65537, 200000]
    came = []

    def listen():
        other.greet()
        try:
            while True:
                came.append(other.receive())
        except Closed as closed:
            came.append(closed.frame)

    listener = threading.Thread(target=listen)
    listener.start()
    asker.greet()
    asker.announce("file", "{id:u64}+")
    for size in sizes:
        value = {"id": size, "+": hexed(bytes(range(256)) * (size // 256) + bytes(size % 256))}
        asker.send("0000000000000002.1.1", "file", value)
    asker.until_acknowledged()
    asker.close()
    listener.join()
    good = [message["value"]["id"] for message in came[:-1]] == sizes
    good = good and all(len(message["value"]["+"]["hex"]) == 2 * message["value"]["id"]
                        for message in came[:-1])
    good = good and asker.other["system"] == f"{2:016x}" and other.other_session == 7
    good = good and came[-1]["reason"] == 1
    print(f"{len(came) - 1} messages came, {'as they were' if good else 'wrong'}")
    return not good


def hello(host, port):
    peer = Peer.dial(host, port)
    print(json.dumps(peer.greet()))
    peer.close()


def main(arguments):
    commands = {"check": lambda *paths: check(paths), "fill": fill, "seeds": seeds, "hello": hello,
                "talk": talk}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 2
    return int(commands[arguments[0]](*arguments[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
