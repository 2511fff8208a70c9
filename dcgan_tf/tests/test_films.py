"""Films as files: frames and their names, side files, videos, loops, labels, Ctrl-C. The network is a stand-in: what it
draws is a plain function of z, so that pictures can be told apart."""

import json
import os
import signal
from argparse import Namespace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import films
from cuts import Frame
from films import check_walk, close_loop, find_film, make_film, make_walk
from latent import slerp
from seeds import read_seed, write_seed
from shared_scripts.cli import StoppedBetweenSteps, UserError
from shared_scripts.videos import probe, read_frames


class Drawing:
    """A sampler: the left half of a picture is z[0], the right half z[1], or with labels their mean digit over 10."""

    z_dim, height, width = 6, 16, 16

    def __init__(self, channels=3, y_dim=0):
        self.channels, self.y_dim, self.sigmoid, self.batches = channels, y_dim, y_dim > 0, []

    def __call__(self, z, y):
        assert z.dtype == np.float32 and z.shape[1] == 6 and (y is None) == (self.y_dim == 0)
        self.batches.append(len(z))
        images = np.zeros((len(z), self.height, self.width, self.channels), np.float32)
        images[:, :, :8] = z[:, 0, None, None, None]
        images[:, :, 8:] = (z[:, 1] if y is None else y @ np.arange(10) / 10)[:, None, None, None]
        return images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with two seed files and a fixed time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(films, "time_stamp", lambda: "20190910-185017")
    write_seed(tmp_path / "seeds" / "a.json", np.linspace(-1, 1, 6))
    write_seed(tmp_path / "seeds" / "b.json", np.linspace(0.9, -0.5, 6))
    return tmp_path


MOVE = {"mode_num": 1, "interp_data": [["a", "b", 5]]}


def given(cuts=(MOVE,), **changes):
    """Flags for a film of these cuts."""
    Path("my.video.json").write_text(json.dumps({"base_dir": "seeds", "rand_seed": 1, "data": list(cuts)}))
    flags = {"gen_json": "my.video.json", "generation_mode": 1, "sample_dir": Path("samples"), "dataset": "faces"}
    flags |= {"batch_size": 4, "reference_exact": False, "input_seed_path": "seeds/a", "walk_rand_seed": 7}
    flags |= {"walk_num": 9, "max_jump_step": 0.03, "min_jump_step": None, "interp_json": None, "sin_cycle_json": None}
    flags |= {"num_images": None, "label": None, "video": None, "fps": 24, "crf": 18, "lossless": False, "zoom": 1}
    flags |= {"keep_frames": False, "loop": 0, "seed": None, "stretch": False, "z_dist": "uniform_signed"}
    return Namespace(**flags | changes)


def render(flags, sampler=None):
    make_film(flags, sampler or Drawing(), find_film(flags))


def walk(flags, sampler):
    make_walk(flags, sampler, check_walk(flags))


def written(folder="samples"):
    """The files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def level(value):
    """The grey level of a tanh network's output."""
    return round((value + 1) * 127.5)


def picture(path):
    return np.array(Image.open(path))


# --- frames as PNG files ------------------------------------------------------------------------------------------

FOLDER = "my-faces-20190910-185017"


def test_frames_and_script_are_where_the_reference_puts_them(folder, capsys):
    render(given())
    names = [f"{FOLDER}/my_faces_20190910-185017_{i:05d}.png" for i in range(5)]
    assert written() == sorted([*names, f"{FOLDER}/my.video.json"])
    for i, name in enumerate(names):
        z = slerp(i / 4, np.linspace(-1, 1, 6), np.linspace(0.9, -0.5, 6))
        pixels = picture(f"samples/{name}")
        assert pixels.shape == (16, 16, 3)
        assert np.ptp(pixels[:, :8]) == 0 and abs(int(pixels[0, 0, 0]) - np.clip(level(z[0]), 0, 255)) <= 1
    assert Path("samples", FOLDER, "my.video.json").read_text() == Path("my.video.json").read_text()
    assert f"Wrote 5 frames into samples/{FOLDER}" in capsys.readouterr().err


