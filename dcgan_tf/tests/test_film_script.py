"""Film scripts: what is understood, and the one line that says what is wrong with the rest."""

import json
from pathlib import Path

import numpy as np
import pytest

from film_script import read_film
from seeds import find_seed, read_seed, write_seed
from shared_scripts.cli import UserError

GOOD = {"base_dir": "seeds", "rand_seed": 1}
PAIR = [["a", "b", 4]]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with two seed files."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate("ab"):
        write_seed(tmp_path / "seeds" / f"{name}.json", np.random.RandomState(i).uniform(-1, 1, 6))
    return tmp_path


def write(text, name="films/a.json"):
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def film(*cuts, **fields):
    """A film read from a script of these cuts."""
    return read_film(write(json.dumps(GOOD | fields | {"data": list(cuts)})))


def problem(*cuts, **fields):
    with pytest.raises(UserError) as caught:
        film(*cuts, **fields)
    return str(caught.value)


# --- side files ---------------------------------------------------------------------------------------------------


def test_side_files_keep_every_digit(tmp_path):
    z = np.random.RandomState(3).uniform(-1, 1, 100)
    write_seed(tmp_path / "RandGen_00001.json", z)
    text = (tmp_path / "RandGen_00001.json").read_text()
    assert text.startswith(f"[{z[0]!r}".replace("np.float64(", "").replace(")", "")) and text.endswith("]")
    for name in ("RandGen_00001", "RandGen_00001.json", "RandGen_00001.png"):
        np.testing.assert_array_equal(read_seed(name, tmp_path).values, z)
    np.testing.assert_array_equal(read_seed(str(tmp_path / "RandGen_00001")).values, z)


def test_windows_paths_of_side_files(folder):
    assert find_seed("seeds\\a").exists() and read_seed("seeds\\a.json").values.shape == (6,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"z": [1, 2]}', "is no seed file: expected a JSON array of numbers"),
        ("[]", "is no seed file"),
        ("[1, true]", "number 2 is true"),
        ('[1, "2"]', 'number 2 is "2"'),
        ("[1, NaN]", "number 2 is NaN"),
        ("[1, 1e400]", "number 2 is Infinity"),
        ("[1, [2]]", "number 2 is [2]"),
        ("[1, 2", "line 1: the file ends too early"),
        ("", "is empty"),
    ],
)
def test_bad_side_files(text, message, folder):
    write(text, "seeds/bad.json")
    with pytest.raises(UserError, match="seeds/bad.json") as caught:
        read_seed("bad", folder / "seeds")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_side_files_of_other_networks_are_named(folder):
    shot = film(
        {"mode_num": 8, "start_image": "a", "total_frame_num": 2, "max_step": 0}, {"mode_num": 1, "interp_data": PAIR}
    )
    shot.check_lengths(6)
    with pytest.raises(UserError, match=r"cut 1 \(mode 8\): seeds/a.json has 6 numbers, but this network takes 100"):
        shot.check_lengths(100)


# --- what is understood -------------------------------------------------------------------------------------------


def test_the_spellings_of_the_years(folder):
    shot = film(
        {"mode_num": "1", "mode_data": PAIR},
        {"mode_num": 9, "interp_data": PAIR, "is_ease_in": "false", "power": 2},
        {"mode_num": 9.0, "interp_data": [["a.json", "b.json", 4.0]], "is_ease_in": True, "power": 2},
        {"mode_num": 3, "start_image": "a", "total_frame_num": 5, "max_speed": 0.3, "max_amplitude": 2},
        {"mode_num": "RANDGEN", "total_frame_num": 3},
    )
    assert [cut.mode for cut in shot.cuts] == [1, 9, 9, 3, "randGen"]
    assert [cut.number for cut in shot.cuts] == [1, 2, 3, 4, 5]
    assert [cut.values.get("is_ease_in") for cut in shot.cuts[:3]] == [None, False, True]
    assert shot.cuts[3].values == {"total_frame_num": 5, "speed": 0.3, "amplitude": 2.0, "easing": 0.05}
    assert [pair.frames for cut in shot.cuts for pair in cut.pairs] == [4, 4, 4]
    assert shot.frames(6) == 20 and shot.stem == "a"


