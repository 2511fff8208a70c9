"""Files made to do harm: each would leave a mark on the disk if anything in it were executed."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from conftest import golden_file

from legacy import main, read_networks
from shared_scripts.cli import UserError

CODE = "open({mark!r}, 'w').close()"
COMMAND = "echo > {mark}"
# What a pickle may ask for to be called with one or two texts; {mark} is the file that it would make.
CALLS = {
    "os.system": ("os", "system", [COMMAND]),
    "posix.system": ("posix", "system", [COMMAND]),
    "nt.system": ("nt", "system", [COMMAND]),
    "os.popen": ("os", "popen", [COMMAND]),
    "os.mkdir": ("os", "mkdir", ["{mark}"]),
    "os.execl": ("os", "execl", ["/bin/touch", "touch", "{mark}"]),
    "subprocess.getoutput": ("subprocess", "getoutput", [COMMAND]),
    "subprocess.Popen": ("subprocess", "Popen", [["touch", "{mark}"]]),
    "builtins.eval": ("builtins", "eval", [CODE]),
    "builtins.exec": ("builtins", "exec", [CODE]),
    "Python 2's eval": ("__builtin__", "eval", [CODE]),
    "Python 2's execfile": ("__builtin__", "execfile", ["{mark}"]),
    "builtins.open": ("builtins", "open", ["{mark}", "w"]),
    "io.open": ("io", "open", ["{mark}", "w"]),
    "builtins.getattr": ("builtins", "getattr", ["text", "upper"]),
    "builtins.__import__": ("builtins", "__import__", ["antigravity"]),
    "builtins.compile": ("builtins", "compile", [CODE, "name", "exec"]),
    "importlib.import_module": ("importlib", "import_module", ["antigravity"]),
    "runpy.run_path": ("runpy", "run_path", ["{mark}"]),
    "timeit.timeit": ("timeit", "timeit", [CODE]),
    "code.interact": ("code", "interact", []),
    "pdb.run": ("pdb", "run", [CODE]),
    "cProfile.run": ("cProfile", "run", [CODE]),
    "pickle.loads": ("pickle", "loads", ["cbuiltins\nexec\n(S'pass'\ntR."]),
    "numpy.load": ("numpy", "load", ["{mark}"]),
    "numpy.save": ("numpy", "save", ["{mark}", "text"]),
    "numpy.loads": ("numpy", "loads", ["text"]),
    "numpy.core.multiarray.fromfile": ("numpy.core.multiarray", "fromfile", ["{mark}"]),
    "numpy.testing runstring": ("numpy.testing._private.utils", "runstring", [CODE, {}]),
    "torch.load": ("torch", "load", ["{mark}"]),
    "torch.storage": ("torch.storage", "_load_from_bytes", ["text"]),
    "torch rebuild": ("torch._utils", "_rebuild_tensor_v2", []),
    "torch.jit": ("torch.jit.unsupported_tensor_ops", "execWrapper", [CODE, {}, {}]),
    "copyreg": ("copyreg", "_reconstructor", []),
    "copyreg.add_extension": ("copyreg", "add_extension", ["os", "system", 240]),
    "Python 2's copy_reg": ("copy_reg", "_reconstructor", []),
    "functools.partial": ("functools", "partial", []),
    "operator.attrgetter": ("operator", "attrgetter", ["__class__.__base__"]),
    "types.FunctionType": ("types", "FunctionType", []),
    "marshal.loads": ("marshal", "loads", ["text"]),
    "ctypes.CDLL": ("ctypes", "CDLL", ["libc.so.6"]),
    "shutil.rmtree": ("shutil", "rmtree", ["{mark}"]),
    "pathlib.Path": ("pathlib", "Path", ["{mark}"]),
    "webbrowser.open": ("webbrowser", "open", ["file://{mark}"]),
    "a dotted name": ("os", "path.os.system", [COMMAND]),
    "through what is allowed": ("collections", "abc.sys.modules", []),
    "through numpy": ("numpy", "os.system", [COMMAND]),
    "through the class": ("tfutil", "Network.__setstate__.__globals__", []),
    "the module that reads": ("shared_scripts.restricted_pickle", "run", []),
}


def fill(value: object, mark: Path) -> object:
    """An argument with the mark's path in it."""
    if isinstance(value, str):
        return value.replace("{mark!r}", repr(str(mark))).replace("{mark}", str(mark))
    return [fill(part, mark) for part in value] if isinstance(value, list) else value


def data(value: object, protocol: int) -> bytes:
    """The instructions that push a value."""
    start = 2 if protocol >= 2 else 0
    dumped = pickle.dumps(value, min(protocol, 3))
    return dumped[start:-1]


def name(module: str, attribute: str, protocol: int) -> bytes:
    """The instructions that push what a name stands for."""
    if protocol < 4:
        return f"c{module}\n{attribute}\n".encode()
    return b"".join(b"X" + struct.pack("<I", len(t)) + t.encode() for t in (module, attribute)) + b"\x93"


