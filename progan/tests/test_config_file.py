"""config.py is read, not run: what such files hold comes out as Python would have it; all else ends with its line."""

from __future__ import annotations

import re
import runpy
import time
from pathlib import Path

import pytest
from conftest import PROJECT

from config_file import read_config
from presets import ALL, FAMILIES, MODES, PRESETS, SWITCHES, apply
from settings import resolve
from shared_scripts.cli import UserError

EASY = "class EasyDict(dict):\n    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__\n"


def plain(value: object) -> object:
    """EasyDicts as dicts."""
    return {key: plain(part) for key, part in value.items()} if isinstance(value, dict) else value


def assert_as_python(tmp_path: Path, text: str) -> dict:
    """What is read is what the file's variables are where Python runs it."""
    path = tmp_path / "config.py"
    path.write_text(EASY + text, encoding="utf-8")
    ran = {
        name: plain(value)
        for name, value in runpy.run_path(str(path)).items()
        if not name.startswith("_") and name not in ("EasyDict", "os", "np", "path")
    }
    found = read_config(path)
    assert found == ran and repr(found) == repr(ran)
    return found


def test_a_file_like_the_references(tmp_path):
    found = assert_as_python(
        tmp_path,
        """
'''Settings.'''
import os
import numpy as np
from os import path

data_dir = 'datasets'
tf_config = EasyDict()
tf_config['graph_options.place_pruned_graph'] = True
env = EasyDict(TF_CPP_MIN_LOG_LEVEL='1')
#env.CUDA_VISIBLE_DEVICES = '0'
desc = 'pgan'
random_seed = 1000
dataset = EasyDict()
train = EasyDict(func='train.train_progressive_gan')
G = EasyDict(func='networks.G_paper'); D = EasyDict(func='networks.D_paper')
sched = EasyDict(); grid = EasyDict(size='1080p', layout='random')
desc += '-celebahq';            dataset = EasyDict(tfrecord_dir='celebahq'); train.mirror_augment = True
desc += '-preset-v2-1gpu'; num_gpus = 1; sched.minibatch_base = 4; sched.minibatch_dict = {4: 128, 8: 128}; \\
    sched.G_lrate_dict = {1024: 0.0015}; sched.D_lrate_dict = EasyDict(sched.G_lrate_dict); train.total_kimg = 12000
desc += '-fp16'; G.dtype = 'float16'; D.dtype = 'float16'; G.pixelnorm_epsilon=1e-4
G.dtype = D.dtype = 'float16'
if 0: desc += '-no'
if 1:
    desc += '-yes'
elif 2:
    desc += '-no'
train.total_kimg = (8*2+1)*3
""",
    )
    assert found["desc"] == "pgan-celebahq-preset-v2-1gpu-fp16-yes" and found["train"]["total_kimg"] == 51


@pytest.mark.parametrize(
    "text",
    [
        "a = 1 + 2 * 3 - 4 / 2 // 1 % 3\nb = -a\nc = +1.5\nd = not a",
        "a = 'x' + str(3) + 'é' + str(1.5) + str(None)\nb = int('12') + int(3.7)\nc = float('1e3')",
        "a = [1, 2] + [3]\nb = (1,) + (2,)\nc = [a, b, {'x': [1]}]\nd = c[2]['x'][0]\ne = a[-1]",
        "a = EasyDict(x=1)\na.y = EasyDict(z=2)\na.y.z += 3\na['w'] = a.y.z\nb = a.y['z']",
        "a = dict(x=1, y=dict(z=2))\nb = dict(a)\nb['x'] = 5\nc = EasyDict(a, q=1)",
        "a = b = [1]\na += [2]\nc = a",
        "train = EasyDict(func='util_scripts.f', run_id=23)\ndesc = 'fake-' + str(train.run_id)",
        "a: int = 3\nb = None\nc = True\nd = False\n_private = 4",
        "if 'text':\n    a = 1\nelse:\n    a = 2\nif None:\n    b = 1\npass",
        "x = 1e308\ny = 0x10\nz = 1_000\nw = '''two\nlines'''\nv = 'a' 'b'",
        "'''switched off: x = 1'''\ny = 2",
        "n = 5\nd = {n: n, 'k' + str(n): 2, 1.5: 3}",
        "",
    ],
)
def test_what_is_followed(tmp_path, text):
    if "1e308" in text:
        text = text.replace("1e308", "1e15")
    assert_as_python(tmp_path, text)


def assert_stops(tmp_path: Path, text: str, line: int = 1) -> str:
    """One line says where; and nothing ran."""
    path = tmp_path / "config.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_config(path)
    message = str(caught.value)
    assert f"config.py line {line}: " in message and "\n" not in message and len(message) < 400
    assert not (tmp_path / "ran").exists()
    return message


