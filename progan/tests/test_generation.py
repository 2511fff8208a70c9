"""Pictures and films from golden networks, to the pixel where the reference's are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import golden_file, load_golden
from PIL import Image

import run_generation as make
from inference import FastGenerator
from networks import Generator
from shared_scripts import memory
from shared_scripts.cli import UserError
from shared_scripts.videos import probe, read_frames

PLAIN, LABELLED = "published-style-celebahq-16", "network-snapshot-000640"


def load(name: str, **how) -> FastGenerator:
    return make.load_generator(golden_file(f"{name}.pkl"), **how)


def small(resolution: int = 8, **options) -> FastGenerator:
    """A generator of random weights, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FastGenerator(Generator(resolution=resolution, fmap_base=64, fmap_max=8, **options))


def pixels(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


@pytest.fixture(autouse=True)
def nothing_granted(monkeypatch):
    monkeypatch.setattr(memory, "granted", 0.0)


# --- golden pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["network-final-tf", LABELLED])
@pytest.mark.parametrize("minibatch", [1, 2, 8])
def test_golden_pictures_to_the_pixel(name, minibatch):
    golden, fast = load_golden(name), load(name)
    labels = golden["labels"] if fast.label_size else None
    np.testing.assert_allclose(fast(golden["z"], labels).numpy(), golden["Gs_images"], atol=2e-5)
    for shrink, key in ((1, "Gs_uint8"), (2, "Gs_uint8_shrink2")):
        assert np.array_equal(make.make_images(fast, golden["z"], labels, minibatch, shrink), golden[key])


@pytest.mark.parametrize("name", [PLAIN, "theano-celebahq-16"])
def test_golden_pictures_of_networks_from_theano(name):
    golden = load_golden("theano-celebahq-16")
    wanted = np.clip(np.rint(golden["Gs_images"] * 127.5 + 127.5), 0, 255)
    assert np.array_equal(make.make_images(load(name), golden["z"], None), wanted)


@pytest.mark.parametrize("name", [PLAIN, LABELLED])
def test_bf16_looks_the_same(name):
    golden = load_golden({PLAIN: "theano-celebahq-16"}.get(name, name))
    exact, rough = (load(name, precision=precision) for precision in ("float32", "bf16"))
    a, b = (make.make_images(fast, golden["z"], golden.get("labels")).astype(float) for fast in (exact, rough))
    assert 10 * np.log10(255**2 / np.mean((a - b) ** 2)) > 35


def test_latents_are_the_reference_s(tmp_path):
    """Two grids by seed 1000 have the latents that it takes one after the other."""
    golden, fast = load_golden("misc"), small(4, latent_size=512)
    paths = make.write_grids(fast, tmp_path, "x-", 2, (2, 1))
    assert [path.name for path in paths] == ["x-000000.png", "x-000001.png"]
    for number, path in enumerate(paths):
        images = make.make_images(fast, golden[f"fake_latents_seed1000_png{number}"], None)
        assert np.array_equal(pixels(path), np.concatenate([images[0, 0], images[1, 0]], axis=1))
    chosen = np.random.RandomState(1000).randn(1000, 512)[[477, 56, 83, 887, 583, 391, 86, 340, 341, 415]]
    assert np.array_equal(make.example_latents(), chosen.astype(np.float32))


# --- pictures -----------------------------------------------------------------------------------------------------


def test_grids_are_repeatable_and_replace_their_own(tmp_path):
    fast = load(PLAIN)
    first = pixels(make.write_grids(fast, tmp_path, "a", 1, (3, 2))[0])
    (tmp_path / "mine.png").write_bytes(b"mine")
    again = pixels(make.write_grids(fast, tmp_path, "a", 1, (3, 2), minibatch=1)[0])
    other = pixels(make.write_grids(fast, tmp_path, "b", 1, (3, 2), seed=7)[0])
    assert first.shape == (32, 48, 3) and np.array_equal(first, again) and not np.array_equal(first, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a000000.png", "b000000.png", "mine.png"]


def test_one_picture_a_seed_and_the_example(tmp_path):
    fast = load(LABELLED)
    seeds = make.write_seeds(fast, tmp_path, [3, 12345], shrink=2, label="2", prefix="x-")
    assert [path.name for path in seeds] == ["x-seed0003.png", "x-seed12345.png"]
    assert [pixels(path).shape for path in seeds] == [(16, 16)] * 2, "grey"
    latent = np.random.RandomState(3).randn(1, 12)
    one = make.make_images(fast, latent, np.array([[0, 0, 1]], np.float32), shrink=2)
    assert np.array_equal(pixels(seeds[0]), one[0, 0])
    example = make.write_example(fast, tmp_path, label="1")
    assert [path.name for path in example] == [f"img{number}.png" for number in range(10)]
    images = make.make_images(fast, make.example_latents(12), np.eye(3, dtype=np.float32)[[1] * 10])
    assert all(np.array_equal(pixels(path), image[0]) for path, image in zip(example, images, strict=True))


def test_labels():
    fast, rng = load(LABELLED), np.random.RandomState(0)
    assert make.choose_labels(fast, "2", 2, rng).tolist() == [[0, 0, 1]] * 2
    assert make.choose_labels(fast, "0.5,0.5, 0", 1, rng).tolist() == [[0.5, 0.5, 0]]
    random = make.choose_labels(fast, None, 50, rng)
    assert random.shape == (50, 3) and (random.sum(1) == 1).all() and (random.sum(0) > 5).all()
    assert make.choose_labels(small(label_size=1), "0.5", 2, rng).tolist() == [[0.5]] * 2
    assert make.choose_labels(small(), None, 2, rng) is None
    for wrong, said in (("3", "0 to 2"), ("-1", "0 to 2"), ("1.5", "0 to 2"), ("1,2", "2 components"), ("", "number")):
        with pytest.raises(UserError, match=said):
            make.choose_labels(fast, wrong, 1, rng)
    for wrong in ("nan,0,0", "inf", "x", "1,,2", "1e300,0,0"):
        with pytest.raises(UserError, match="3 of them with commas"):
            make.choose_labels(fast, wrong, 1, rng)
    with pytest.raises(UserError, match="without labels; leave --label out"):
        make.choose_labels(small(), "1", 1, rng)


def test_a_folder_with_a_picture_s_name_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "seed0002.png").mkdir()
    with pytest.raises(UserError, match=r"seed0002.png is a folder"):
        make.write_seeds(small(), tmp_path, [1, 2])
    assert [path.name for path in tmp_path.iterdir()] == ["seed0002.png"]


def test_weights_that_are_no_numbers(tmp_path):
    from legacy import save_safetensors
    from stored import from_state_dict

    options = {"num_channels": 3, "resolution": 4, "fmap_base": 8}
    weights = Generator(**options).state_dict()
    weights["4x4.Conv.weight"][0, 0, 0, 0] = torch.nan
    save_safetensors(tmp_path / "x.safetensors", None, None, from_state_dict(weights, "G", options))
    with pytest.raises(UserError, match=r"x.safetensors: the generator's weights are no numbers any more"):
        make.load_generator(tmp_path / "x.safetensors")


# --- memory -------------------------------------------------------------------------------------------------------


def test_large_pictures_are_made_one_at_a_time():
    sizes = {4: 8, 128: 8, 256: 4, 512: 1, 1024: 1}
    for resolution, count in sizes.items():
        fast = small(4)
        fast.resolution = resolution
        assert make.at_a_time(fast, 8) == count and make.at_a_time(fast, 1) == 1
        fast.device = torch.device("cuda")
        assert make.at_a_time(fast, 8) == 8


def test_what_no_memory_could_hold_is_told(tmp_path, monkeypatch):
    fast = small()
    for size in ((100_000, 100_000), (10**20, 10**20)):
        with pytest.raises(UserError, match="too large"):
            make.write_grids(fast, tmp_path, "x", grid_size=size)
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6)
    with pytest.raises(UserError, match=r"not enough memory for a grid of 100x100 pictures .about 0.0 GB"):
        make.write_grids(fast, tmp_path, "x", grid_size=(100, 100))
    with pytest.raises(UserError, match="not enough memory for the latents of 30,000 frames"):
        make.write_film(fast, tmp_path / "x.mp4", duration=1000)
    with pytest.raises(UserError, match="not enough memory for a grid of 1x1"):
        make.write_film(fast, tmp_path / "x.mp4", zoom_by=1000)
    monkeypatch.setattr(memory, "available_memory", lambda: 100)
    monkeypatch.setattr(memory, "granted", 0.0)
    with pytest.raises(UserError, match="not enough memory for pictures of 8 x 8"):
        make.check_room(fast, 1)
    with pytest.raises(UserError, match="not enough memory; take a smaller --minibatch_size"):
        make.write_each([tmp_path / "x.png"], lambda number: np.empty(2**55))
    assert list(tmp_path.iterdir()) == []


