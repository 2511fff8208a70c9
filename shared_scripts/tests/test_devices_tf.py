"""TensorFlow's devices and number formats by the names people give."""

import subprocess
import sys

import pytest

from shared_scripts.cli import UserError
from shared_scripts.quiet import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from shared_scripts import devices_tf  # noqa: E402


@pytest.mark.parametrize("name", ["cpu", "CPU", "cpu:0", "/cpu:0", "/CPU:0", "/device:CPU:0", " /cpu:0 "])
def test_the_processor_by_all_its_names(name):
    assert devices_tf.pick_device(name) == "/CPU:0"


@pytest.mark.parametrize("name", ["", "tpu", "/job", "gpu:x", "gpu:-1", "cpu:0:0"])
def test_names_of_no_device(name):
    with pytest.raises(UserError, match="there is no device called"):
        devices_tf.pick_device(name)


@pytest.mark.parametrize(
    "name, wanted",
    [("auto", "/GPU:0"), ("gpu", "/GPU:0"), ("cuda:1", "/GPU:1"), ("/device:GPU:1", "/GPU:1"), ("gpu:2", "/CPU:0"),
     ("/job:localhost/replica:0/task:0/device:GPU:1", "/GPU:1"), ("cpu", "/CPU:0"), ("/gpu:*", "/GPU:0")],
)  # fmt: skip
def test_two_gpus(monkeypatch, name, wanted):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a", "b"] if kind == "GPU" else ["c"])
    assert devices_tf.pick_device(name) == wanted


@pytest.mark.parametrize(("name", "said"), [("gpu:7", True), ("cuda", True), ("cpu", False), ("auto", False)])
def test_a_gpu_that_is_not_there_is_told(monkeypatch, capsys, name, said):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    devices_tf.tell_device(name, devices_tf.pick_device(name))
    assert capsys.readouterr().err == (f"TensorFlow sees no {name} here: computing on the CPU.\n" if said else "")


def test_precision_by_name():
    assert devices_tf.pick_precision("float32") == tf.float32
    assert devices_tf.pick_precision("bf16") == tf.bfloat16


@pytest.mark.parametrize("seconds, wanted", [((1.0, 0.5), tf.bfloat16), ((1.0, 0.9), tf.float32), ((1, 9), tf.float32)])
def test_auto_takes_what_is_faster(monkeypatch, seconds, wanted):
    times = dict(zip((tf.float32, tf.bfloat16), seconds, strict=True))
    monkeypatch.setattr(devices_tf, "convolution_seconds", lambda dtype, device: times[dtype])
    devices_tf.bf16_is_faster.cache_clear()
    assert devices_tf.pick_precision("auto") == wanted
    devices_tf.bf16_is_faster.cache_clear()


def test_a_convolution_takes_time():
    assert 0 < devices_tf.convolution_seconds(tf.float32, "/CPU:0", 8, 16) < 1


def test_the_import_is_silent_and_errors_are_not():
    quiet = "from shared_scripts.quiet import quiet_tensorflow; quiet_tensorflow(); "
    code = quiet + "import sys; print('tensorflow' in sys.modules); print('after', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "after\n")
    broken = "import sys; sys.modules['tensorflow.python.tf2'] = None; " + quiet
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True)
    assert done.returncode == 1 and "Error" in done.stderr.splitlines()[-1]


def test_the_torch_free_modules_do_not_import_torch():
    names = ("cli", "files", "images", "samples", "memory", "quiet", "videos", "progress", "networks.layout")
    names += ("networks.matconvnet", "networks.compact_tf", "devices_tf")
    code = (
        "import sys\n" + "".join(f"import shared_scripts.{name}\n" for name in names) + "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