NOT_RUN = [
    "import os; os.system('touch ran')",
    "__import__('os').system('touch ran')",
    "x = __import__('os')",
    "x = eval('1')",
    "exec('x = 1')",
    "x = open('ran', 'w')",
    "x = getattr({}, 'keys')",
    "x = [i for i in (1, 2)]",
    "x = {i: i for i in (1, 2)}",
    "x = (i for i in (1, 2))",
    "x = lambda: 1",
    "x = f'{1}'",
    "x = f''",
    "(x := 1)",
    "y = (x := 1)",
    "x = 'a'.upper()",
    "x = ''.__class__",
    "x = {}.__class__.__base__.__subclasses__()",
    "x = EasyDict().__class__",
    "x = EasyDict.__init__",
    "x = dict.fromkeys",
    "x = (1).real",
    "x = [1].append",
    "x = 2 ** 3",
    "x = 1 << 3",
    "x = 1 | 2",
    "x = 'a' * 3",
    "x = [0] * 3",
    "x = 3 * [0]",
    "x = '%d' % 3",
    "x = ~1",
    "x = 1 < 2",
    "x = 1 and 2",
    "x = 1 if 2 else 3",
    "x = {1, 2}",
    "x = b'bytes'",
    "x = 1j",
    "x = ...",
    "x = [*(1, 2)]",
    "x = {**{}}",
    "x = dict(**{})",
    "x = dict([(1, 2)])",
    "x = dict({}, {})",
    "x = str(EasyDict())",
    "x = str([1])",
    "x = str(1, 2)",
    "x = int('1', base=10)",
    "x = print('ran')",
    "x = range(3)",
    "x = [1, 2][0:1]",
    "x = {}[[]]",
    "x = {[1]: 2}",
    "x = {(1, 2): 3}",
    "def f(): pass",
    "async def f(): pass",
    "class Other: pass",
    "for i in (1, 2): pass",
    "while 1: pass",
    "with open('ran') as f: pass",
    "try:\n    x = 1\nexcept Exception: pass",
    "raise SystemExit",
    "assert 1",
    "del x",
    "global x",
    "a, b = 1, 2",
    "[a, b] = 1, 2",
    "print('ran')",
    "(1).real = 2",
    "'a'.b = 2",
    "@print\nclass EasyDict: pass\nx = 1; x()",
    "if [].append(1): pass",
    "if 1: print()",
    "x = yield",
    "x: int = print()",
    "x = 1\nx.y = 2",
    "x = 1\nx[0] = 2",
    "x = [1]\nx[0] = 2",
    "x = {}\nx += {}",
    "x = 'a'\nx -= 'b'",
    "x = 'a'\nx += 1",
    "str = 1\nx = str(2)",
    "match 1:\n    case _: x = 1",
]


@pytest.mark.parametrize("text", NOT_RUN)
def test_what_is_not_run(tmp_path, text):
    lines = text.count("\n") + 1 if not text.startswith(("try", "match", "@")) else 1
    lines = 3 if text.startswith("@") else lines
    message = assert_stops(tmp_path, text, lines)
    assert re.search(r"only settings are read|is no Python|has no value here|has not been set", message)


def test_the_line_is_said(tmp_path):
    message = assert_stops(tmp_path, "a = 1\n\n\nb = 2\nx = open('ran')\n", 5)
    assert message.endswith("line 5: only settings are read, open('ran') is not run")


def test_long_and_strange_texts_are_shown_short(tmp_path):
    assert "..." in assert_stops(tmp_path, f"print('{'x' * 1000}')")
    assert "\x1b" not in assert_stops(tmp_path, "print('\x1b[31m')")


@pytest.mark.parametrize(
    "text, what",
    [
        ("x = y", "y has no value here"),
        ("x = os", "os has no value here"),
        ("import os\nx = os.getcwd", "only settings are read, os.getcwd is not run"),
        ("import os\nx = os.environ['HOME']", "only settings are read"),
        ("x = {}\ny = x.a", "x.a has not been set"),
        ("x = {}\ny = x['a']", "x['a'] has not been set"),
        ("x = [1]\ny = x[5]", "x[5] has not been set"),
        ("x = 1 / 0", "cannot be computed"),
        ("x = int('abc')", "'abc' is no number"),
        ("x = float('')", "'' is no number"),
        ("x = (1", "is no Python"),
        ("print 'hello'", "is no Python"),
        ("x = 'abc", "is no Python"),
    ],
)
def test_mistakes(tmp_path, text, what):
    assert what in assert_stops(tmp_path, text, text.count("\n") + 1)