def test_the_kept_script_makes_the_film_again(folder):
    flags = given()
    cut = {"mode_num": 8, "start_image": "a", "total_frame_num": 3, "max_step": 0.5}
    Path("my.video.json").write_text(json.dumps({"base_dir": "seeds", "data": [cut]}))
    flags.seed = 11
    render(flags)
    flags.seed = None  # the second time the number comes from the script that was kept
    first = [picture(path) for path in sorted(Path("samples").rglob("*.png"))]
    flags.gen_json, flags.sample_dir = f"samples/{FOLDER}/my.video.json", Path("again")
    render(flags)
    np.testing.assert_array_equal(first, [picture(path) for path in sorted(Path("again").rglob("*.png"))])
    assert len({image.tobytes() for image in first}) == 3


def test_random_pictures_come_with_the_side_files_that_make_them_again(folder):
    cuts = [{"mode_num": "randGen", "total_frame_num": 3}]
    render(given([MOVE, *cuts], loop=2))
    assert len(written()) == 5 + 3 + 2 + 1 + 3
    for i in (5, 6, 7):
        stem = Path("samples", FOLDER, f"my_faces_20190910-185017_{i:05d}")
        z = read_seed(str(stem)).values
        assert len(z) == 6 and picture(f"{stem}.png")[0, 0, 0] == level(z[0])
        assert (z != z.astype(np.float32)).all()  # every digit


def test_random_pictures_are_of_the_networks_distribution(folder):
    cuts = [
        {"mode_num": "randGen", "total_frame_num": 3},
        {"mode_num": 8, "start_image": "a", "total_frame_num": 1, "max_step": 0},
    ]
    render(given(cuts, z_dist="normal01"))
    for i, z in enumerate(np.random.RandomState(1).standard_normal((3, 6))):
        stem = Path("samples", FOLDER, f"my_faces_20190910-185017_{i:05d}")
        np.testing.assert_array_equal(read_seed(str(stem)).values, z)
        assert picture(f"{stem}.png")[0, 0, 0] == np.clip(level(z[0]), 0, 255)


def test_the_reference_exactly(folder):
    """Mode 3 begins with the zero vector, mode 15's names lack the data set, each frame is stretched."""
    cuts = [
        {"mode_num": 3, "start_image": "a", "total_frame_num": 1, "amplitude": 0.1, "speed": 0.1},
        {"mode_num": 15, "start_image": "a", "frames_per_period": 1, "is_wrap": True, "is_exp_ease": False},
    ]
    render(given(cuts))
    assert picture(f"samples/{FOLDER}/my_faces_20190910-185017_00000.png")[0, 0, 0] == level(-1)
    assert picture(f"samples/{FOLDER}/my_faces_20190910-185017_00001.png")[0, -1, 0] == level(-0.6)
    render(given(cuts, reference_exact=True, sample_dir=Path("exact")))
    assert picture(f"exact/{FOLDER}/my_faces_20190910-185017_00000.png")[0, 0, 0] == 0
    assert picture(f"exact/{FOLDER}/my_20190910-185017_00001.png")[0, [0, -1], 0].tolist() == [0, 255]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_zoom_and_channels(channels, folder):
    render(given(zoom=3, video=Path("film.mp4"), keep_frames=True), Drawing(channels))
    first = picture(f"samples/{FOLDER}/my_faces_20190910-185017_00000.png")
    assert first.shape == {1: (48, 48), 3: (48, 48, 3), 4: (48, 48, 4)}[channels]
    assert (probe("film.mp4").width, probe("film.mp4").height) == (48, 48)


def test_frames_are_computed_in_batches_of_their_own(folder):
    sampler = Drawing()
    render(given([{"mode_num": 4, "start_image": "a", "total_frame_num": 150, "max_speed": 0.1}]), sampler)
    assert sampler.batches == [64, 64, 22]


# --- videos -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv", "film.gif"])
def test_videos_have_the_frames(name, folder, capsys):
    render(given(video=Path("out", name), fps=25, crf=5))
    info, frames = probe(f"out/{name}"), np.array(list(read_frames(f"out/{name}")))
    assert (info.width, info.height, info.fps, len(frames)) == (16, 16, Fraction(25), 5)
    lefts = [level(np.clip(slerp(i / 4, np.linspace(-1, 1, 6), np.linspace(0.9, -0.5, 6))[0], -1, 1)) for i in range(5)]
    assert abs(frames[:, 4:12, 2:6].mean(axis=(1, 2, 3)) - lefts).max() < 4
    assert written() == [f"{FOLDER}/my.video.json"]
    assert f"Wrote out/{name}: 5 frames, 0.2 s" in capsys.readouterr().err


