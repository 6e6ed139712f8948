"""Makes tests/cases/bad/<name>/: small malformed checkpoint folders, and what the refusal has to say.

    python recipes/bad_checkpoints.py      # any Python 3, standard library only

expected.txt: every line of it must occur in the one line of the error. The same bytes are written each time.
"""

import io
import json
import pickle
import shutil
import struct
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "tests/cases/bad"
CONFIG = json.dumps({"model_type": "bert", "hidden_size": 4})


def case(name, files, *expected):
    folder = ROOT / name
    folder.mkdir(parents=True)
    for path, content in {"config.json": CONFIG, **files}.items():
        if content is None:
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "expected.txt").write_text("\n".join(expected) + "\n")


def safetensors(header, data=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def tensor(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def weights(name, content, *expected):
    case("safetensors-" + name, {"model.safetensors": content}, "model.safetensors", *expected)


def make_safetensors():
    good = safetensors({"a": tensor()}, bytes(8))
    weights("empty-file", b"", "too short")
    weights("seven-bytes", bytes(7), "too short")
    weights("header-above-limit", struct.pack("<Q", 100_000_001), "100000001", "limit of 100 MB")
    weights("header-size-max", b"\xff" * 8 + b"{}", "limit of 100 MB")
    weights("header-cut-off", good[:20], "cut off inside its header")
    weights("header-size-zero", bytes(8), "not a JSON object")
    weights("header-is-list", safetensors(b"[]"), "not a JSON object")
    weights("header-is-number", safetensors(b"7"), "not a JSON object")
    weights("header-not-json", safetensors(b"{'a': 1}"), "not valid JSON")
    weights("header-two-values", safetensors(b"{} {}"), "not valid JSON")
    weights("header-leading-space", safetensors(b" {}"), "not a JSON object")
    weights("header-not-utf8", safetensors(b'{"\xff": 1}'), "not valid JSON")
    weights("header-nul", safetensors(b'{"a": \0}'), "not valid JSON")
    weights("header-deep", safetensors(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"), "not valid JSON")
    weights("header-size-one-less", safetensors({"a": tensor()}, bytes(8), size=len(json.dumps({"a": tensor()})) - 1), "not valid JSON")
    weights("data-cut-off", good[:-1], ": a", "0 to 8", "only 7")
    weights("data-left-over", good + b"x", "1 bytes after its last tensor")
    weights("no-tensors-but-data", safetensors({}, bytes(4)), "4 bytes after its last tensor")
    weights("entry-is-list", safetensors({"a": []}), ": a", "not an object")
    weights("entry-is-null", safetensors({"a": None}), ": a", "not an object")
    weights("no-dtype", safetensors({"a": {"shape": [], "data_offsets": [0, 0]}}), ": a", "no dtype")
    weights("dtype-unknown", safetensors({"a": tensor("F33")}, bytes(8)), ": a", '"F33"')
    weights("dtype-number", safetensors({"a": tensor(32)}, bytes(8)), ": a", "no dtype")
    weights("dtype-lower-case", safetensors({"a": tensor("f32")}, bytes(8)), ": a", '"f32"')
    weights("dtype-four-bit", safetensors({"a": tensor("F4", (16,))}, bytes(8)), ": a", '"F4"')
    weights("dtype-complex", safetensors({"a": tensor("C64", (1,))}, bytes(8)), ": a", '"C64"')
    weights("dtype-f8-used", safetensors({"a": tensor("F8_E4M3", (8,))}, bytes(8)), ": a", "stored as F8_E4M3")
    weights("dtype-too-wide", safetensors({"a": tensor("F64")}, bytes(8)), ": a", "has 8 bytes", "need 16")
    weights("no-shape", safetensors({"a": {"dtype": "F32", "data_offsets": [0, 0]}}), ": a", "no shape")
    weights("shape-is-number", safetensors({"a": {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}}, bytes(8)), ": a", "no shape")
    weights("shape-negative", safetensors({"a": tensor(shape=(-2,))}, bytes(8)), ": a", "its shape is not a whole number")
    weights("shape-fraction", safetensors({"a": tensor(shape=(2.0,))}, bytes(8)), ": a", "its shape is not a whole number")
    weights("shape-text", safetensors({"a": tensor(shape=("2",))}, bytes(8)), ": a", "its shape is not a whole number")
    weights("shape-too-large", safetensors({"a": tensor(shape=(3,))}, bytes(8)), ": a", "has 8 bytes", "need 12")
    weights("shape-too-small", safetensors({"a": tensor(shape=(1,))}, bytes(8)), ": a", "has 8 bytes", "need 4")
    weights("shape-nine-axes", safetensors({"a": tensor(shape=[1] * 8 + [2])}, bytes(8)), ": a", "more than 8 axes")
    weights("shape-overflow", safetensors({"a": tensor(shape=(2**33, 2**33))}, bytes(8)), ": a", "overflows 64 bits")
    weights("shape-overflow-to-eight", safetensors({"a": tensor(shape=(2**62 + 2**61, 2**3))}, bytes(8)), ": a", "overflows 64 bits")
    weights("shape-overflow-then-zero", safetensors({"a": tensor(shape=(2**62, 2**62, 0), offsets=(0, 0))}), ": a", "overflows 64 bits")
    weights("shape-above-signed", safetensors({"a": tensor("U8", (2**63,), (0, 2**63))}), ": a", "too large")
    weights("shape-above-64-bits", safetensors({"a": tensor(shape=(2**64,))}, bytes(8)), "not valid JSON")
    weights("no-offsets", safetensors({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), ": a", "data_offsets")
    weights("offsets-three", safetensors({"a": tensor(offsets=(0, 4, 8))}, bytes(8)), ": a", "data_offsets of two numbers")
    weights("offsets-negative", safetensors({"a": tensor(offsets=(-8, 0))}, bytes(8)), ": a", "data_offsets is not a whole number")
    weights("offsets-reversed", safetensors({"a": tensor(offsets=(8, 0))}, bytes(8)), ": a", "end before they begin")
    weights("offsets-outside", safetensors({"a": tensor(offsets=(8, 16))}, bytes(8)), ": a", "8 to 16", "only 8")
    weights("offsets-near-max", safetensors({"a": tensor(offsets=(2**64 - 9, 2**64 - 1))}, bytes(8)), ": a", "only 8")
    weights("overlap", safetensors({"a": tensor(), "b": tensor(offsets=(4, 12))}, bytes(12)), ": b", "overlaps another tensor")
    weights("same-bytes-twice", safetensors({"a": tensor(), "b": tensor()}, bytes(8)), "overlaps another tensor")
    weights("hole", safetensors({"a": tensor(), "b": tensor(offsets=(12, 20))}, bytes(20)), ": b", "leaves a hole")
    weights("hole-at-start", safetensors({"a": tensor(offsets=(4, 12))}, bytes(12)), ": a", "leaves a hole")
    weights("name-twice", safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', b"ab"),
            ": a", "named twice")
    weights("field-twice", safetensors(b'{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"a"), ": a", "the field dtype twice")
    weights("metadata-twice", safetensors(b'{"__metadata__":{},"__metadata__":{}}'), "__metadata__", "named twice")
    weights("metadata-list", safetensors({"__metadata__": []}), "__metadata__", "object of strings")
    weights("metadata-number", safetensors({"__metadata__": {"format": 1}}), "__metadata__", "object of strings")
    weights("name-with-line-break", safetensors({"a\nb\x1b[31m": []}), r": a\nb\x1b[31m", "not an object")
    weights("name-long", safetensors({"a" * 5000: []}), "aaa...", "not an object")


def index(name, content, *expected, **shards):
    text = content if isinstance(content, (bytes, str)) else json.dumps({"weight_map": content})
    files = {"model.safetensors.index.json": text}
    files |= {key.replace("_", "-") + ".safetensors": value for key, value in shards.items()}
    case("index-" + name, files, "model.safetensors.index.json", *expected)


def make_panels():
    """Quantized matrices: what __metadata__ says of them against what is there."""
    def panels(name, said, *expected, dtype="U8", shape=(544,), size=544):
        text = said if isinstance(said, str) else json.dumps(said)
        header = {"__metadata__": {"polymath.panels": text}, "w": tensor(dtype, shape, (0, size))}
        weights("panels-" + name, safetensors(header, bytes(size)), "polymath.panels", *expected)

    def said(version=1, **entry):
        return {"version": version, "tensors": {"w": {"storage": "q8", "shape": [16, 32], **entry}}}

    panels("not-json", "{", "not valid JSON")
    panels("list", "[]", "not an object with version and tensors")
    panels("no-tensors", {"version": 1}, "not an object with version and tensors")
    panels("version-2", said(version=2), "version 2", "knows 1")
    panels("unknown-tensor", {"version": 1, "tensors": {"v": {"storage": "q8", "shape": [16, 32]}}}, "v", "not in this file")
    panels("entry-list", {"version": 1, "tensors": {"w": []}}, "w", "not an object")
    panels("storage-q5", said(storage="q5"), "not q8 or q4")
    panels("no-shape", {"version": 1, "tensors": {"w": {"storage": "q8"}}}, "shape is not a list")
    panels("one-axis", said(shape=[512]), "shape is not a list")
    panels("size-zero", said(shape=[0, 32]), "size that is not from 1")
    panels("size-negative", said(shape=[-16, 32]), "size that is not from 1")
    panels("size-huge", said(shape=[2**40, 32]), "size that is not from 1")
    panels("size-text", said(shape=["16", 32]), "size that is not from 1")
    panels("product-huge", said(shape=[2**31 - 1, 2**31 - 1, 2**31 - 1]), "sixteens")
    panels("too-few-bytes", said(shape=[17, 32]), "544 bytes", "need 1088")
    panels("q4-too-many-bytes", said(storage="q4"), "544 bytes", "need 288")
    panels("of-floats", said(), "not a list of bytes", dtype="F32", shape=(136,))
    panels("of-two-axes", said(), "not a list of bytes", shape=(2, 272))
    panels("transposed-text", said(transposed="no"), "not true or false")
    panels("stack-transposed", said(shape=[1, 16, 32], transposed=True), "sixteens")


def make_indexes():
    index("empty", b"", "not a JSON object")
    index("not-json", "{", "not a JSON object")
    index("list", "[]", "not a JSON object")
    index("no-map", "{}", "no weight_map")
    index("map-is-list", '{"weight_map": []}', "no weight_map")
    index("file-is-number", {"a": 1}, ": a", "not a file name")
    index("file-empty", {"a": ""}, ": a", "not a file in this folder")
    index("file-absolute", {"a": "/etc/passwd"}, ": a", '"/etc/passwd" is not a file in this folder')
    index("file-parent", {"a": "../model.safetensors"}, ": a", '"../model.safetensors" is not a file in this folder')
    index("file-parent-inside", {"a": "x/../../y.safetensors"}, ": a", "is not a file in this folder")
    index("file-backslash", {"a": "..\\y.safetensors"}, ": a", "is not a file in this folder")
    index("file-nul", {"a": "x\0.safetensors"}, ": a", "x\\x00.safetensors", "is not a file in this folder")
    index("file-dot", {"a": "."}, ": a", "is not a file in this folder")
    index("file-slash-at-end", {"a": "x/"}, ": a", "is not a file in this folder")
    index("shard-missing", {"a": "gone.safetensors"}, "the shard gone.safetensors is not there")
    index("shard-is-index", {"a": "model.safetensors.index.json"}, "limit of 100 MB")
    index("name-twice", '{"weight_map": {"a": "x", "a": "y"}}', ": a", "named twice")
    index("tensor-missing", {"a": "one.safetensors", "b": "one.safetensors"}, ": b", "is not in one.safetensors",
          one=safetensors({"a": tensor()}, bytes(8)))
    case("index-tensor-in-two-shards", {
        "model.safetensors.index.json": json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}),
        "one.safetensors": safetensors({"a": tensor()}, bytes(8)),
        "two.safetensors": safetensors({"a": tensor(), "b": tensor(offsets=(8, 16))}, bytes(16))}, ": a", "in more than one file")
    case("index-shard-broken", {
        "model.safetensors.index.json": json.dumps({"weight_map": {"a": "one.safetensors"}}), "one.safetensors": b"abc"},
         "one.safetensors", "too short")


# Pickles by hand: the opcodes that torch.save writes.
def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value) if -2**31 <= value < 2**31 else b"\x8a\x08" + struct.pack("<q", value)


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def storage(key="0", elements=2, kind=b"ctorch\nFloatStorage\n", view=b""):
    return tuple_of(text("storage"), kind, text(key), text("cpu"), number(elements), view) + b"Q"


def rebuilt(store=None, offset=0, shape=(2,), strides=(1,), function=b"ctorch._utils\n_rebuild_tensor_v2\n"):
    arguments = tuple_of(storage() if store is None else store, number(offset), tuple_of(*map(number, shape)),
                         tuple_of(*map(number, strides)), b"\x89", b"ccollections\nOrderedDict\n)R")
    return function + arguments + b"R"


def program(value, key="a"):
    return b"\x80\x02}(" + text(key) + value + b"u."


def archive(data_pkl, storages=None, more=None, prefix="archive/", compression=zipfile.ZIP_STORED, order="little"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        entries = {"data.pkl": data_pkl, "byteorder": order, **(more or {})}
        entries |= {"data/" + key: data for key, data in ({"0": bytes(8)} if storages is None else storages).items()}
        for name, data in entries.items():
            if data is not None:
                z.writestr(zipfile.ZipInfo(prefix + name), data, compression)
    return out.getvalue()


def torch(name, content, *expected):
    case("torch-" + name, {"pytorch_model.bin": content}, "pytorch_model.bin", *expected)


def patched(data, old, new, last=False):
    at = data.rfind(old) if last else data.find(old)
    assert at >= 0
    return data[:at] + new + data[at + len(old):]


def make_zips():
    good = archive(program(rebuilt()))
    torch("empty-file", b"", "only 0")
    torch("zip-cut-off", good[:-30], "no end record")
    torch("zip-head-only", good[:60], "no end record")
    torch("zip-without-pickle", archive(None), "without data.pkl")
    torch("zip-compressed", archive(program(rebuilt()), compression=zipfile.ZIP_DEFLATED), "data.pkl", "compressed (method 8)")
    torch("zip-big-endian", archive(program(rebuilt()), order="big"), "big-endian")
    torch("zip-torchscript", archive(program(rebuilt()), more={"constants.pkl": b"."}), "TorchScript")
    torch("zip-entry-twice", archive(program(rebuilt()), more={"data/0": bytes(8), "datA/0": bytes(8)}).replace(b"datA", b"data"), "data/0", "twice")
    end = good.rfind(b"PK\5\6")
    directory = struct.unpack("<I", good[end + 16:end + 20])[0]
    torch("zip-directory-outside", good[:end + 16] + struct.pack("<I", 10**9) + good[end + 20:], "zip directory", "1000000000")
    torch("zip-directory-too-long", good[:end + 12] + struct.pack("<I", 10**8) + good[end + 16:], "zip directory")
    torch("zip-directory-shifted", good[:end + 16] + struct.pack("<I", directory + 1) + good[end + 20:], "zip directory")
    torch("zip-too-few-entries", good[:end + 10] + struct.pack("<H", 1) + good[end + 12:], "more than its 1 entries")
    torch("zip-too-many-entries", good[:end + 10] + struct.pack("<H", 9) + good[end + 12:], "zip directory", "only")
    torch("zip-second-disk", good[:end + 4] + struct.pack("<HH", 1, 1) + good[end + 8:], "several disks")
    entry = good.find(b"PK\1\2")

    def field(offset, format, value):
        at = entry + offset
        return good[:at] + struct.pack(format, value) + good[at + struct.calcsize(format):]
    torch("zip-encrypted", field(8, "<H", 1), "data.pkl", "encrypted")
    torch("zip-sizes-differ", field(20, "<I", 3), "data.pkl", "stored in 3 bytes")
    torch("zip-local-header-moved", field(42, "<I", 5), "data.pkl", "not where the zip directory says")
    torch("zip-local-header-outside", field(42, "<I", 2**31), "data.pkl", "2147483648")
    torch("zip-offset-in-missing-zip64", field(42, "<I", 2**32 - 1), "data.pkl", "4294967295")
    big = good[:entry + 20] + struct.pack("<II", 10**6, 10**6) + good[entry + 28:]
    torch("zip-entry-outside", big, "data.pkl", "only")
    locator = b"PK\6\7" + struct.pack("<IQI", 0, 10**12, 1)
    torch("zip64-record-outside", good[:end] + locator + good[end:], "zip64 end record", "1000000000000")
    torch("zip64-record-wrong", good[:end] + b"PK\6\7" + struct.pack("<IQI", 0, 0, 1) + good[end:], "zip64 end record is not where")


def make_pickles():
    def pickled(name, data_pkl, *expected, storages=None):
        torch("pickle-" + name, archive(data_pkl, storages), "pytorch_model.bin", *expected)

    pickled("empty", b"", "only 0")
    pickled("cut-off", program(rebuilt())[:-20], "only")
    pickled("no-stop", b"\x80\x02}", "only 3")
    pickled("protocol-9", b"\x80\x09}.", "unknown protocol 9")
    pickled("stack-empty", b".", "more from the stack than is there")
    pickled("mark-missing", b"\x80\x02t.", "no mark")
    pickled("pop-through-mark", b"\x80\x02K\x01(\x85.", "more from the stack than is there")
    pickled("os-system", pickle.dumps({"a": __import__("os").system}, 2), "system", "refused")
    pickled("eval", program(b"c__builtin__\neval\n" + tuple_of(text("1")) + b"R"), "__builtin__.eval", "refused")
    pickled("eval-stack-global", b"\x80\x04" + text("builtins") + text("eval") + b"\x93.", "builtins.eval", "refused")
    pickled("getattr", program(b"c__builtin__\ngetattr\n"), "__builtin__.getattr", "refused")
    pickled("numpy-array", program(b"cnumpy.core.multiarray\n_reconstruct\n"), "numpy.core.multiarray._reconstruct", "refused")
    pickled("torch-load", program(b"ctorch.serialization\nload\n"), "torch.serialization.load", "refused")
    pickled("sparse-tensor", program(rebuilt(function=b"ctorch._utils\n_rebuild_sparse_tensor\n")), "_rebuild_sparse_tensor", "refused")
    pickled("quantized-storage", program(rebuilt(storage(kind=b"ctorch\nQInt8Storage\n"))), "torch.QInt8Storage", "refused")
    pickled("global-with-control", program(b"cbad\x1b[31m\nname\n"), r"bad\x1b[31m.name", "refused")
    pickled("global-name-long", b"\x80\x02c" + b"x" * 300 + b"\ny\n.", "name of more than 256 bytes")
    pickled("global-not-text", b"\x80\x04K\x01K\x02\x93.", "global without a name")
    pickled("opcode-inst", b"(ios\nsystem\n.", "opcode 0x69")
    pickled("opcode-obj", b"\x80\x02(o.", "opcode 0x6f")
    pickled("opcode-newobj", b"\x80\x02)\x81.", "opcode 0x81")
    pickled("opcode-ext", b"\x80\x02\x82\x01.", "opcode 0x82")
    pickled("opcode-int-text", b"I12\n.", "opcode 0x49")
    pickled("opcode-zero", b"\0", "opcode 0x0")
    pickled("text-too-long", b"\x80\x02X\xff\xff\xff\xff.", "only")
    pickled("text-huge", b"\x80\x04\x8d" + b"\xff" * 8 + b".", "overflows 64 bits")
    pickled("get-before-put", b"\x80\x02h\x05.", "recalls the value 5")
    pickled("put-on-empty", b"\x80\x02q\x00.", "more from the stack than is there")
    pickled("memo-huge", b"\x80\x02}r\xff\xff\xff\xff.", "4 million values")
    pickled("memo-bomb", b"\x80\x02]q\x00" + b"(" + b"h\x00" * 1000 + b"e.", "not hold a dict")
    pickled("cyclic-list", b"\x80\x02]q\x00h\x00a.", "not hold a dict")
    pickled("cyclic-dict-value", b"\x80\x02}q\x00" + text("a") + b"h\x00s" + text("b") + storage() + b"s" + text("c") +
            rebuilt(store=b"h\x00") + b"s.", ": c", "has no storage")
    pickled("setitem-on-list", b"\x80\x02]K\x01K\x02s.", "not a dict")
    pickled("append-on-dict", b"\x80\x02}K\x01a.", "not a list")
    pickled("odd-items", b"\x80\x02}(K\x01u.", "key without a value")
    pickled("call-of-tuple", b"\x80\x02))R.", "what is not a function")
    pickled("call-without-tuple", b"\x80\x02ccollections\nOrderedDict\n}R.", "collections.OrderedDict without a tuple")
    pickled("ordered-dict-of-text", b"\x80\x02ccollections\nOrderedDict\n" + text("ab") + b"\x85R.", "not a list")
    pickled("ordered-dict-no-pairs", b"\x80\x02ccollections\nOrderedDict\n](K\x01e\x85R.", "not pairs")
    pickled("build-on-tuple", b"\x80\x02)}b.", "sets attributes")
    pickled("not-a-dict", b"\x80\x02].", "does not hold a dict")
    pickled("key-is-number", b"\x80\x02}K\x01" + rebuilt() + b"s.", "not a text")
    pickled("key-not-utf8", b"\x80\x02}X\x01\0\0\0\xff" + rebuilt() + b"s.", "not a text")
    pickled("parameter-without-tensor", program(b"ctorch._utils\n_rebuild_parameter\n)R"), ": a", "without a tensor")
    pickled("tensor-two-arguments", program(b"ctorch._utils\n_rebuild_tensor_v2\n" + tuple_of(storage(), number(0)) + b"R"), ": a", "not a tensor")
    pickled("storage-is-number", program(rebuilt(number(5))), ": a", "has no storage")
    pickled("storage-id-is-text", program(rebuilt(text("0") + b"Q")), "not a storage")
    pickled("storage-id-short", program(rebuilt(tuple_of(text("storage")) + b"Q")), "not a storage")
    pickled("storage-type-missing", program(rebuilt(storage(kind=text("F")))), "has no type")
    pickled("storage-missing", program(rebuilt()), ": a", "storage 0 is not in the file", storages={"1": bytes(8)})
    pickled("storage-short", program(rebuilt()), ": a", "has 7 bytes, not 2 elements", storages={"0": bytes(7)})
    pickled("storage-negative", program(rebuilt(storage(elements=-2))), "its size is not a whole number")
    pickled("storage-huge", program(rebuilt(storage(elements=2**62))), "overflows 64 bits")
    pickled("storage-view-outside", program(rebuilt(storage(view=tuple_of(text("v"), number(1), number(2))))), "view reaches past its end")
    pickled("storage-view-odd", program(rebuilt(storage(view=text("v")))), "not a tuple of three")
    pickled("offset-outside", program(rebuilt(offset=1)), ": a", "reaches element 2 of a storage of 2")
    pickled("offset-negative", program(rebuilt(offset=-1)), ": a", "its offset is not a whole number")
    pickled("shape-outside", program(rebuilt(shape=(3,))), ": a", "reaches element 2 of a storage of 2")
    pickled("shape-negative", program(rebuilt(shape=(-1,))), ": a", "its shape is not a whole number")
    pickled("shape-overflow", program(rebuilt(shape=(2**40, 2**40), strides=(0, 0))), ": a", "overflows 64 bits")
    pickled("shape-too-large", program(rebuilt(shape=(2**62,), strides=(0,))), ": a")
    pickled("shape-nine-axes", program(rebuilt(shape=(1,) * 9, strides=(1,) * 9)), ": a", "more than 8 axes")
    pickled("strides-too-few", program(rebuilt(shape=(1, 2))), ": a", "has 2 axes but 1 strides")
    pickled("stride-outside", program(rebuilt(strides=(2,))), ": a", "reaches element 2 of a storage of 2")
    pickled("stride-overflow", program(rebuilt(shape=(3,), strides=(2**63 - 1,))), ": a")
    pickled("stride-negative", program(rebuilt(strides=(-1,), offset=1)), ": a", "a stride is not a whole number")
    pickled("expanded-bomb", program(rebuilt(shape=(2**40,), strides=(0,))), ": a", "more than 4 times the file")


def make_legacy():
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    version = b"\x80\x02M\xe9\x03."
    system = b"\x80\x02}" + text("little_endian") + b"\x88s."

    def legacy(name, *parts_then_expected, parts):
        torch("legacy-" + name, b"".join(parts), *parts_then_expected)
    keys = b"\x80\x02](" + text("0") + b"e."
    data = struct.pack("<Q", 2) + bytes(8)
    good = program(rebuilt())
    legacy("wrong-magic", "neither a zip archive nor a legacy file", parts=[b"\x80\x02\x8a\x0a", b"x" * 10, b"."])
    legacy("magic-is-text", "neither a zip archive nor a legacy file", parts=[b"\x80\x02", text("x"), b"."])
    legacy("version-other", "unknown version", parts=[magic, b"\x80\x02M\xea\x03."])
    legacy("big-endian", "big-endian", parts=[magic, version, b"\x80\x02}" + text("little_endian") + b"\x89s.", good, keys, data])
    legacy("system-is-list", "not a dict", parts=[magic, version, b"\x80\x02].", good, keys, data])
    legacy("keys-not-list", "not a list", parts=[magic, version, system, good, b"\x80\x02}.", data])
    legacy("key-unknown", "storage 1, which no tensor describes",
           parts=[magic, version, system, good, b"\x80\x02](" + text("1") + b"e.", data])
    legacy("elements-differ", "has 3 elements, not 2", parts=[magic, version, system, good, keys, struct.pack("<Q", 3) + bytes(12)])
    legacy("data-cut-off", "only", parts=[magic, version, system, good, keys, data[:-1]])
    legacy("data-missing", "only", parts=[magic, version, system, good, keys])
    legacy("storage-not-listed", ": a", "storage 0 is not in the file", parts=[magic, version, system, good, b"\x80\x02]."])
    legacy("storage-twice", "in the file twice", parts=[magic, version, system, good, b"\x80\x02](" + text("0") * 2 + b"e.", data * 2])
    legacy("tar", "opcode 0x66", parts=[b"foo.tar" + bytes(100)])
    legacy("html-page", "opcode 0x3c", parts=[b"<!doctype html><html>Not found</html>"])
    legacy("lfs-pointer", "opcode", parts=[b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"])


def make_configs():
    def config(name, content, *expected):
        case("config-" + name, {"config.json": content}, *(["config.json"] if content is not None else []), *expected)

    config("missing", None, "no config.json")
    config("empty", "", "not valid JSON")
    config("cut-off", '{"model_type": "bert", "hidden', "not valid JSON")
    config("list", "[]", "must be a JSON object, not a list")
    config("text", '"bert"', "must be a JSON object, not a string")
    config("number", "1", "must be a JSON object, not a number")
    config("null", "null", "must be a JSON object, not null")
    config("comment", '{"a": 1} // x', "not valid JSON")
    config("single-quotes", "{'a': 1}", "not valid JSON")
    config("deep", '{"a":' * 100 + "1" + "}" * 100, "nested deeper than 64")
    config("deep-lists", "[" * 1000, "nested deeper than 64")
    config("not-utf8", b'{"model_type": "b\xffrt"}', "not valid JSON")
    config("number-out-of-range", '{"hidden_size": 1e999}', "out of range")
    config("id2label-list", '{"id2label": ["a"]}', "id2label", "must be an object, not a list")
    config("id2label-key-text", '{"id2label": {"a": "b"}}', "id2label", '"a" is not a label')
    config("id2label-key-negative", '{"id2label": {"-1": "b"}}', "id2label", '"-1"')
    config("id2label-key-huge", '{"id2label": {"99999999999999999999": "b"}}', "id2label", "is not a label")
    config("id2label-key-million", '{"id2label": {"1000000": "b"}}', "id2label", "is not a label")
    config("id2label-gap", '{"id2label": {"0": "a", "2": "b"}}', "id2label", "no label 1")
    config("id2label-control", '{"id2label": {"x\\ny": "b"}}', "id2label", r"x\ny")
    config("label2id-text", '{"label2id": {"a": "0"}}', "label2id", "must be a whole number, not a string")
    config("num-labels-negative", '{"num_labels": -1}', "num_labels", "-1 is out of range")
    config("num-labels-zero", '{"num_labels": 0}', "num_labels", "0 is out of range")
    config("num-labels-huge", '{"num_labels": 1000000000000}', "num_labels", "out of range")
    config("num-labels-text", '{"num_labels": "2"}', "num_labels", "must be a whole number, not a string")
    config("architectures-text", '{"architectures": "Bert"}', "architectures", "list of names")
    config("architectures-number", '{"architectures": [1]}', "architectures", "list of names")
    config("model-type-number", '{"model_type": 1}', "model_type", "must be a string, not a number")
    config("hidden-size-missing", '{"model_type": "bert"}', "hidden_size", "the field is missing")
    config("hidden-size-null", '{"hidden_size": null}', "hidden_size", "the field is missing")
    config("hidden-size-text", '{"hidden_size": "768"}', "hidden_size", "must be a whole number, not a string")
    config("hidden-size-fraction", '{"hidden_size": 7.5}', "hidden_size", "must be a whole number, not 7.5")
    config("hidden-size-zero", '{"hidden_size": 0}', "hidden_size", "is 0, must be at least 1")
    config("hidden-size-negative", '{"hidden_size": -768}', "hidden_size", "is -768")
    config("hidden-size-huge", '{"hidden_size": 4294967296}', "hidden_size", "out of range")
    config("hidden-size-above-double", '{"hidden_size": 1e300}', "hidden_size", "must be a whole number")
    config("hidden-size-bool", '{"hidden_size": true}', "hidden_size", "must be a whole number, not a boolean")
    config("hidden-size-nan", '{"hidden_size": NaN}', "hidden_size", "must be a whole number")


def main():
    for folder in ROOT.glob("*"):
        if folder.name.split("-")[0] in ("safetensors", "index", "torch", "config", "no"):
            shutil.rmtree(folder)
    make_safetensors()
    make_panels()
    make_indexes()
    make_zips()
    make_pickles()
    make_legacy()
    make_configs()
    case("no-weights", {}, "has no weights")
    case("no-weights-but-onnx", {"model.onnx": b"x"}, "has no weights")
    print(len(list(ROOT.glob("*"))), "folders")


if __name__ == "__main__":
    main()
