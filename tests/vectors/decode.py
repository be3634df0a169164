"""Decodes frames of hawser.1 and replicas by docs/protocol.md, whose rules the comments cite. check_vectors.py runs it.

It uses the rules of the text and nothing of Hawser's code. It needs Debian's package python3-msgpack.
"""
import math

import msgpack

SAFE = 2**53 - 1


class Bad(Exception):
    """The message is bad (M7)."""


# --- values (section 3) -----------------------------------------------------------------------------------------------


def checked_map(pairs):
    for key, _ in pairs:
        if not isinstance(key, str) or len(key.encode()) > 128 or key == "__proto__":  # G4
            raise Bad("a key")
    return dict(pairs)


ABSENT = object()  # W24


def foreign(code, data):
    if code == 0 and data == b"\0":
        return ABSENT
    raise Bad(f"the extension {code}")  # G5


def plain(value, depth=0):
    """The value as JSON, with the maps of `about` for the values that JSON lacks."""
    if value is ABSENT:  # W24: nowhere but in the place of a payload
        raise Bad("an absent value")
    if isinstance(value, (list, dict)) and depth >= 32:  # G3
        raise Bad("depth")
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, bytes):
        return {"$binary": value.hex()}
    if isinstance(value, msgpack.Timestamp):
        return {"$timestampMs": value.seconds * 1000 + value.nanoseconds // 1_000_000}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > SAFE:  # G5
        raise Bad("an integer beyond 2^53 - 1")
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, float) and value.is_integer():  # G11
        return int(value)
    return value


def unpack(data, payload_at=None):
    """One value. The item `payload_at` of an array may be absent."""
    try:
        value = msgpack.unpackb(data, object_pairs_hook=checked_map, ext_hook=foreign, strict_map_key=False)
        if payload_at is None or not isinstance(value, list):
            return plain(value)
        return [
            item if item is ABSENT and at == payload_at else plain(item, 1) for at, item in enumerate(value)
        ]
    except Bad:
        raise
    except Exception as cause:  # G1, G2: not exactly one value
        raise Bad(str(cause)) from cause


# --- frames (section 4) -----------------------------------------------------------------------------------------------


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def count(value):  # W4; `plain` has made an integer of a whole float
    if not whole(value) or not 0 <= value <= SAFE:
        raise Bad("no count")
    return value


def digest(value):
    if count(value) >= 2**32:
        raise Bad("no digest")
    return value


def text(value):
    if not isinstance(value, str):
        raise Bad("no text")
    return value


def anything(value):
    return value


def array(value):
    if not isinstance(value, list):
        raise Bad("no array")
    return value


def nil_or(kind):
    return lambda value: None if value is None else kind(value)


def parts(required, optional=()):
    """Reads an array of elements by name. Optional ones are left out if they are absent, nil or of another shape."""

    def read(value):
        array(value)
        if len(value) < len(required):
            raise Bad("too few elements")
        named = {name: kind(item) for (name, kind), item in zip(required, value)}
        for (name, kind), item in zip(optional, value[len(required):]):
            try:
                if item is not None:
                    named[name] = kind(item)
            except Bad:
                pass
        return named

    return read


BOUNDS = parts([("maxBytes", count), ("maxDepth", count), ("maxElements", count), ("maxKeyBytes", count)])
CLAIM = parts([("sessionId", text), ("resumeToken", text), ("handled", count), ("digest", digest),
               ("sent", count)])  # W9
AUTHOR = parts([("user", text)], [("member", count)])  # W17
LIFE = [("epoch", text), ("topic", text)]  # W18


def cells(value):
    if len(array(value)) % 3 != 0 or not all(whole(number) for number in value):
        raise Bad("no cells")
    return [dict(zip(("x", "y", "version"), value[at : at + 3])) for at in range(0, len(value), 3)]


HOLD = parts([("name", text), ("cells", cells)], LIFE)


def many(kind):
    return lambda value: [kind(item) for item in array(value)]


def mapping(value):
    if not isinstance(value, dict):
        raise Bad("no map")
    return value


# W13
CATEGORIES = ["validation", "permission", "system", "rate_limit"]
ERROR = parts([], [("code", text), ("message", text), ("category", count), ("retryAfterMs", count), ("details", mapping)])


# W24: the element of a frame that may be absent, by its first byte.
PAYLOAD_AT = {0x40: 1, 0x41: 1, 0x42: 2, 0x43: 1, 0x46: 3, 0x80: 1, 0x81: 2}


