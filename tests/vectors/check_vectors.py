"""Compares every vector of docs/vectors.json with its decoding by decode.py.

Usage: python3 check_vectors.py docs/vectors.json. Prints each disagreement and, last, the numbers of comparisons and disagreements. The
exit code is 1 if there is one.
"""
import json
import sys

from decode import Bits, Field, Frames, Replica, extended, hash_steps, rotl, signed, unpack


class Tally:
    def __init__(self):
        self.count, self.faults = 0, []

    def agree(self, place, expected, actual):
        """Compares as JSON, so that `true` is not 1. The order of members has no meaning. `actual` may be a function that reads."""
        self.count += 1
        try:
            found = plain_numbers(actual() if callable(actual) else actual)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if json.dumps(expected, sort_keys=True) != json.dumps(found, sort_keys=True):
            self.faults.append(f"{place}\n  vector:  {json.dumps(expected)}\n  decoder: {json.dumps(found)}")


def plain_numbers(value):
    """JSON has one form of a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: plain_numbers(member) for key, member in value.items()}
    return value


def check_codes(tally, codes):
    for vector in codes["varint"]:
        tally.agree(f"varint {vector['number']}", vector["number"], Bits.of(bytes.fromhex(vector["hex"])).varint())
    for vector in codes["zigzag"]:
        tally.agree(f"zigzag {vector['value']}", vector["value"], signed(vector["number"]))
    for vector in codes["small"]:
        tally.agree(f"small {vector}", vector["number"], Bits(vector["bits"]).small(vector["order"]))


def packed_of(field, value):
    """The packed form of a value, to begin a change with."""
    if field.inner:
        return None if value is None else (packed_of(field.inner, value),)
    if field.choices:
        return field.choices.index(value)
    return round((value - field.least) / field.unit) if field.ranged else value


def check_fields(tally, vectors):
    for vector in vectors:
        field = Field(vector["shape"])
        for sample in vector["values"]:
            bits = Bits(sample["bits"])
            tally.agree(f"{vector['shape']} as a value", sample["value"], field.value(field.read(bits)))
            tally.agree(f"{vector['shape']}: bits of {sample['value']}", len(sample["bits"]), bits.at)
        for sample in vector["changes"]:
            bits = Bits(sample["bits"])
            packed = field.change(bits, packed_of(field, sample["from"]), sample["step"])
            tally.agree(f"{vector['shape']} from {sample['from']}", sample["to"], field.value(packed))
            tally.agree(f"{vector['shape']}: bits to {sample['to']}", len(sample["bits"]), bits.at)


def check_digests(tally, digests):
    for vector in digests["hashes"]:
        steps = hash_steps(bytes.fromhex(vector["hex"]))
        tally.agree(f"the hash of {vector['hex']}", {key: vector[key] for key in steps}, steps)
    before = 0
    for vector in digests["digests"]:
        data = bytes.fromhex(vector["hex"])
        turned = rotl(before, 5)
        value = hash_steps(data)["hash"]
        steps = {"hash": value, "rotated": f"{turned:08x}", "xored": f"{turned ^ value:08x}", "digest": extended(before, data)}
        tally.agree(f"the digest of message {vector['number']}", {key: vector[key] for key in steps}, steps)
        before = steps["digest"]


def check_conversation(tally, conversation, statuses):
    """Counts and digests both directions (N1 to N4), and compares them at the resume (A3, A11)."""
    frames = Frames(conversation["types"], statuses)
    digests = {"client": [0], "server": [0]}
    following = {"client": 1, "server": 1}
    replica = None
    for index, step in enumerate(conversation["steps"]):
        if "hex" not in step:
            continue
        place, sender, data = f"step {index} of the conversation", step["from"], bytes.fromhex(step["hex"])
        if data[0] == 0x82:
            tally.agree(place, step["json"], lambda: replica.apply(data))
            tally.agree(f"{place}, cells", step["cells"], replica.cells())
            continue
        frame = frames.read(data)
        tally.agree(place, step["json"], frame)
        if frame["frame"] == "REPLICA" and replica is None:
            replica = Replica(frame)
        if frame["frame"] == "HELLO" and frame["resume"]:
            claim = frame["resume"]
            following["server"] = claim["handled"] + 1
            tally.agree(f"{place}, digest of the claim", claim["digest"], digests["server"][claim["handled"]])
        if frame["frame"] == "WELCOME":
            following["client"] = frame["received"] + 1
            tally.agree(f"{place}, digest", frame["digest"], digests["client"][frame["received"]])
        if frame["frame"] == "HAVE":
            held = [{key: cell[key] for key in ("x", "y", "version")} for cell in replica.cells()]
            tally.agree(f"{place}, held cells", frame["replicas"][0]["cells"], held)
        if data[0] >> 6 == 1:  # W2
            number = following[sender]
            following[sender] += 1
            digests[sender] = digests[sender][:number] + [extended(digests[sender][number - 1], data)]
            tally.agree(f"{place}, counted", step["counted"], {"number": number, "digest": digests[sender][number]})


def main(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    tally = Tally()
    frames = Frames(vectors["types"], vectors["statuses"])
    for vector in vectors["values"]:
        tally.agree(f"the value {vector['hex']}", vector["json"], lambda: unpack(bytes.fromhex(vector["hex"])))
    for vector in vectors["frames"]:
        tally.agree(f"the frame \"{vector['name']}\"", vector["json"], frames.read(bytes.fromhex(vector["hex"])))
    for vector in vectors["readings"]:
        tally.agree(f"the reading \"{vector['what']}\"", vector["json"], frames.read(bytes.fromhex(vector["hex"])))
    check_codes(tally, vectors["codes"])
    check_fields(tally, vectors["fields"])
    for sequence in vectors["replicas"]:
        described = frames.read(bytes.fromhex(sequence["replica"]["hex"]))
        tally.agree(f"REPLICA of \"{sequence['name']}\"", sequence["replica"]["json"], described)
        replica = Replica(described)
        for index, vector in enumerate(sequence["frames"]):
            place = f"CELLS {index} of \"{sequence['name']}\""
            data = bytes.fromhex(vector["hex"])
            tally.agree(place, vector["json"], lambda: replica.apply(data))
            tally.agree(f"{place}, cells", vector["cells"], replica.cells())
    check_digests(tally, vectors["digests"])
    check_conversation(tally, vectors["conversation"], vectors["statuses"])
    for vector in vectors["profile20"]:
        tally.agree(f"2.0 \"{vector['name']}\"", vector["json"], lambda: unpack(bytes.fromhex(vector["hex"])))
    print("\n".join(tally.faults + [f"{tally.count} comparisons, {len(tally.faults)} disagree"]))
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