def test_folders_of_seeds_from_here_or_from_the_script(folder):
    cut = {"mode_num": 1, "interp_data": PAIR}
    here = film(cut).cuts[0].pairs[0].start.values
    (folder / "films" / "own").mkdir()
    write_seed(folder / "films" / "own" / "a.json", [1.0])
    write_seed(folder / "films" / "own" / "b.json", [2.0])
    write_seed(folder / "films" / "a.b.json", [3.0])
    assert film(cut, base_dir="own").cuts[0].pairs[0].start.values == [1.0]
    assert film(cut, base_dir=".\\films\\own").cuts[0].pairs[0].end.values == [2.0]
    (folder / "films" / "seeds").mkdir()  # the current folder's goes first
    np.testing.assert_array_equal(film(cut).cuts[0].pairs[0].start.values, here)
    beside = film({"mode_num": 1, "interp_data": [["a.b", "a.b", 2]]}, base_dir=None)
    assert beside.cuts[0].pairs[0].start.values == [3.0]


def test_a_seed_is_drawn_told_and_kept_where_there_is_none(folder, capsys):
    cut = {"mode_num": "randGen", "total_frame_num": 1}
    path = write(json.dumps({"data": [cut], "title": "é"}))
    first, second = read_film(path), read_film(path)
    assert first.rand_seed != second.rand_seed and f'"rand_seed": {first.rand_seed}' in capsys.readouterr().err
    assert json.loads(first.kept()) == {"data": [cut], "title": "é", "rand_seed": first.rand_seed}
    assert read_film(path, seed=12).rand_seed == 12
    given = write(b'\xef\xbb\xbf{"rand_seed": 4,\n"data": [{"mode_num": "randGen", "total_frame_num": 1}]}')
    assert read_film(given, seed=12).rand_seed == 4 and read_film(given).kept() == given.read_bytes()


def test_what_is_unknown_is_told_and_ignored(folder, capsys):
    film({"mode_num": 1, "interp_data": PAIR, "mode_data": PAIR, "frames": 3}, titel="x")
    told = capsys.readouterr().err
    assert "films/a.json: titel ignored" in told
    assert "films/a.json: cut 1 (mode 1): mode_data, frames ignored; mode 1 has mode_num, interp_data" in told
    film({"mode_num": 7, "interp_data": PAIR, "overflow_buffer": 0.1})
    assert not capsys.readouterr().err


def test_labels_of_film_cut_and_command_line(folder):
    cut = {"mode_num": 1, "interp_data": PAIR}
    shot = film(cut, cut | {"label": 3}, cut | {"label": [1, 7]}, label=5)
    assert [cut.label for cut in shot.with_label(None).cuts] == [5, 3, (1, 7)]
    assert [cut.label for cut in shot.with_label(9).cuts] == [9, 3, (1, 7)]
    assert shot.cuts[0].label is None


# --- what is wrong ------------------------------------------------------------------------------------------------

WALK = {"mode_num": 5, "start_image": "a", "total_frame_num": 3, "max_speed": 0.1, "clamp_boundary": 0.2}
MOVE = {"mode_num": 1, "interp_data": PAIR}