def test_lossless_videos_are_the_pngs(folder):
    render(given(video=Path("film.mkv"), lossless=True, keep_frames=True), Drawing(channels=1))
    pictures = [picture(path) for path in sorted(Path("samples").rglob("*.png"))]
    np.testing.assert_array_equal([frame[..., 0] for frame in read_frames("film.mkv")], pictures)


def test_odd_sizes_are_warned_about(folder, capsys):
    sampler = Drawing()
    sampler.width = 15
    render(given(video=Path("film.mp4")), sampler)
    assert "odd sizes (15x16); --zoom 2" in capsys.readouterr().err and probe("film.mp4").width == 15


def test_videos_that_cannot_be_written_are_refused_with_the_script(folder):
    for path, message in ((Path("film.avi"), "cannot write a film as"), (Path("seeds"), "cannot write a film as")):
        with pytest.raises(UserError, match=message):
            find_film(given(video=path))
    Path("file").touch()
    with pytest.raises(UserError, match="cannot create the folder file"):
        find_film(given(video=Path("file/film.mp4")))


def test_ctrl_c_leaves_a_film_that_plays_and_the_frames(folder, capsys):
    class Interrupted(Drawing):
        def __call__(self, z, y):
            if len(self.batches) == 1:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(z, y)

    cuts = [{"mode_num": 4, "start_image": "a", "total_frame_num": 300, "max_speed": 0.1}]
    with pytest.raises(StoppedBetweenSteps):
        render(given(cuts, video=Path("film.mp4"), keep_frames=True), Interrupted())
    assert sum(1 for _ in read_frames("film.mp4")) == 128 == len(list(Path("samples").rglob("*.png")))
    assert "Stopped after 128 of 300 frames" in capsys.readouterr().err
    assert not [name for name in written(".") if "part" in name or "tmp" in name]


def test_a_full_disk_is_one_line(folder, full_disk):
    flags = given([{"mode_num": 8, "start_image": "a", "total_frame_num": 200, "max_step": 1}], video=Path("film.mkv"))
    with full_disk(1000), pytest.raises(UserError, match="cannot write film.mkv"):
        render(flags)
    assert not Path("film.mkv").exists()


# --- loops --------------------------------------------------------------------------------------------------------


def test_a_closed_loop_ends_with_its_first_frame(folder):
    random = np.random.RandomState(1)
    frames = [Frame(z, np.eye(10, dtype=np.float32)[i], 1) for i, z in enumerate(random.randn(4, 6).astype(np.float32))]
    looped = list(close_loop(iter(frames), 12))
    assert looped[:4] == frames and len(looped) == 16
    np.testing.assert_array_equal(looped[-1].z, frames[0].z)
    np.testing.assert_array_equal(looped[-1].labels, frames[0].labels)
    steps = np.linalg.norm(np.diff([frame.z for frame in looped[3:]], axis=0), axis=1)
    assert steps[0] < steps[5] / 3 and steps[-1] < steps[6] / 3  # eased at both ends
    np.testing.assert_allclose(looped[9].z, slerp(0.5, frames[3].z, frames[0].z), atol=1e-6)
    np.testing.assert_allclose(looped[9].labels[[0, 3]], 0.5, atol=1e-6)
    assert {(frame.z.dtype.name, frame.labels.dtype.name, frame.cut) for frame in looped[4:]} == {
        ("float32", "float32", 0)
    }
    assert list(close_loop(iter([]), 12)) == [] and len(list(close_loop(iter(frames[:1]), 3))) == 4


def test_loops_of_films_and_walks(folder):
    render(given(loop=7))
    paths = sorted(Path("samples").rglob("*.png"))
    assert len(paths) == 12 and (picture(paths[0]) == picture(paths[-1])).all()
    walk(given(generation_mode=6, loop=7, sample_dir=Path("walks"), video=Path("walk.mp4")), Drawing())
    assert sum(1 for _ in read_frames("walk.mp4")) == 16 and not Path("walks").exists()


# --- labels -------------------------------------------------------------------------------------------------------


def digits(folder="samples"):
    """The digits that were drawn, as the stand-in shows them."""
    return [round(picture(path)[0, -1] / 25.5, 2) for path in sorted(Path(folder).rglob("*.png"))]


