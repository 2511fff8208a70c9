"""Film modes: the reference's sequences to the last random number, and what a cut shows where its code has a bug."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.random import RandomState

import cuts
from cuts import MODES, Cut, Pair, Take, cut_vectors, film_vectors, made_frames
from film_script import read_film
from seeds import Seed, write_seed

SEED_A, SEED_B = (Seed(None, RandomState(i).uniform(-1, 1, 6)) for i in (1, 2))


def golden_film(recorded, folder):
    """The script of a recording, with its side files, as a film that was read from disk."""
    for name, values in zip(recorded["seed_names"], recorded["seed_values"], strict=True):
        write_seed(folder / f"{name}.json", values)
    script = folder / "my_video.json"
    script.write_text(json.dumps(json.loads(str(recorded["config"])) | {"base_dir": str(folder)}))
    return read_film(script)


def watched_random(monkeypatch):
    """The RandomStates that films make from now on."""
    made = []

    def random_state(seed):
        made.append(RandomState(seed))
        return made[-1]

    monkeypatch.setattr(cuts, "RandomState", random_state)
    return made


@pytest.mark.parametrize("name", ["video_all_modes.npz", "video_extra_modes.npz"])
def test_films_are_the_references(name, golden, tmp_path, monkeypatch):
    recorded, made = golden(name), watched_random(monkeypatch)
    film, batch_size = golden_film(recorded, tmp_path), int(recorded["batch_size"])
    frames = list(film_vectors(film, 100, batch_size, reference_exact=True))
    np.testing.assert_allclose([frame.z for frame in frames], recorded["z"], atol=1e-6)
    assert {(frame.z.dtype, frame.labels) for frame in frames} == {(np.dtype(np.float32), None)}
    numbers = np.searchsorted(recorded["cut_bounds"], np.arange(len(frames)), side="right")
    assert [frame.cut for frame in frames] == numbers.tolist()
    assert [made_frames(cut, 100, batch_size) for cut in film.cuts] == recorded["frames_fed_per_cut"].tolist()
    assert len(frames) == film.frames(100)
    (random,) = made
    np.testing.assert_array_equal(random.random_sample(4), recorded["next_random_sample"])


def test_the_documented_film_differs_where_the_reference_has_bugs_only(golden, tmp_path):
    recorded = golden("video_all_modes.npz")
    film = golden_film(recorded, tmp_path)
    frames = np.array([frame.z for frame in film_vectors(film, 100, int(recorded["batch_size"]))])
    wrong = np.flatnonzero(abs(frames - recorded["z"]).max(axis=1) > 1e-6)
    assert wrong[0] == 21 and set(wrong[1:]) <= set(range(32, 42)) and len(wrong) > 2  # mode 3's first, mode 4's walk
    np.testing.assert_array_equal(frames[21], film.cuts[2].start.values.astype(np.float32))
    assert recorded["z"][31:42].min() < -1 and abs(frames[31:42]).max() <= 1


def test_mode_4_wraps_at_both_ends_as_documented(golden):
    recorded = golden("latent_functions.npz")
    cut = Cut(1, 4, {"total_frame_num": 13, "max_speed": 0.2}, start=Seed(None, recorded["edge"].astype(float)))
    walked = list(cut_vectors(Take(cut, 100, RandomState(18), 1, exact=False)))
    np.testing.assert_allclose(walked[1:], recorded["wrap_walk_documented"], atol=1e-6)
    walked = list(cut_vectors(Take(cut, 100, RandomState(18), 1, exact=True)))
    np.testing.assert_allclose(walked[1:], recorded["wrap_walk_reference"], atol=1e-6)


def shoot(mode, batch_size=4, frames=5, **values):
    """A cut's vectors, (frames, 6)."""
    cut = Cut(1, mode, values, (Pair(SEED_A, SEED_B, frames),), SEED_A)
    return np.array(list(cut_vectors(Take(cut, 6, RandomState(3), batch_size, False))))