class Frames:
    """Reads frames with a type table, as it was in WELCOME (W5)."""

    def __init__(self, types, statuses):
        def kind_of(value):  # W6
            return types[count(value)] if count(value) < len(types) else f"#{value}"

        typed = ("type", kind_of)
        payload = ("payload", anything)
        author = [("author", AUTHOR)]
        counts = parts([("number", count), ("handled", count)])
        self.statuses = statuses
        self.readers = {
            0x01: ("HELLO", parts([("version", count), ("token", text), ("resume", nil_or(CLAIM)), ("clientId", text),
                                   ("dial", count)], [("limits", BOUNDS), ("contract", text)])),
            0x02: ("WELCOME", parts([("sessionId", text), ("resumeToken", nil_or(text)), ("flags", count), ("received", count),
                                     ("handled", count), ("unread", anything), ("limits", BOUNDS), ("expiresInMs", nil_or(count)),
                                     ("types", many(text)), ("refusal", nil_or(text)), ("digest", digest)])),
            0x03: ("AUTH", parts([("token", text)])),
            0x04: ("AUTHREQ", parts([("expiresInMs", count)])),
            0x05: ("AUTHOK", parts([("expiresInMs", nil_or(count))])),
            0x06: ("ACK", parts([("handled", count)], [("stateFrames", count)])),
            0x07: ("PING", counts),
            0x08: ("PONG", counts),
            0x09: ("GOAWAY", parts([("reason", text), ("startInMs", count), ("deadlineMs", count)],
                                   [("flags", count), ("address", text), ("backInMs", count)])),
            0x0A: ("RESET", parts([("cause", text), ("received", count)])),
            0x0B: ("SYNC", parts([("count", count), ("digest", digest)])),
            0x0C: ("BUSY", parts([("retryAfterMs", count)])),
            0x10: ("THROTTLED", parts([("limit", text), ("forMs", count)])),
            0x0D: ("BYE", parts([("code", text)], [("message", text), ("details", mapping)])),
            0x0E: ("HAVE", parts([("replicas", many(HOLD))])),
            0x0F: ("VOID", parts([("requests", many(count))])),
            0x40: ("EVENT", parts([typed, payload])),
            0x41: ("REQ", self.request(parts([typed, payload, ("budgetMs", count)]))),
            0x42: ("RES", self.outcome),
            0x43: ("ITEM", parts([("request", count), payload])),
            0x44: ("END", self.outcome),
            0x45: ("CANCEL", parts([("request", count)])),
            0x46: ("CHAN", parts([("topic", text), ("offset", count), typed, payload], author)),
            0x47: ("CREDIT", parts([("request", count), ("items", count)])),
            0x80: ("VEVENT", parts([typed, payload], [("topic", text)] + author)),
            0x81: ("VKEYED", parts([("key", text), typed, payload], author)),
            0x83: ("REPLICA", parts([("number", count), ("name", text), ("fields", array)], LIFE)),
        }

    @staticmethod
    def request(read):
        def with_key(value):  # W22: absent, never nil
            named = read(value)
            return {**named, "key": text(value[3])} if len(value) > 3 else named

        return with_key

    def outcome(self, value):  # W13
        named = parts([("request", count), ("status", count)])(value)
        status = named.pop("status")
        rest = value[2] if len(value) > 2 else None
        if status == 0:
            return {**named, "payload": rest}
        error = ERROR(rest)
        error.setdefault("code", self.statuses.get(str(status), "sys_internal_error"))
        error["category"] = dict(enumerate(CATEGORIES)).get(error.get("category"), "system")
        return {**named, "error": error}

    def read(self, data):
        """The frame as JSON; `ignored` or `bad`."""
        try:
            return self.decoded(data)
        except Bad:
            return "bad"

    def decoded(self, data):
        if not data:
            raise Bad("no byte")
        body = array(unpack(data[1:], PAYLOAD_AT.get(data[0])))
        if 0x11 <= data[0] <= 0x3F:  # W8
            return "ignored"
        if data[0] not in self.readers:  # W7
            raise Bad("unknown")
        name, read = self.readers[data[0]]
        named = read(body)
        named.pop("unread", None)
        if named.get("payload") is ABSENT:
            named.pop("payload")
        if name == "END" and "error" not in named:
            named.pop("payload", None)
        if name == "BYE":
            named.setdefault("message", "")
        topic = named["key"].split("\n")[0] if name == "VKEYED" else ""  # W14
        return {"frame": name, **named, **({"topic": topic} if topic else {})}


