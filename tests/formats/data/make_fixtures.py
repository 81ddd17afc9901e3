"""Makes the files of this folder and the seeds of ../corpus. Needs numpy, torch and safetensors."""
import argparse
import collections
import io
import pathlib
import shutil
import struct
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent / "corpus"


def arange(*shape, dtype=torch.float32):
    return torch.arange(torch.Size(shape).numel(), dtype=dtype).reshape(shape)


def safetensors_files():
    save_file(
        {
            "f32": arange(2, 3) / 2,
            "f64": torch.tensor([0.1, -1e300], dtype=torch.float64),
            "f16": torch.tensor([0.5, 65504.0], dtype=torch.float16),
            "bf16": torch.tensor([1.0, -2.0, 3.140625], dtype=torch.bfloat16),
            "scalar": torch.tensor(-7),
            "empty": torch.zeros(0, 4),
            "bool": torch.tensor([True, False, True]),
            "u8": torch.tensor([0, 255, 3], dtype=torch.uint8),
        },
        HERE / "mixed.safetensors",
        {"format": "pt", "note": "caf\u00e9"},
    )
    save_file(
        {
            "conv.weight": arange(2, 3, 2, 2),
            "conv.bias": torch.tensor([0.5, -0.5]),
            "bn.num_batches_tracked": torch.tensor(3),
            "mask": torch.tensor([1, 0, 1], dtype=torch.uint8),
        },
        HERE / "aligned.safetensors",
        {"format": "pt"},
    )


def small_model():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 2), torch.nn.BatchNorm2d(2))
    with torch.no_grad():
        model[0].weight.copy_(arange(2, 1, 2, 2))
        model[0].bias.copy_(torch.tensor([0.5, -0.5]))
    return model


def torch_files():
    model = small_model()
    state = model.state_dict()
    torch.save(state, HERE / "state_dict.pth")
    torch.save(state, HERE / "protocol4.pth", pickle_protocol=4)
    torch.save(state, HERE / "legacy.pth", _use_new_zipfile_serialization=False)
    base = arange(4, 6)
    torch.save(
        {"model": {"transposed": base.t(), "row": base[2], "half": torch.tensor([0.5, 1.0]).half()}, "epoch": 3},
        HERE / "legacy_views.pth",
        _use_new_zipfile_serialization=False,
    )
    # As before PyTorch 0.4: parameters by class, tensors by the first _rebuild_tensor.
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("7") + text("cpu") + number(2) + b"NtQ"
    old = b"ctorch._utils\n_rebuild_tensor\n(" + storage + number(0) + number(2) + b"\x85" + number(1) + b"\x85tR"
    old = b"ctorch.nn.parameter\nParameter\n" + old + b"\x85\x81\x88\x89N\x87b"
    data = struct.pack("<q2f", 2, 0.5, 1.5)
    (HERE / "legacy_2017.pth").write_bytes(legacy(pickle(b"}" + text("w") + old + b"s"), ["7"], data))
    assert torch.load(HERE / "legacy_2017.pth", weights_only=True)["w"].tolist() == [0.5, 1.5]
    torch.save(model, HERE / "module.pth")

    optimizer = torch.optim.AdamW(model.parameters(), lr=0.25)
    model(torch.ones(2, 1, 3, 3)).sum().backward()
    optimizer.step()
    torch.save(
        {
            "epoch": 70000,
            "arch": "small",
            "best": torch.tensor(0.5),
            "flags": [True, False, None, (1, 2.5)],
            "state_dict": state,
            "optimizer": optimizer.state_dict(),
        },
        HERE / "nested.pth",
    )
    torch.save({"args": argparse.Namespace(lr=1), "model": state}, HERE / "namespace.pth")
    torch.save({"model": state, "net": state}, HERE / "two_keys.pth")
    torch.save({"ema": {"deep": {"w": torch.tensor([4.0])}}}, HERE / "deep_key.pth")
    torch.save({"w": torch.nn.Parameter(torch.tensor([1.0, 2.0]))}, HERE / "parameter.pth")
    torch.save(
        {
            "f64": torch.tensor([0.1, -1e300], dtype=torch.float64),
            "f16": torch.tensor([0.5, 65504.0], dtype=torch.float16),
            "bf16": torch.tensor([1.0, -2.0, 3.140625], dtype=torch.bfloat16),
            "u8": torch.tensor([0, 255, 3], dtype=torch.uint8),
            "i8": torch.tensor([-128, 127], dtype=torch.int8),
            "i16": torch.tensor([-300, 300], dtype=torch.int16),
            "i32": torch.tensor([-70000, 70000], dtype=torch.int32),
            "i64": torch.tensor([-(1 << 40), 1 << 40]),
            "bool": torch.tensor([True, False, True]),
            "scalar": torch.tensor(-7.5),
            "empty": torch.zeros(0, 4),
            "number": 3,
        },
        HERE / "dtypes.pth",
    )
    torch.save({"x": torch.tensor([1, 2], dtype=torch.uint16)}, HERE / "uint16.pth")
    torch.save({"x": torch.tensor([1j])}, HERE / "complex.pth")
    base = arange(4, 6)
    torch.save(
        {
            "base": base,
            "transposed": base.t(),
            "slice": base[1:3, 1:6:2],
            "row": base[2],
            "permuted": arange(2, 3, 4).permute(2, 0, 1),
            "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
            "one": base[3:4, 5:6],
        },
        HERE / "views.pth",
    )
    # More than 256 memo entries: torch then writes the long forms of the memo's opcodes.
    torch.save(
        collections.OrderedDict((f"layers.{i}.weight", torch.tensor([float(i)])) for i in range(90)),
        HERE / "many.pth",
    )