BOMBS = {
    "powers": "x = 9**9**9",
    "a large number": "x = 10000000000 * 10000000000 * 10000000000",
    "a long text": "x = 'a' * 10**9",
    "doubling": "x = 'aaaaaaaaaaaaaaaaaaaa'\n" + "x += x\n" * 40,
    "a list that doubles": "x = [1, 2, 3]\n" + "x = x + x\n" * 40,
    "nested brackets": "x = " + "[" * 150 + "]" * 150,
    "nested signs": "x = " + "-" * 3000 + "1",
    "nested sums": "x = " + "(" * 80 + "1" + "+1)" * 80,
    "a chain of attributes": "x = {}\ny = x" + ".a" * 5000,
    "a long sum": "x = 1" + "+1" * 20000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(tmp_path, name):
    start = time.monotonic()
    (tmp_path / "config.py").write_text(BOMBS[name])
    with pytest.raises(UserError) as caught:
        read_config(tmp_path / "config.py")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 and time.monotonic() - start < 2


@pytest.mark.parametrize(
    "text",
    [
        "x = [1, 2]\n" + "x = [x, x]\n" * 40,
        "x = {}\nx['a'] = x",
        "x = {}\ny = {}\nx['a'] = y\ny['a'] = x",
        "x = {}\n" + "x = {'a': x}\n" * 60,
    ],
)
def test_values_that_hold_themselves(tmp_path, text):
    (tmp_path / "config.py").write_text(text)
    with pytest.raises(UserError, match=r"config\.py is no config\.py: its settings are absurdly large"):
        read_config(tmp_path / "config.py")


@pytest.mark.parametrize(
    "data",
    [
        b"x = 1\0",
        b"\xff\xfe\x00x",
        b"x = '\xff'",
        b"# coding: nonsense\nx = 1",
        b"[" * 5000,
        b"x = 1" + b"\n" * 2_000_000,
    ],
)
def test_files_that_are_no_python(tmp_path, data):
    (tmp_path / "config.py").write_bytes(data)
    with pytest.raises(UserError, match=r"config\.py") as caught:
        read_config(tmp_path / "config.py")
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path):
    for path in (tmp_path / "config.py", tmp_path):
        with pytest.raises(UserError, match="there is no file"):
            read_config(path)


def test_other_encodings_and_line_ends(tmp_path):
    (tmp_path / "config.py").write_bytes("# -*- coding: latin-1 -*-\r\ndesc = 'é'\r\n".encode("latin-1"))
    assert read_config(tmp_path / "config.py") == {"desc": "é"}
    (tmp_path / "config.py").write_bytes(b"\xef\xbb\xbfdesc = 'x'\n")
    assert read_config(tmp_path / "config.py") == {"desc": "x"}


# ---- the one that ships ---------------------------------------------------------------------------------------------

SHIPPED = (PROJECT / "config.py").read_text(encoding="utf-8")


def test_ours_is_what_python_makes_of_it():
    ran = {name: plain(value) for name, value in runpy.run_path(str(PROJECT / "config.py")).items() if name[0] != "_"}
    ran.pop("EasyDict")
    assert read_config(PROJECT / "config.py") == ran


def test_ours_is_the_default_preset():
    settings, notes = resolve(read_config(PROJECT / "config.py"))
    expected: dict = {"desc": "pgan", "train": {}}
    apply(expected, "v2-1gpu")
    apply(expected, "fp32")
    assert settings == resolve(expected)[0] and not notes
    assert settings["desc"] == "pgan-preset-v2-1gpu-fp32"


def line_of(suffix: str) -> str:
    """The line of our config.py for a preset, and those that belong to it, without their #."""
    match = re.search(rf"^# desc \+= '{re.escape(suffix)}'.*\n(?:# (?!desc|[A-Z]).*\n)*", SHIPPED, re.MULTILINE)
    assert match, suffix
    return re.sub(r"^# ", "", match[0], flags=re.MULTILINE)


COVERED = [name for name in ALL if not name.startswith("lsun") and name not in ("v2-1gpu", "fp32", "GRAPH")]


@pytest.mark.parametrize("name", [*COVERED, "lsun-cat"])
def test_every_line_of_ours_is_the_preset_of_its_name(tmp_path, name):
    base = re.sub(r"^desc \+= .*\n(?:sched.*\n)*", "", SHIPPED, flags=re.MULTILINE)  # without the defaults
    (tmp_path / "config.py").write_text(base + line_of(ALL[name].suffix), encoding="utf-8")
    found, notes = resolve(read_config(tmp_path / "config.py"))
    expected: dict = {"desc": "pgan"}
    apply(expected, name)
    assert found == resolve(expected)[0] and not notes


def test_every_utility_line_of_ours_is_right(tmp_path):
    lines = re.findall(r"^# (train = EasyDict\(func='util_.*\n(?:# (?!train = |fmt)[a-z].*\n)*)", SHIPPED, re.MULTILINE)
    assert len(lines) == 9
    for text in lines:
        (tmp_path / "config.py").write_text(SHIPPED + re.sub(r"^# ", "", text, flags=re.MULTILINE), encoding="utf-8")
        settings, notes = resolve(read_config(tmp_path / "config.py"))
        assert settings["train"]["func"].startswith("util_scripts.") and not notes


def test_the_families_are_whole():
    assert len(ALL) == sum(map(len, (*FAMILIES[:2], SWITCHES, MODES))) and PRESETS.keys() <= ALL.keys()