def call(module: str, attribute: str, arguments: list, protocol: int, mark: Path) -> bytes:
    """The instructions that call it."""
    pushed = b"".join(data(fill(argument, mark), protocol) for argument in arguments)
    return name(module, attribute, protocol) + b"(" + pushed + b"tR"


def whole(instructions: bytes, protocol: int) -> bytes:
    return (pickle.PROTO + bytes([protocol]) if protocol >= 2 else b"") + instructions + b"."


def in_network(instructions: bytes, key: str) -> bytes:
    """A network whose state has something at `key`."""
    return b"ctfutil\nNetwork\n)\x81}" + data(key, 2) + instructions + b"sb"


PLACES = {
    "alone": lambda x: x,
    "in a list": lambda x: b"](" + x + b"e",
    "as one of the three": lambda x: b"NN" + x + b"\x87",
    "as a key": lambda x: b"}" + x + b"Ns",
    "in the text that builds it": lambda x: in_network(x, "build_module_src"),
    "in its arguments": lambda x: in_network(b"}" + data("fmap_max", 2) + x + b"s", "static_kwargs"),
    "in its variables": lambda x: in_network(b"](" + data("lod", 2) + x + b"\x86e", "variables"),
    "as a state": lambda x: b"ctfutil\nNetwork\n)\x81" + x + b"b",
    "as arguments of a class": lambda x: b"ctfutil\nNetwork\n" + x + b"\x81",
    "as a number format": lambda x: b"cnumpy\ndtype\n" + x + b"\x85R",
    "in an array's state": lambda x: b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R"
    + b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8K\0K\x01\x87R"
    + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tbK\0](" + x + b"etb",
    "in a number": lambda x: b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02O8K\0K\x01\x87R" + x + b"\x86R",
    "in a network of Theano's": lambda x: b"cnetwork\nNetwork\n)\x81}" + data("param_values", 2) + b"](" + x + b"esb",
    "and thrown away": lambda x: x + b"0N",
    "before the end": lambda x: b"(" + x + b"1N",
}  # fmt: skip


def assert_refused(path: Path, mark: Path) -> str:
    """One line that names the file, and nothing happened."""
    with pytest.raises(UserError) as caught:
        read_networks(path)
    text = str(caught.value)
    assert path.name in text and "\n" not in text and not mark.exists()
    return text


@pytest.mark.parametrize("what", CALLS)
def test_calls_are_refused_in_every_protocol_and_place(tmp_path, what):
    module, attribute, arguments = CALLS[what]
    mark, path = tmp_path / "executed", tmp_path / "x.pkl"
    for protocol in range(6):
        instructions = call(module, attribute, arguments, protocol, mark)
        path.write_bytes(whole(instructions, protocol))
        assert f"asks for {module}.{attribute}: only plain data" in assert_refused(path, mark)
    for place in PLACES.values():
        path.write_bytes(whole(place(call(module, attribute, arguments, 3, mark)), 3))
        assert_refused(path, mark)
    assert os.listdir(tmp_path) == ["x.pkl"] and "antigravity" not in sys.modules


@pytest.mark.parametrize("what", ["os.mkdir", "builtins.exec", "builtins.open", "os.system"])
@pytest.mark.parametrize("protocol", [0, 3, 5])
def test_these_files_really_would_do_harm(tmp_path, what, protocol):
    module, attribute, arguments = CALLS[what]
    mark = tmp_path / "executed"
    pickle.loads(whole(call(module, attribute, arguments, protocol, mark), protocol))
    assert mark.exists()


@pytest.mark.parametrize("place", PLACES)
def test_these_places_are_reached(tmp_path, place):
    """Each is refused for what is put there, not because the file was wrong before."""
    module, attribute, arguments = CALLS["os.mkdir"]
    path = tmp_path / "x.pkl"
    path.write_bytes(whole(PLACES[place](call(module, attribute, arguments, 3, tmp_path / "executed")), 3))
    text = assert_refused(path, tmp_path / "executed")
    assert "asks for os.mkdir" in text or "'O8', which are not numbers" in text


class Reduce:
    """An object that is unpickled by a call."""

    def __init__(self, *parts: object):
        self.parts = parts

    def __reduce_ex__(self, protocol: int) -> tuple:
        return self.parts


def chains(mark: Path) -> dict[str, object]:
    """Objects as Python itself pickles them."""
    make = (os.mkdir, (str(mark),))
    return {
        "a call": Reduce(*make),
        "a call in a call": Reduce(print, (Reduce(*make),)),
        "getattr": Reduce(getattr, (Reduce(__import__, ("os",)), "mkdir")),
        "with a state": Reduce(dict, (), {"a": Reduce(*make)}),
        "with items": Reduce(list, (), None, iter([Reduce(*make)])),
        "with pairs": Reduce(dict, (), None, None, iter([("a", Reduce(*make))])),
        "with a setter": Reduce(list, (), "state", None, None, print),
        "a function": os.mkdir,
        "a class": Path,
        "an exception": ValueError("a"),
        "a set": {1, 2},
        "a complex number": 1j,
        "a range": range(3),
        "bytes that can change": bytearray(b"abc"),
        "a slice": slice(1),
        "a tensor": torch.zeros(2),
        "a module": torch.nn.Linear(1, 1),
    }