def test_labels_of_films(folder):
    cuts = [MOVE | {"label": 3}, MOVE | {"label": [0, 8]}, MOVE, {"mode_num": "randGen", "total_frame_num": 2}]
    render(given(cuts, label=6), Drawing(1, y_dim=10))
    np.testing.assert_allclose(digits(), [3] * 5 + [0, 2, 4, 6, 8] + [6] * 7, atol=0.05)


def test_random_pictures_go_through_all_digits(folder):
    walk(given(num_images=12), Drawing(1, y_dim=10))
    np.testing.assert_allclose(digits(), [*range(10), 0, 1], atol=0.05)
    walk(given(num_images=2, label=4, sample_dir=Path("fours")), Drawing(1, y_dim=10))
    np.testing.assert_allclose(digits("fours"), [4, 4], atol=0.05)
    walk(given(generation_mode=8, label=7, sample_dir=Path("sevens")), Drawing(1, y_dim=10))
    np.testing.assert_allclose(digits("sevens"), [7] * 9, atol=0.05)


def test_conditional_networks_need_a_label(folder, capsys):
    conditional, plain = Drawing(1, y_dim=10), Drawing(1)
    message = r"this is a network for 10 labels: add --label 0\.\.9"
    with pytest.raises(UserError, match=rf"cut 2 \(mode 1\): {message} \(or \"label\" to the JSON\)"):
        render(given([MOVE | {"label": 1}, MOVE]), conditional)
    with pytest.raises(UserError, match=message):
        walk(given(generation_mode=6), conditional)
    with pytest.raises(UserError, match=message):
        walk(given(label=11), conditional)
    assert not Path("samples").exists()
    render(given([MOVE | {"label": 1}]), plain)
    walk(given(label=1, num_images=1), plain)
    assert capsys.readouterr().err.count("Warning: this network has no labels") == 2


# --- walks --------------------------------------------------------------------------------------------------------


def test_walks_are_straight_in_the_samples_folder(folder):
    walk(given(generation_mode=8), Drawing())
    assert written() == [f"Walk_randSeed7_20190910-185017_{i:05d}.png" for i in range(9)]
    assert picture("samples/Walk_randSeed7_20190910-185017_00000.png")[0, 0, 0] == level(-1)


def test_random_pictures_of_mode_1_and_their_side_files(folder):
    walk(given(num_images=3), Drawing())
    stems = [f"RandGen_20190910-185017_{i:05d}" for i in range(3)]
    assert written() == sorted(f"{stem}.{ending}" for stem in stems for ending in ("json", "png"))
    for i, z in enumerate(np.random.RandomState(7).uniform(-1, 1, (3, 6))):
        np.testing.assert_array_equal(read_seed(f"samples/{stems[i]}").values, z)
        assert picture(f"samples/{stems[i]}.png")[0, 0, 0] == level(z[0])


def test_names_after_the_interpolation_file(folder):
    Path("jsons").mkdir()
    Path("jsons/my.pairs.json").write_text('{"base_dir": "seeds", "data": [["a", "b", 2]]}')
    walk(given(generation_mode=10, interp_json="jsons\\my.pairs.json"), Drawing())
    assert written() == [f"my.pairs_20190910-185017_{i:05d}.png" for i in range(2)]


def test_files_of_a_walk_are_read_once(folder, capsys):
    Path("pairs.json").write_text('{"base_dir": "seeds", "title": "x", "data": [["a", "b", 2]]}')
    flags = given(generation_mode=10, interp_json="pairs.json")
    files = check_walk(flags)
    assert capsys.readouterr().err.count("title ignored") == 1
    Path("pairs.json").unlink()
    Path("seeds/a.json").unlink()
    make_walk(flags, Drawing(), files)
    assert "Warning" not in capsys.readouterr().err and len(written()) == 2


def test_a_loop_behind_mode_12(folder):
    walk(given(generation_mode=12, loop=3), Drawing())
    names = written()
    assert len(names) == 53
    assert names[-3:] == [f"mode11_20190910-185017_loop_{i:05d}.png" for i in range(3)]


def test_seeds_of_other_networks_are_refused_before_anything_is_written(folder):
    write_seed(Path("seeds/a.json"), np.zeros(100))
    with pytest.raises(UserError, match="a.json has 100 numbers, but this network takes 6"):
        render(given())
    with pytest.raises(UserError, match="a.json has 100 numbers"):
        walk(given(generation_mode=6), Drawing())
    assert not Path("samples").exists()