PAIR_MODES = {
    1: {},
    2: {},
    6: {},
    7: {"usual_cutoff": 1.0},
    9: {"is_ease_in": True, "power": 2.0},
    10: {"is_ease_in": False},
    11: {"max_step": 0.0},
    12: {"power": 3.0},
    13: {"power": 3.0, "max_step": 0.0},
    14: {"max_step": 0.0},
}


@pytest.mark.parametrize("mode", PAIR_MODES)
def test_pairs_begin_at_their_start_and_end_at_their_end_unless_the_next_one_follows(mode):
    z = shoot(mode, **PAIR_MODES[mode])
    np.testing.assert_allclose(z[0], SEED_A.values, atol=1e-6)
    at_end = np.allclose(z[-1], SEED_B.values, atol=1e-6)
    assert len(z) == 5 and at_end == (mode not in (2, 6))
    np.testing.assert_allclose(shoot(mode, frames=1, **PAIR_MODES[mode]), z[:1])


@pytest.mark.parametrize("mode", MODES)
def test_any_latent_size_and_batch_give_the_frames_promised(mode):
    values = {"power": 2.0, "max_step": 0.1, "max_speed": 0.1, "clamp_boundary": 0.2, "usual_cutoff": 1.0}
    values |= {"amplitude": 0.1, "speed": 0.3, "easing": 0.05, "is_ease_in": True, "is_wrap": True, "is_exp_ease": True}
    values |= {"total_frame_num": 7, "frames_per_period": 2}
    z = shoot(mode, batch_size=1, **values)
    assert z.shape == ({15: 12, "randGen": 7}.get(mode, 7 if mode in (3, 4, 5, 8) else 5), 6)
    assert np.isfinite(z).all() and MODES[mode].vectors.__doc__.startswith(f"{mode}:")
    if mode not in ("randGen", 8, 11, 13, 14):
        np.testing.assert_allclose(z[0], SEED_A.values, atol=1e-6)


def test_the_batch_takes_part_in_the_random_numbers_of_later_cuts_only():
    film = SimpleNamespace(
        rand_seed=5,
        cuts=[Cut(i, 8, {"total_frame_num": 5, "max_step": 0.1}, start=SEED_A) for i in (1, 2)],
    )
    small, large = (np.array([f.z for f in film_vectors(film, 6, batch)]) for batch in (5, 8))
    np.testing.assert_array_equal(small[:5], large[:5])
    assert abs(small[5:] - large[5:]).max() > 0.01


@pytest.mark.parametrize(("mode", "made"), [(8, [4, 4, 8]), ("randGen", [4, 8, 8])])
def test_random_pictures_take_a_batch_too_many_when_the_last_one_is_full(mode, made):
    cuts = [Cut(1, mode, {"total_frame_num": total}) for total in (3, 4, 5)]
    assert [made_frames(cut, 6, 4) for cut in cuts] == made


def test_clamped_walks_stay_at_home():
    z = shoot(5, total_frame_num=300, max_speed=0.3, clamp_boundary=0.1)
    assert np.ptp(z, axis=0).max() > 0.15 and abs(z - SEED_A.values).max() <= 0.1 + 1e-6


def test_label_weights_go_from_one_digit_to_the_other():
    values = {"total_frame_num": 5, "max_step": 0.1}
    film = SimpleNamespace(
        rand_seed=5,
        cuts=[
            Cut(1, 8, values, start=SEED_A, label=3),
            Cut(2, 8, values, start=SEED_A, label=(1, 7)),
            Cut(3, "randGen", {"total_frame_num": 12}),
            Cut(4, "randGen", {"total_frame_num": 2}, label=9),
        ],
    )
    labels = np.array([frame.labels for frame in film_vectors(film, 6, 8, y_dim=10)])
    np.testing.assert_allclose(labels.sum(axis=1), 1)
    assert (labels[:5, 3] == 1).all() and (labels[-2:, 9] == 1).all()
    np.testing.assert_allclose(labels[5:10, 1], [1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(labels[5:10, 7], [0, 0.25, 0.5, 0.75, 1])
    assert labels[10:22].argmax(axis=1).tolist() == [*range(10), 0, 1]