# --- films --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_film(tmp_path, ending):
    """Of a grey, labelled generator: as long and large as it should be, and its frames are the walk's pictures."""
    fast, path = load(LABELLED), tmp_path / f"x.{ending}"
    about = {"duration": 0.4, "smoothing": 0.1, "fps": 10, "seed": 5}
    assert make.write_film(fast, path, (3, 2), zoom_by=2, shrink=2, label="1", minibatch=4, **about) == path
    info, frames = probe(path), list(read_frames(path))
    assert (info.width, info.height, info.fps, len(frames)) == (96, 64, 10, 4)
    latents = make.walk(fast, 0.4, 10, 6, 0.1, 5)
    labels = np.eye(3, dtype=np.float32)[[1] * 24]
    images = make.make_images(fast, latents.reshape(24, 12), labels, shrink=2)[:, 0].reshape(4, 2, 3, 16, 16)
    wanted = images.transpose(0, 1, 3, 2, 4).reshape(4, 32, 48).repeat(2, 1).repeat(2, 2)[..., None]
    assert np.abs(np.array(frames).astype(int) - wanted).mean() < 6


def test_zoomed_frames_to_the_pixel():
    fast, latents = load(PLAIN), make.walk(load(PLAIN), 0.3, 10, 2, 1, 0)
    plain = list(make.film_frames(fast, latents, None, (1, 2), minibatch=1))
    large = list(make.film_frames(fast, latents, None, (1, 2), zoom_by=3, minibatch=8))
    assert [frame.shape for frame in plain + large] == [(32, 16, 3)] * 3 + [(96, 48, 3)] * 3
    for small_one, large_one in zip(plain, large, strict=True):
        assert np.array_equal(small_one.repeat(3, 0).repeat(3, 1), large_one)


