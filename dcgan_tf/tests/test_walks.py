"""The films of --generation_mode: the reference's sequences and names, and the errors of their flags and files."""

import json
import random
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import RandomState

from cuts import Pair
from films import check_walk
from seeds import Seed, write_seed
from shared_scripts.cli import UserError
from walk_files import choose_seed, make_settings, read_walk_files
from walks import WALKS, Cycle, Settings, plan_walk


def reference_settings(recorded, mode, meta):
    """The settings of a recorded mode (16.5 is the one with --min_jump_step) and its number of frames."""
    seeds = {name: Seed(None, z) for name, z in zip(recorded["seed_names"], recorded["seed_values"], strict=True)}
    cycles = meta["sin_cycle_json"]["data"]
    jumps = meta["mode16min"] if mode == 16.5 else {"max_jump_step": meta["max_jump_step"]}
    return Settings(
        100,
        RandomState(meta["numpy_seed"]),
        random.Random(meta["python_seed_before_call" if mode < 6 else "walk_rand_seed"]),
        seeds[meta["input_seed"]].values,
        meta["batch_size"],
        meta["walk_num_mode16" if mode >= 16 else "walk_num"],
        20 if mode == 1 else meta["interp_total"],
        pairs=tuple(Pair(seeds[a], seeds[b], frames) for a, b, frames in meta["interp_json"]["data"]),
        cycles=tuple(Cycle(cycle["idx"], cycle["framesPerCycle"], cycle["phaseShift"]) for cycle in cycles),
        overall_length=meta["sin_cycle_json"]["overall_length"],
        **jumps,
    )


@pytest.mark.parametrize("mode", [*WALKS, 16.5])
def test_walks_are_the_references(mode, golden):
    recorded = golden("legacy_modes.npz")
    meta, key = json.loads(str(recorded["meta"])), "mode16min" if mode == 16.5 else f"mode{mode}"
    settings = reference_settings(recorded, mode, meta)
    walk = plan_walk(int(mode), settings, "YYYYMMDD-HHMMSS", meta["walk_rand_seed"], "interp")
    names, vectors = zip(*walk, strict=True)
    shown = recorded.get(f"{key}/frame_index", np.arange(walk.total))
    np.testing.assert_allclose([vectors[i] for i in shown], recorded[f"{key}/z"], atol=1e-6)
    expected = recorded[f"{key}/names"].tolist()
    assert list(names[: len(expected)]) == expected and len(names) == walk.total
    assert walk.total == recorded.get(f"{key}/total", len(recorded[f"{key}/z"]))
    assert WALKS[int(mode)].vectors.__doc__.startswith(f"{int(mode)}:")


@pytest.mark.parametrize("mode", WALKS)
def test_any_latent_size_and_batch(mode):
    start = Seed(None, np.linspace(-0.9, 0.9, 6))
    files = {"pairs": (Pair(start, start, 1),), "cycles": (Cycle(5, 7.5, 0),), "overall_length": 9}
    settings = Settings(6, RandomState(1), random.Random(1), start.values, 1, 40, 40, min_jump_step=0.01, **files)
    frames = dict(plan_walk(mode, settings, "t", 0, "j"))
    assert len(frames) == {10: 1, 12: 50, 13: 600, 14: 9, 15: 1080}.get(mode, 40)
    assert np.isfinite(list(frames.values())).all() and {z.shape for z in frames.values()} == {(6,)}
    if WALKS[mode].needs:
        np.testing.assert_allclose(next(iter(frames.values())), start.values, atol=1e-12)


def test_numbers_of_frames():
    def total(mode, **changes):
        settings = Settings(20, RandomState(1), random.Random(1), np.zeros(20), **changes)
        return plan_walk(mode, settings, "t").total

    assert [total(1), total(1, reference_exact=True), total(1, num_images=7)] == [300, 500, 7]
    assert [total(2), total(5), total(4, num_images=9)] == [2700, 2700, 9]
    assert [total(6), total(11, walk_num=12), total(15)] == [2700, 12, 3600]