def without(cut, name):
    return {key: value for key, value in cut.items() if key != name}


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (without(WALK, "max_speed"), "cut 2 (mode 5): max_speed is missing"),
        (without(WALK, "start_image"), "cut 2 (mode 5): start_image is missing"),
        (WALK | {"max_speed": None}, "cut 2 (mode 5): max_speed is missing"),
        (WALK | {"max_speed": "fast"}, 'cut 2 (mode 5): max_speed must be a number from 0, not "fast"'),
        (WALK | {"max_speed": True}, "max_speed must be a number from 0, not true"),
        (WALK | {"max_speed": float("nan")}, "max_speed must be a number from 0, not NaN"),
        (WALK | {"max_speed": 10**400}, "max_speed must be a number from 0, not 1000"),
        (WALK | {"total_frame_num": 0}, "total_frame_num must be a whole number from 1, not 0"),
        (WALK | {"total_frame_num": 2.5}, "total_frame_num must be a whole number from 1, not 2.5"),
        (WALK | {"start_image": "c"}, "cut 2 (mode 5): start_image: there is no seed file seeds/c.json"),
        (WALK | {"start_image": 7}, 'cut 2 (mode 5): start_image must be a text in "quotes", not 7'),
        (WALK | {"label": 10}, "cut 2 (mode 5): label must be a digit 0..9, or [from, to], not 10"),
        (WALK | {"label": [1, 2, 3]}, "label must be a digit"),
        (MOVE | {"mode_num": 16}, "cut 2: there is no mode_num 16; there are 1, 2, 3"),
        (MOVE | {"mode_num": True}, "cut 2: there is no mode_num true"),
        (MOVE | {"mode_num": [1]}, "cut 2: there is no mode_num [1]"),
        (without(MOVE, "mode_num"), "cut 2: mode_num is missing"),
        (["a", "b", 4], "cut 2: expected an object in curly brackets"),
        (MOVE | {"interp_data": []}, "cut 2 (mode 1): interp_data must be a list of pairs"),
        (without(MOVE, "interp_data") | {"mode_data": 3}, "cut 2 (mode 1): mode_data must be a list of pairs"),
        (MOVE | {"interp_data": [*PAIR, ["a", "b"]]}, 'has ["a", "b"] as pair 2; a pair is [start, end, frames]'),
        (MOVE | {"interp_data": [["a", "b", 0]]}, "pair 1; its number of frames must be a whole number from 1, not 0"),
        (MOVE | {"interp_data": [["a", 3, 4]]}, "pair 1; the name of a seed file must be a text"),
        (MOVE | {"interp_data": [*PAIR, ["a", "c", 3]]}, "cut 2 (mode 1), pair 2: there is no seed file seeds/c.json"),
        (MOVE | {"mode_num": 9, "power": 2, "is_ease_in": "yes"}, 'is_ease_in must be true or false, not "yes"'),
        (MOVE | {"mode_num": 12, "power": 0}, "cut 2 (mode 12): power must be a number above 0, not 0"),
    ],
)
def test_wrong_cuts_are_named_with_their_field(cut, message, folder):
    text = problem(MOVE, cut)
    assert text.startswith("films/a.json: cut 2") and message in text and "\n" not in text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rand_seed": -1}, "films/a.json: rand_seed must be a whole number 0..4294967295, not -1"),
        ({"rand_seed": "x"}, "rand_seed must be"),
        ({"base_dir": "nowhere"}, "cut 1 (mode 1), pair 1: there is no folder nowhere with seed files (base_dir)"),
        ({"base_dir": ["seeds"]}, "base_dir must be a text"),
        ({"label": 12}, "films/a.json: label must be a whole number 0..9, not 12"),
        ({"reference_exact": 1}, "reference_exact must be true or false, not 1"),
    ],
)
def test_wrong_fields_of_the_film(fields, message, folder):
    assert message in problem(MOVE, **fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"rand_seed": 1}', "films/a.json: data is missing"),
        ('{"data": []}', "films/a.json: data must be a list of cuts, not []"),
        ("[0.1, 0.2]", 'films/a.json is no film script: expected {"data": [cuts]}, not [0.1, 0.2]'),
        ('{"data":\n[1,\n]}', "line 2: JSON allows no comma before a closing bracket"),
        ('{"data": [],\n}', "JSON allows no comma before a closing bracket"),
        ('{"data": []\n"label": 1}', "films/a.json: line 2: this is no JSON (expecting ',' delimiter)"),
        ('{"data": [\n// cuts\n]}', "films/a.json: line 2: JSON has no comments"),
        ('{"data": [{', "films/a.json: line 1: the file ends too early"),
        ("", "films/a.json is empty"),
        ("[" * 100_000, "films/a.json"),
        (b"\xff\xfe{", "films/a.json is no text in UTF-8"),
    ],
)
def test_files_that_are_no_script(text, message, folder):
    path = write(text)
    with pytest.raises(UserError) as caught:
        read_film(path)
    text = str(caught.value)
    if "line 2" in message:
        text = text.replace("line 3", "line 2")  # Python before 3.13 points to the bracket
    assert message in text and "\n" not in text


def test_a_script_that_is_not_there(folder):
    with pytest.raises(UserError, match="there is no film script films/none.json"):
        read_film(Path("films/none.json"))
    with pytest.raises(UserError, match="seeds is a folder"):
        read_film(Path("seeds"))