# --- replicas (F4 to F16) ---------------------------------------------------------------------------------------------


class Bits:
    """Reads bits, the highest of a byte first (F14)."""

    def __init__(self, digits):
        self.digits = digits
        self.at = 0

    @classmethod
    def of(cls, data):
        return cls("".join(f"{byte:08b}" for byte in data))

    def take(self, size):
        if self.at + size > len(self.digits):
            raise Bad("the bits end too early")
        self.at += size
        return int(self.digits[self.at - size : self.at] or "0", 2)

    def varint(self):
        value = shift = 0
        while True:
            group = self.take(8)
            value |= (group & 0x7F) << shift
            shift += 7
            if group < 0x80:
                return value

    def small(self, order):
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
        scaled = (1 << zeros) | self.take(zeros)
        return (scaled - 1 << order) | self.take(order)

    def text(self):
        return bytes(self.take(8) for _ in range(self.varint())).decode()

    def align(self):
        self.at += -self.at % 8


def signed(number):  # zigzag
    return -(number + 1) // 2 if number % 2 else number // 2


class Field:
    """A field by its kind in REPLICA (F15). Packed values: numbers, texts, and None if absent."""

    def __init__(self, kind):
        self.name, *rest = kind
        self.inner = Field(rest[0]) if self.name == "optional" else None
        self.choices = rest[0] if self.name == "oneOf" else None
        self.least = rest[0] if len(rest) > 1 else 0
        self.unit = rest[2] if self.name == "real" else 1
        self.ranged = self.name == "real" or (self.name == "integer" and len(rest) == 2)
        last = 0
        if self.ranged:
            last = math.floor((rest[1] - rest[0]) / self.unit + 0.5)
        elif self.choices:
            last = len(self.choices) - 1
        self.last = 1 if self.name == "flag" else last
        self.size = self.last.bit_length()

    def value(self, packed):
        if self.name == "flag":
            return packed == 1
        if self.choices:
            return self.choices[packed]
        if self.inner:
            return None if packed is None else self.inner.value(packed[0])
        return self.least + packed * self.unit if self.ranged else packed

    def read(self, bits):
        if self.inner:
            return (self.inner.read(bits),) if bits.take(1) else None
        if self.name == "text":
            return bits.text()
        if self.name == "integer" and not self.ranged:
            return signed(bits.varint())
        return self.in_range(bits.take(self.size))

    def in_range(self, packed):
        if not 0 <= packed <= self.last:
            raise Bad("a value beyond its range")
        return packed

    def change(self, bits, before, step=0):
        """A changed value (F7)."""
        if self.inner:
            if not bits.take(1):
                return None
            return (self.inner.read(bits) if before is None else self.inner.change(bits, before[0]),)
        if self.ranged:
            if step != 0 and bits.take(1):
                return self.in_range(before + step)
            return self.in_range(before + signed(bits.small(3)))
        if self.name == "integer":
            return before + signed(bits.varint())
        return self.read(bits)


class Record:
    def __init__(self, name, packed, steps):
        self.name, self.packed, self.steps = name, packed, steps


class Cell:
    def __init__(self, x, y):
        self.x, self.y, self.version, self.places = x, y, 0, {}