def test_reversed_walks_turn_round_and_clamped_ones_stay():
    def walk(mode):
        settings = Settings(5, RandomState(1), random.Random(1), np.full(5, 0.99), walk_num=3000)
        return np.array([z for _, z in plan_walk(mode, settings, "t", 1)])

    assert abs(walk(6)).max() == 1 and 1 < abs(walk(9)).max() < 1.2
    assert abs(walk(7)).max() <= 1 and np.ptp(walk(7), axis=0).min() > 1.9


# --- flags --------------------------------------------------------------------------------------------------------


def flags(mode=6, **changes):
    given = {"generation_mode": mode, "input_seed_path": None, "interp_json": None, "sin_cycle_json": None}
    given |= {"walk_num": 20, "num_images": None, "max_jump_step": 0.03, "min_jump_step": None, "walk_rand_seed": None}
    given |= {"seed": None, "reference_exact": False, "batch_size": 8, "video": None, "z_dist": "uniform_signed"}
    return Namespace(**given | changes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a seed file."""
    monkeypatch.chdir(tmp_path)
    write_seed(tmp_path / "samples" / "a.json", np.linspace(-1, 1, 6))
    return tmp_path


def vectors(given):
    """The frames of some flags."""
    seed = choose_seed(given)
    settings = make_settings(given, read_walk_files(given), 6, seed)
    return np.array([z for _, z in plan_walk(given.generation_mode, settings, "t", seed)])


def test_a_seed_repeats_a_whole_walk(folder, capsys):
    given = flags(input_seed_path="samples\\a", walk_rand_seed=7)
    first = vectors(given)
    np.testing.assert_array_equal(first, vectors(given))
    assert not capsys.readouterr().err
    given.reference_exact = True  # there the first velocity is another one every time
    assert abs(vectors(given) - vectors(given)).max() > 0
    given.seed = 1
    np.testing.assert_array_equal(vectors(given), vectors(given))


def test_a_drawn_seed_is_told_and_in_the_names(folder, capsys):
    seed = choose_seed(flags())
    assert 0 <= seed <= 10000 and f"--walk_rand_seed {seed}" in capsys.readouterr().err
    assert choose_seed(flags(seed=3)) == 3 and choose_seed(flags(seed=3, walk_rand_seed=4)) == 4
    assert choose_seed(flags(mode=1)) is None and choose_seed(flags(mode=2, seed=5)) == 5
    given = flags(mode=4, num_images=50, seed=5)
    np.testing.assert_array_equal(vectors(given), vectors(given))


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5])
def test_random_vectors_are_of_the_networks_distribution(mode, folder):
    def drawn(z_dist):
        z = vectors(flags(mode=mode, num_images=200, seed=5, z_dist=z_dist))
        return z if mode == 1 else z[::32] if mode in (3, 5) else z[:1]  # the ends of arcs

    uniform = RandomState(5).random_sample(6)
    expected = {"normal01": RandomState(5).standard_normal(6), "uniform_unsigned": uniform}
    for z_dist, z in (expected | {"uniform_signed": 2 * uniform - 1}).items():
        np.testing.assert_allclose(drawn(z_dist)[0], z, atol=1e-12)
    if len(drawn("normal01")) > 1:  # not the first ones alone
        assert abs(drawn("normal01")[3:]).max() > 1.5 and drawn("uniform_unsigned")[3:].min() >= 0


@pytest.mark.parametrize("z_dist", ["uniform_signed", "normal01"])
def test_the_distribution_of_vectors_is_none_of_velocities(z_dist, folder):
    z = vectors(flags(input_seed_path="samples/a", seed=5, z_dist=z_dist))
    np.testing.assert_allclose(z[1] - z[0], np.clip(z[0] + velocity(5), -1, 1) - z[0], atol=1e-12)


def velocity(seed):
    """The first velocity of a walk of 6 numbers, with its first step."""
    dice = random.Random(seed)
    return RandomState(seed).uniform(-0.003, 0.003, 6) + [dice.uniform(-0.0003, 0.0003) for _ in range(6)]


@pytest.mark.parametrize("mode", WALKS)
def test_the_frames_of_a_loop_come_after_the_film(mode):
    start = Seed(None, np.zeros(2))
    files = {"pairs": (Pair(start, start, 9),), "cycles": (Cycle(1, 7, 0),), "overall_length": 9}
    settings = Settings(2, RandomState(1), random.Random(1), start.values, 1, 9, 9, **files)
    walk = plan_walk(mode, settings, "t", 0, "j")
    film, loop = ([walk.name(i) for i in range(*ends)] for ends in ((0, walk.total), (walk.total, walk.total + 120)))
    assert max(film) < min(loop) and loop == sorted(set(loop))
    if mode == 12:
        assert loop[0] == "mode11_t_loop_00000.png"
    else:
        assert loop[0] == film[-1].replace(f"_{walk.total - 1:05d}", f"_{walk.total:05d}")


def test_files_of_modes_10_and_14(folder):
    (folder / "i.json").write_text('{"base_dir": "samples", "data": [["a", "a.json", 3]]}')
    assert len(vectors(flags(10, interp_json="i.json"))) == 3
    (folder / "s.json").write_text(
        '{"overall_length": 5, "data": [{"idx": 2, "framesPerCycle": 4, "phaseShift": 0.25}]}'
    )
    z = vectors(flags(14, sin_cycle_json="s.json", input_seed_path="samples/a.json"))
    np.testing.assert_allclose(z[1:, 2], [1, 0, -1, 0], atol=1e-12)  # a cosine


SINES = {"overall_length": 5, "data": [{"idx": 2, "framesPerCycle": 4}]}


@pytest.mark.parametrize(
    ("mode", "changes", "message"),
    [
        (17, {}, "there is no --generation_mode 17; there are 1..16"),
        (6, {"input_seed_path": None}, "--generation_mode 6 starts from a vector: add --input_seed_path"),
        (6, {"input_seed_path": "samples/b"}, "there is no seed file samples/b.json"),
        (10, {}, "--generation_mode 10 needs --interp_json"),
        (10, {"interp_json": "none.json"}, "there is no file none.json"),
        (10, {"interp_json": {"base_dir": "samples"}}, "j.json: data is missing"),
        (
            10,
            {"interp_json": {"base_dir": "samples", "data": [["a", "c", 2]]}},
            "j.json: data, pair 1: there is no seed",
        ),
        (10, {"interp_json": {"data": [["a", 2]]}}, 'j.json: data has ["a", 2] as pair 1'),
        (14, {}, "--generation_mode 14 needs --sin_cycle_json"),
        (
            14,
            {"sin_cycle_json": SINES | {"overall_length": "5"}},
            "j.json: overall_length must be a whole number from 1",
        ),
        (14, {"sin_cycle_json": SINES | {"data": [{"idx": 2}]}}, "j.json: cycle 1: framesPerCycle is missing"),
        (14, {"sin_cycle_json": SINES | {"data": [{"idx": -1}]}}, "j.json: cycle 1: idx must be a whole number from 0"),
        (14, {"sin_cycle_json": SINES | {"data": {"idx": 2}}}, "j.json: data must be a list of cycles"),
        (14, {"sin_cycle_json": [3]}, "j.json: expected an object in curly brackets, not [3]"),
        (16, {"max_jump_step": 0}, "--max_jump_step must be above 0, not 0"),
        (16, {"min_jump_step": 0.05}, "--min_jump_step must be 0..0.03"),
        (1, {"video": Path("film.avi")}, "cannot write a film as 'film.avi'"),
    ],
)
def test_what_is_wrong_is_said_before_there_is_a_network(mode, changes, message, folder):
    for flag, value in changes.items():
        if isinstance(value, dict | list):
            (folder / "j.json").write_text(json.dumps(value))
            changes = changes | {flag: "j.json"}
    with pytest.raises(UserError) as caught:
        check_walk(flags(mode, **{"input_seed_path": "samples/a"} | changes))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_files_of_other_networks_are_named(folder):
    (folder / "s.json").write_text(json.dumps(SINES))
    files = read_walk_files(flags(14, sin_cycle_json="s.json", input_seed_path="samples/a"))
    files.check_lengths(6)
    with pytest.raises(UserError, match="samples/a.json has 6 numbers, but this network takes 2"):
        files.check_lengths(2)
    write_seed(folder / "samples" / "b.json", [0.0, 1.0])
    files = read_walk_files(flags(14, sin_cycle_json="s.json", input_seed_path="samples/b"))
    with pytest.raises(UserError, match=r"cycle 1: idx must be a whole number 0\.\.1 with this network, not 2"):
        files.check_lengths(2)