def test_a_film_of_four_pixels(tmp_path):
    make.write_film(small(4), tmp_path / "x.mp4", duration=0.1)
    assert [frame.shape for frame in read_frames(tmp_path / "x.mp4")] == [(4, 4, 3)] * 3
    make.write_film(small(4), tmp_path / "y.mp4", duration=0.1, shrink=4, grid_size=(3, 5))
    assert probe(tmp_path / "y.mp4").height == 5


def test_films_that_cannot_be(tmp_path):
    fast, path = small(), tmp_path / "x.mp4"
    path.write_bytes(b"before")
    for about, said in (
        ({"duration": 0}, "no frame; take a larger --duration_sec"),
        ({"duration": 1e30}, "too long"),
        ({"smoothing": 1e30}, "smaller --smoothing_sec"),
        ({"fps": 10**6}, "--mp4_fps is at most 1000"),
        ({"bitrate": "x"}, "'x' is no bit rate"),
        ({"zoom_by": 0}, "--image_zoom must be at least 1"),
        ({"shrink": 3}, "--image_shrink must divide 8"),
        ({"seed": 2**32}, "0 to 4294967295"),
        ({"label": "1"}, "without labels"),
        ({"grid_size": (0, 1)}, "has none"),
        ({"grid_size": (1, 3000)}, "cannot write .*x.mp4: "),
    ):
        with pytest.raises(UserError, match=said):
            make.write_film(fast, path, **{"duration": 0.1} | about)
    with pytest.raises(UserError, match="end it in .mp4"):
        make.write_film(fast, tmp_path / "x.avi")
    assert path.read_bytes() == b"before" and [path.name for path in tmp_path.iterdir()] == ["x.mp4"]


def test_ctrl_c_keeps_the_frames_so_far(tmp_path, monkeypatch, capsys):
    fast, real, calls = small(), make.make_images, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(make, "make_images", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make.write_film(fast, tmp_path / "x.mp4", duration=600, minibatch=2)
    assert len(list(read_frames(tmp_path / "x.mp4"))) == 6
    assert "x.mp4 has the first 6 of 18000 frames" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]


def test_a_full_disk(tmp_path, full_disk):
    fast = load(PLAIN)
    for path in (tmp_path / "x.mp4", tmp_path / "x000000.png"):
        path.write_bytes(b"before")
    with full_disk(500):
        with pytest.raises(UserError, match=r"cannot write .*x000000.png: File too large"):
            make.write_grids(fast, tmp_path, "x", grid_size=(8, 8))
        with pytest.raises(UserError, match=r"cannot write .*x.mp4: "):
            make.write_film(fast, tmp_path / "x.mp4", duration=0.5)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "x.mp4": b"before",
        "x000000.png": b"before",
    }