class Replica:
    """A copy of a replica: applies CELLS, and shows its parts and its cells."""

    def __init__(self, frame):
        self.fields = [(name, Field(kind)) for name, kind in frame["fields"]]
        self.numbered, self.earlier = {}, []

    def shown(self, packed, chosen=None):
        return {name: field.value(packed[at]) for at, (name, field) in enumerate(self.fields) if chosen is None or at in chosen}

    def apply(self, data):
        bits = Bits.of(data[1:])
        head = bits.varint()  # F5
        if head % 2:
            self.earlier, self.numbered = self.earlier + list(self.numbered.values()), {}
        read = [self.delta, self.snapshot, self.drop, self.keep]
        shown = []
        while bits.at < len(bits.digits):
            part = bits.varint()
            number, kind = part // 4, part % 4
            name = ["delta", "snapshot", "drop", "keep"][kind]
            shown.append({"cell": number, "kind": name, **read[kind](bits, number)})
            bits.align()
        if head % 2:
            self.earlier = []  # F8
        return {"frame": "CELLS", "number": head // 2, "fresh": head % 2 == 1, "parts": shown}

    def cells(self):
        cells = sorted(self.numbered.values(), key=lambda cell: (cell.y, cell.x))
        return [{"x": cell.x, "y": cell.y, "version": cell.version,
                 "records": {record.name: self.shown(record.packed) for _, record in sorted(cell.places.items())}} for cell in cells]

    def entry(self, bits):
        return Record(bits.text(), [field.read(bits) for _, field in self.fields], [0] * len(self.fields))

    def snapshot(self, bits, number):  # F6
        x, y = signed(bits.varint()), signed(bits.varint())
        version, first = bits.varint(), bits.take(1) == 1
        cell = Cell(x, y) if first else self.numbered[number]
        self.numbered[number] = cell
        cell.version = version
        place, entries = -1, []
        for _ in range(bits.varint()):
            place += 1 + bits.small(1)
            record = self.entry(bits)
            steps = None
            if bits.take(1):
                record.steps = [signed(bits.small(3)) if field.ranged else 0 for _, field in self.fields]
                steps = {name: record.steps[at] for at, (name, field) in enumerate(self.fields) if field.ranged}
            cell.places[place] = record
            entries.append({"place": place, "id": record.name, "fields": self.shown(record.packed), "steps": steps})
        return {"x": x, "y": y, "version": version, "first": first, "entries": entries}

    def mask(self, bits):
        chosen = [bits.take(1) for _ in self.fields]
        return [at for at in range(len(self.fields)) if chosen[-1 - at]]  # the last field first

    def changed(self, bits, place, record, chosen):
        packed = list(record.packed)
        for at in chosen:
            packed[at] = self.fields[at][1].change(bits, packed[at], record.steps[at])
        record.steps = [packed[at] - record.packed[at] if field.ranged else 0 for at, (_, field) in enumerate(self.fields)]  # F16
        record.packed = packed
        return {"place": place, "kind": "change", "fields": self.shown(packed, chosen)}

    def delta(self, bits, number):  # F7
        cell = self.numbered[number]
        cell.version += 1
        if bits.take(1):
            chosen = self.mask(bits)
            return {"changes": [self.changed(bits, place, cell.places[place], chosen) for place in sorted(cell.places)]}
        place, chosen, changes = -1, None, []
        for _ in range(bits.small(1)):
            place += 1 + bits.small(1)
            if bits.take(1) == 0:
                if chosen is None or bits.take(1) == 0:
                    chosen = self.mask(bits)
                changes.append(self.changed(bits, place, cell.places[place], chosen))
            elif bits.take(1) == 0:
                cell.places[place] = self.entry(bits)
                changes.append({"place": place, "kind": "enter", "id": cell.places[place].name,
                                "fields": self.shown(cell.places[place].packed)})
            else:
                del cell.places[place]
                changes.append({"place": place, "kind": "leave"})
        return {"changes": changes}

    def drop(self, bits, number):
        del self.numbered[number]
        return {}

    def keep(self, bits, number):  # F8
        x, y = signed(bits.varint()), signed(bits.varint())
        self.numbered[number] = next(cell for cell in self.earlier if (cell.x, cell.y) == (x, y))
        return {"x": x, "y": y}


# --- hashes and digests (N3) ------------------------------------------------------------------------------------------


def rotl(value, by):
    return (value << by | value >> 32 - by) & 0xFFFFFFFF


def imul(one, other):
    return one * other & 0xFFFFFFFF


def hash_steps(data):
    """MurmurHash3 x86_32 with seed 0, step by step."""
    value, blocks, rest = 0, [], None
    for at in range(0, len(data), 4):
        block = int.from_bytes(data[at : at + 4], "little")
        mixed = imul(rotl(imul(block, 0xCC9E2D51), 15), 0x1B873593)
        value ^= mixed
        is_whole = at + 4 <= len(data)
        if is_whole:
            value = imul(rotl(value, 13), 5) + 0xE6546B64 & 0xFFFFFFFF
        step = {"block": f"{block:08x}", "mixed": f"{mixed:08x}", "hash": f"{value:08x}"}
        if is_whole:
            blocks.append(step)
        else:
            rest = step
    value ^= len(data)
    end = [value]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value = imul(value ^ value >> shift, factor)
        end.append(value)
    return {"blocks": blocks, "rest": rest, "end": [f"{one:08x}" for one in end], "hash": value ^ value >> 16}


def extended(digest_before, data):
    return imul(rotl(digest_before, 5) ^ hash_steps(data)["hash"], 0x9E3779B1)