@pytest.mark.parametrize("what", chains(Path("x")))
def test_objects_as_python_pickles_them(tmp_path, what):
    mark, path = tmp_path / "executed", tmp_path / "x.pkl"
    for protocol in range(2, 6):
        for value in (chains(mark)[what], (chains(mark)[what],) * 3, {"a": [chains(mark)[what]]}):
            path.write_bytes(pickle.dumps(value, protocol))
            assert_refused(path, mark)


OTHER = {
    "INST": b"(S'{mark}'\nios\nmkdir\n.",
    "OBJ": b"(cos\nmkdir\nS'{mark}'\no.",
    "OBJ of an allowed class": b"(ctfutil\nNetwork\nS'{mark}'\no.",
    "INST of an allowed class": b"(ictfutil\nNetwork\n.".replace(b"(ic", b"(i"),
    "NEWOBJ": b"\x80\x02cos\nmkdir\nU\x01a\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04ctfutil\nNetwork\n)}\x92.",
    "PERSID": b"Pos.mkdir\n.",
    "BINPERSID": b"\x80\x02U\x01aQ.",
    "EXT1": b"\x80\x02\x82\x01U\x01a\x85R.",
    "EXT2": b"\x80\x02\x83\x01\0U\x01a\x85R.",
    "EXT4": b"\x80\x02\x84\x01\0\0\0U\x01a\x85R.",
    "a state for the class itself": b"\x80\x02ctfutil\nNetwork\n}U\x0c__setstate__Nsb.",
    "a state in two parts": b"\x80\x02ctfutil\nNetwork\n)\x81N}U\x05stateNs\x86b.",
    "the class called": b"\x80\x02ctfutil\nNetwork\n)R.",
    "a network called": b"\x80\x02ctfutil\nNetwork\n)\x81)R.",
    "no state": b"\x80\x02ctfutil\nNetwork\n)\x81.",
    "a state that is a list": b"\x80\x02ctfutil\nNetwork\n)\x81]b.",
    "a network in itself": b"\x80\x02ctfutil\nNetwork\n)\x81q\0}U\x01ah\0sb.",
    "three functions": b"\x80\x02c_codecs\nencode\nq\0h\0h\0\x87.",
    "three number formats": b"\x80\x02cnumpy\ndtype\nU\x02f4\x85Rq\0h\0h\0\x87.",
    "a function as variables": in_network(b"c_codecs\nencode\n", "variables") + b".",
    "a network as its arguments": in_network(b"ctfutil\nNetwork\n)\x81", "static_kwargs") + b".",
}


@pytest.mark.parametrize("what", OTHER)
def test_other_instructions(tmp_path, what):
    mark, path = tmp_path / "executed", tmp_path / "x.pkl"
    path.write_bytes(OTHER[what].replace(b"{mark}", str(mark).encode()))
    text = assert_refused(path, mark)
    if what in ("INST", "OBJ"):
        assert "asks for os.mkdir" in text


@pytest.mark.parametrize("suffix", ["pkl", "pth", "pt", "safetensors", "bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_pytorch_with_code_in_them(tmp_path, suffix, zipped):
    mark, path = tmp_path / "executed", tmp_path / f"x.{suffix}"
    torch.save({"generator": Reduce(os.mkdir, (str(mark),))}, path, _use_new_zipfile_serialization=zipped)
    assert_refused(path, mark)


def test_a_zip_with_a_pickle_in_it(tmp_path):
    mark, path = tmp_path / "executed", tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x/data.pkl", whole(call("os", "mkdir", ["{mark}"], 2, mark), 2))
        file.writestr("x/version", "3")
    assert_refused(path, mark)


def test_the_golden_files_raise_where_their_text_is_run(tmp_path):
    """Reading them, which other tests do, ran nothing: what would have been run is this."""
    for name_one in ("network-snapshot-000640", "published-style-celebahq-16"):
        source = read_networks(golden_file(f"{name_one}.pkl")).Gs.build_module_src
        with pytest.raises(RuntimeError, match="must never be executed"):
            exec(source)


def test_the_command_line_says_it_in_one_line(tmp_path, capsys):
    path = tmp_path / "x.pkl"
    path.write_bytes(whole(call("os", "mkdir", ["{mark}"], 4, tmp_path / "executed"), 4))
    with pytest.raises(UserError, match="asks for os.mkdir"):
        main(["show", str(path)])
    assert not (tmp_path / "executed").exists() and not capsys.readouterr().out