def npy_files():
    np.save(HERE / "f32.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    np.save(HERE / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)))
    np.save(HERE / "scalar.npy", np.float64(0.1))
    np.save(HERE / "empty.npy", np.zeros((0, 3), np.float32))
    np.save(HERE / "bool.npy", np.array([True, False]))
    np.save(HERE / "big_endian.npy", np.arange(3, dtype=">f4"))
    np.save(HERE / "objects.npy", np.array([{"a": 1}, None], dtype=object))
    np.save(HERE / "structured.npy", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]))
    np.save(HERE / "text.npy", np.array(["ab", "c"]))
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(HERE / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, np.array([1, 2, 3], np.uint16), version)
    arrays = {"map": np.full((16, 16), 0.25, np.float32), "labels": np.array([0, 1], np.uint8)}
    np.savez(HERE / "stored.npz", **arrays)
    np.savez_compressed(HERE / "packed.npz", **arrays)


def zipped(entries, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def write(name, data):
    file = CORPUS / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def tensor(elements, offset, sizes, strides):
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(elements) + b"tQ"
    dims = b"".join(b"(" + b"".join(map(number, values)) + b"t" for values in (sizes, strides))
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + dims + b"\x89" + hooks + b"tR"


def pickle(body):
    return b"\x80\x02" + body + b"."


def pth(data_pkl, storage=b"\0" * 16, **more):
    entries = [("x/data.pkl", data_pkl), ("x/data/0", storage)]
    return zipped(entries + [("x/" + name, data) for name, data in more.items()])


def legacy(obj, keys, data, little_endian=True):
    """The layout before PyTorch 1.6."""
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    machine = pickle(b"}" + text("little_endian") + (b"\x88" if little_endian else b"\x89") + b"s")
    listed = pickle(b"](" + b"".join(map(text, keys)) + b"e")
    return magic + pickle(b"M\xe9\x03") + machine + obj + listed + data


def one_tensor(*arguments):
    return pickle(b"}" + text("w") + tensor(*arguments) + b"s")


def corpus_files():
    shutil.rmtree(CORPUS, ignore_errors=True)
    for name in ("mixed", "aligned"):
        write(f"safetensors/{name}", (HERE / f"{name}.safetensors").read_bytes())

    def header(content, data=b"", length=None):
        content = content.encode()
        return struct.pack("<Q", len(content) if length is None else length) + content + data

    entry = '{"dtype":"U8","shape":[%s],"data_offsets":[%s]}'
    write("safetensors/overlap", header('{"a":' + entry % (4, "0,4") + ',"b":' + entry % (4, "2,6") + "}", b"123456"))
    write("safetensors/huge_length", header("{}", length=2**64 - 1))
    write("safetensors/huge_shape", header('{"a":' + entry % ("4294967296,4294967296", "0,0") + "}"))
    write("safetensors/negative", header('{"a":' + entry % ("-1,-4", "0,4") + "}", b"1234"))
    write("safetensors/deep", header('{"a":' + "[" * 300 + "]" * 300 + "}"))

    for file in HERE.glob("*.npy"):
        write(f"npy/{file.stem}", file.read_bytes())

    def npy(shape, descr="<f4", data=b""):
        text_ = f"{{'descr': '{descr}', 'fortran_order': True, 'shape': ({shape}), }}\n".encode()
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text_)) + text_ + data

    write("npy/huge_shape", npy("4294967296, 4294967296"))
    write("npy/huge_and_empty", npy("4611686018427387904, 0"))
    write("npy/negative", npy("-1, -4", data=b"\0" * 16))
    write("npy/long_header", b"\x93NUMPY\x02\x00" + b"\xff" * 8)

    write("npz/stored", (HERE / "stored.npz").read_bytes())
    write("npz/packed", (HERE / "packed.npz").read_bytes())
    write("npz/bomb", zipped([("a.npy", b"\0" * (65 << 20))], zipfile.ZIP_DEFLATED))
    write("npz/no_entries", zipped([]))
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2**40, 2**40, 46, 0)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 46, 1)
    end32 = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    write("npz/zip64_entries", b"PK\1\2".ljust(46, b"\0") + end64 + locator + end32)
    packed = bytearray(zipped([("a.npy", b"123")]))
    end = packed.rindex(b"PK\x05\x06")
    packed[end + 8 : end + 12] = b"\xff\xfe\xff\xfe"  # number of entries
    write("npz/many_declared", bytes(packed))
    start = packed.index(b"PK\x01\x02")
    packed[start + 24 : start + 28] = b"\xff\xff\xff\x7f"  # unpacked size
    write("npz/size_lie", bytes(packed))

    for name in ("state_dict", "protocol4", "views", "nested", "namespace", "parameter", "dtypes"):
        data = (HERE / f"{name}.pth").read_bytes()
        write(f"torch/{name}", data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            pkl = [entry for entry in archive.namelist() if entry.endswith("/data.pkl")]
            write(f"pickle/{name}", archive.read(pkl[0]))
    hostile = {
        "os_system": pickle(b"cos\nsystem\n(" + text("echo hello") + b"tR"),
        "eval": pickle(b"c__builtin__\neval\n(" + text("1") + b"tR"),
        "stride_bomb": one_tensor(4, 0, (30000, 30000), (0, 0)),
        "outside": one_tensor(4, 1, (4,), (1,)),
        "huge_storage": one_tensor(2**31 - 1, 0, (4,), (1,)),
        "negative_stride": one_tensor(4, 3, (4,), (-1,)),
        "deep": pickle(b"]" * 1000 + b"a" * 999),
        "self": pickle(b"]q\0h\0a"),
        "doubling": pickle(b"(]q\0" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(60)) + b"t"),
        "many_marks": pickle(b"(" * 5000),
        "underflow": pickle(b"tR"),
        "long_text": pickle(b"X\xff\xff\xff\xff"),
        "two_sizes": pickle(b"](" + tensor(4, 0, (4,), (1,)) + tensor(5, 0, (4,), (1,)) + b"e"),
        "duplicate": pickle(b"}(" + (text("a") + b"N") * 2 + b"u"),
        "big_integer": pickle(b"\x8a\xff" + b"\x7f" * 255),
    }
    for name, data in hostile.items():
        write(f"pickle/{name}", data)
        write(f"torch/{name}", pth(data))
    good = one_tensor(4, 0, (4,), (1,))
    stored = struct.pack("<q", 4) + b"\0" * 16
    for name in ("legacy", "legacy_views", "legacy_2017"):
        write(f"torch/{name}", (HERE / f"{name}.pth").read_bytes())
    write("torch/legacy_good", legacy(good, ["0"], stored))
    write("torch/legacy_short", legacy(good, ["0"], stored[:-1]))
    write("torch/legacy_no_length", legacy(good, ["0"], stored[:7]))
    write("torch/legacy_count", legacy(good, ["0"], struct.pack("<q", 2**61) + b"\0" * 16))
    write("torch/legacy_twice", legacy(good, ["0", "0"], stored * 2))
    write("torch/legacy_unknown", legacy(good, ["1"], stored))
    write("torch/legacy_no_storage", legacy(good, [], b""))
    write("torch/legacy_trailing", legacy(good, ["0"], stored + b"x"))
    write("torch/legacy_big_endian", legacy(good, ["0"], stored, little_endian=False))
    write("torch/legacy_system", legacy(hostile["os_system"], [], b""))
    write("torch/legacy_version", legacy(good, ["0"], stored).replace(b"M\xe9\x03", b"M\xea\x03"))
    write("torch/legacy_cut", legacy(good, ["0"], stored)[:20])
    write("torch/tar", b"pickle".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"))
    write("torch/only_pickle", good)
    write("torch/torchscript", pth(one_tensor(4, 0, (4,), (1,)), **{"constants.pkl": pickle(b")")}))
    write("torch/wrong_size", pth(one_tensor(3, 0, (3,), (1,))))
    write("torch/no_storage", zipped([("x/data.pkl", one_tensor(4, 0, (4,), (1,)))]))
    write("torch/no_pickle", zipped([("x/data/0", b"")]))
    write("torch/two_pickles", zipped([("x/data.pkl", pickle(b"}")), ("y/data.pkl", pickle(b"}"))]))
    twice = zipped([("x/data.pkl", pickle(b"}")), ("x/data.pkk", pickle(b"}"))])
    write("torch/two_of_a_name", twice.replace(b"data.pkk", b"data.pkl"))
    broken = pth(one_tensor(4, 0, (4,), (1,)), b"0123456789abcdef")
    write("torch/broken_storage", broken.replace(b"0123456789abcdef", b"0123456789abcdeX"))
    names = [("x/data.pkl", one_tensor(4, 0, (4,), (1,))), ("x/data/0", b"\0" * 16)]
    write("torch/compressed", zipped(names, zipfile.ZIP_DEFLATED))
    write("torch/big_endian", pth(one_tensor(4, 0, (4,), (1,)), byteorder=b"big"))
    write("torch/truncated", (HERE / "state_dict.pth").read_bytes()[:-100])


safetensors_files()
torch_files()
npy_files()
corpus_files()
for path in [*HERE.iterdir(), *CORPUS.rglob("*")]:
    if path.is_file():
        path.chmod(0o644)
