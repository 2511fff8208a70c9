"""alignment.py: its geometry, worked out in other ways; real faces where dlib is installed; and the way back."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import alignment
from alignment import Aligned, align, centre_crop, eyes_and_mouth, find_faces, paste_back, prepare, similarity, warp
from shared_scripts.cli import UserError
from shared_scripts.images import read_image

FACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "faces"
# As in the module's docstring, in pixels counted from 0
EYES_AND_MOUTH = [(69.5, 111.5), (107.5, 111.5), (71, 152), (106, 152)]
# CelebA's list_landmarks_celeba.txt and list_landmarks_align_celeba.txt: the eyes, the nose and the mouth's corners of
# its first pictures as they were found, and in its aligned pictures. The third face is turned aside.
PUBLISHED = {
    "000001.jpg": ("165 184 244 176 196 249 194 271 266 260", "69 109 106 113 77 142 73 152 108 154"),
    "000002.jpg": ("140 204 220 204 168 254 146 289 226 289", "69 110 107 112 81 135 70 151 108 153"),
    "000003.jpg": ("244 104 264 105 263 121 235 134 251 140", "76 112 104 106 108 128 74 156 98 158"),
}


@pytest.fixture
def dlib():
    """dlib with its landmarks; skips the test where they are not installed."""
    pytest.importorskip("dlib")
    if alignment.model_file() is None:
        pytest.skip("the package face_recognition_models is not installed")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """(512, 512, 3): a woman, upright, from the front."""
    data = pytest.importorskip("skimage.data")
    return data.astronaut()


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture of soft coloured clouds, (height, width, 3) uint8."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def landmarks_68(points: np.ndarray) -> np.ndarray:
    """dlib's 68 landmarks of a face of which four points are known; the rest is nowhere."""
    landmarks = np.full((68, 2), 1e6)
    ring = [(math.cos(i * math.pi / 3), math.sin(i * math.pi / 3)) for i in range(6)]
    landmarks[36:42], landmarks[42:48] = points[0] + ring, points[1] + ring
    landmarks[[48, 54]] = points[2:]
    return landmarks


def placed(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """CelebA's mean face, (4, 2), in a photograph: so much larger, turned, with the left eye at (x, y)."""
    turn = scale * np.exp(1j * math.radians(degrees))
    z = np.array([complex(*point) for point in EYES_AND_MOUTH])
    z = (z - z[0]) * turn + complex(x, y)
    return np.stack([z.real, z.imag], axis=1)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * math.log10(255**2 / max(1e-9, np.mean((one.astype(float) - other) ** 2)))


# --- geometry -----------------------------------------------------------------------------------------------------


def test_the_points_that_count():
    points = np.arange(8.0).reshape(4, 2) ** 2
    assert np.allclose(eyes_and_mouth(landmarks_68(points)), points)
    # dlib's five: the outer and inner corner of the eye on the right, then of the other, below the nose
    five = np.array([(90, 40), (70, 44), (10, 42), (30, 40), (50, 80)], float)
    assert np.allclose(eyes_and_mouth(five), [(20, 41), (80, 42)])
    with pytest.raises(ValueError, match="68 or 5"):
        eyes_and_mouth(np.zeros((6, 2)))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_similarity_is_the_least_squares_one(count):
    random = np.random.default_rng(count)
    points, targets = random.normal(size=(2, count, 2)) * 50 + 100
    weights = random.uniform(0.5, 3, count)
    # x' = a x - b y + c, y' = b x + a y + d
    rows = np.array([row for x, y in points for row in ((x, -y, 1, 0), (y, x, 0, 1))])
    root = np.sqrt(np.repeat(weights, 2))
    a, b, c, d = np.linalg.lstsq(rows * root[:, None], targets.ravel() * root, rcond=None)[0]
    assert np.allclose(similarity(points, targets, weights), [(a, -b, c), (b, a, d)])


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_aligns_as_celeba_did(name):
    found, published = (np.array(text.split(), float).reshape(5, 2) for text in PUBLISHED[name])
    made = align(np.zeros((300, 300, 3), np.uint8), landmarks_68(found[[0, 1, 3, 4]] + 0.5))
    points = (found + 0.5) @ made.transform[:, :2].T + made.transform[:, 2] - 0.5
    assert np.sqrt(((points - published) ** 2).sum(axis=1).mean()) < 1


@pytest.mark.parametrize(
    "scale, degrees, x, y",
    [
        (1, 0, 69, 111),
        (0.6, 5, 60, 90),
        (1.7, -20, 150, 330),
        (3.3, 35, 400, 300),
        (7.9, 90, 900, 500),
        (4, 180, 900, 900),
    ],
)
def test_faces_come_to_their_place(scale, degrees, x, y):
    """Blobs at four points of a face, large or small, straight or turned, are at CelebA's places afterwards."""
    face = placed(scale, degrees, x, y)
    rows, columns = np.mgrid[:1500, :1500]
    photo = np.full((1500, 1500, 3), 40, np.uint8)
    width = max(1.5, 3 * scale)
    for channel, points in enumerate((face[:2], face[2:3], face[3:4])):
        for point in points:
            blob = 200 * np.exp(-((columns - point[0]) ** 2 + (rows - point[1]) ** 2) / (2 * width**2))
            photo[..., channel] = np.clip(photo[..., channel] + blob, 0, 255)
    made = align(photo, landmarks_68(face + 0.5))
    assert made.pixels.shape == (218, 178, 3) and made.pixels.dtype == np.uint8 and made.found
    rows, columns = np.mgrid[:218, :178]
    for channel, (px, py) in zip((0, 0, 1, 2), EYES_AND_MOUTH, strict=True):
        near = np.hypot(columns - px, rows - py) < 12
        weight = np.clip(made.pixels[..., channel].astype(float) - 45, 0, None) * near
        assert weight.max() > 100
        found = ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
        assert np.allclose(found, (px, py), atol=0.15), (found, px, py)
    assert np.allclose(made.transform @ [*(face[0] + 0.5), 1], (70, 112))
    assert np.hypot(*made.transform[:, 0]) == pytest.approx(1 / scale)


def test_eyes_alone_where_only_five_landmarks_are_known():
    left, right = np.array((200.0, 300.0)), np.array((276.0, 300.0))
    corners = [right + (12, 0), right - (12, 0), left - (12, 0), left + (12, 0), (240, 380)]
    made = align(smooth(500, 500), np.array(corners))
    assert np.allclose(made.transform, [(0.5, 0, -30), (0, 0.5, -38)])


# --- seeing through a transform -----------------------------------------------------------------------------------


def test_warping_by_whole_pixels_is_exact():
    photo = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    assert np.array_equal(warp(photo, np.eye(2, 3), (30, 40)), photo)
    moved = warp(photo, np.array([(1, 0, 3), (0, 1, -4)]), (30, 40))
    assert np.array_equal(moved[:36, 3:], photo[4:, :27])
    assert np.array_equal(moved[:36, :3], np.repeat(photo[4:, :1], 3, axis=1)), "the border goes on"
    assert np.array_equal(moved[36:, 3:], np.repeat(photo[-1:, :27], 4, axis=0))
    turned = warp(photo, np.array([(0, -1, 40), (1, 0, 0)]), (40, 30))
    assert np.array_equal(turned, np.rot90(photo, -1))
    far = warp(photo, np.array([(1.0, 0, 5000), (0, 1, 5000)]), (4, 4))
    assert np.array_equal(far, np.broadcast_to(photo[0, 0], (4, 4, 3)))


@pytest.mark.parametrize("scale, degrees", [(2.3, 10), (1, 45), (0.7, -30), (0.21, 200), (0.043, 3)])
def test_warping_soft_pictures_is_what_scikit_image_does(scale, degrees):
    transform = pytest.importorskip("skimage.transform")
    photo = smooth(1200, 900)
    turn = scale * np.exp(1j * math.radians(degrees))
    middle = 30 + 20j - turn * (450 + 600j)
    matrix = np.array([(turn.real, -turn.imag, middle.real), (turn.imag, turn.real, middle.imag)])
    found = warp(photo, matrix, (60, 40))
    # There a pixel's centre has whole numbers, and where it shrinks, blurring first gives every pixel its share.
    half = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)])
    back = np.linalg.inv(np.linalg.inv(half) @ np.vstack([matrix, (0, 0, 1)]) @ half)
    blurred = photo.astype(float)
    if scale < 1:
        from scipy.ndimage import gaussian_filter

        blurred = gaussian_filter(blurred, (0.4 / scale, 0.4 / scale, 0), mode="nearest")
    expected = transform.warp(
        blurred, transform.ProjectiveTransform(back), output_shape=(40, 60), order=3, mode="edge", preserve_range=True
    )
    assert np.abs(found - expected)[2:-2, 2:-2].mean() < 0.6
    assert psnr(found, expected) > 40


@pytest.mark.parametrize("scale", [0.47, 0.31, 0.11, 0.052])
def test_shrinking_fine_stripes_gives_grey(scale):
    """Skipped pixels would make new, broad stripes of them."""
    photo = np.zeros((1200, 1200, 3), np.uint8)
    photo[:, ::2] = 200
    made = warp(photo, np.array([(scale, 0, 0), (0, scale, 0)]), (60, 60))
    assert np.abs(made - 100)[2:-2, 2:-2].max() < 5 and made.mean() == pytest.approx(100, abs=1)


def test_a_centre_crop():
    """As large as fits, in the middle, in CelebA's proportions."""
    x, y = np.meshgrid(np.arange(800), np.arange(600))
    photo = np.stack([x / 4, y / 4, 0 * x], axis=2).astype(np.uint8)
    made = centre_crop(photo)
    assert made.pixels.shape == (218, 178, 3) and not made.found
    scale = 600 / 218  # the height is all there
    first = (400 - 89 * scale + scale / 2) / 4
    assert np.allclose(made.pixels[100, :, 0], first + np.arange(178) * scale / 4, atol=1.5)
    assert np.allclose(made.pixels[:, 50, 1], (np.arange(218) + 0.5) * scale / 4, atol=1.5)
    assert np.allclose(made.transform @ [400, 300, 1], (89, 109))
    for height, width in ((600, 100), (1, 1), (218, 178), (3, 500), (2000, 1500)):
        made = centre_crop(smooth(height, width))
        assert made.pixels.shape == (218, 178, 3)
        assert np.allclose(made.transform @ [width / 2, height / 2, 1], (89, 109))
    exact = smooth(218, 178)
    assert np.array_equal(centre_crop(exact).pixels, exact)


# --- what prepare chooses -----------------------------------------------------------------------------------------


@pytest.fixture
def faces(monkeypatch):
    """`faces(landmarks, …, dlib=…)` says which are found, and whether dlib is installed."""

    def found(*landmarks, dlib=True):
        monkeypatch.setattr(alignment, "available", lambda: dlib)
        monkeypatch.setattr(alignment, "find_faces", lambda pixels: list(landmarks))

    return found


def test_prepare_aligns_the_largest_face(faces):
    photo, face = smooth(700, 800), landmarks_68(placed(3, 10, 300, 200))
    for mode in ("auto", "dlib"):
        faces(face, face + 100)
        made = prepare(photo, mode)
        assert np.array_equal(made.pixels, align(photo, face).pixels) and made.found
        assert made.how == "the largest of its 2 faces"
        faces(face)
        assert prepare(photo, mode).how == "its face"


def test_prepare_without_a_face_or_without_dlib(faces):
    photo = smooth(300, 500)
    middle = centre_crop(photo).pixels
    for dlib, said in ((True, "no face was found"), (False, "pip install dlib-bin face_recognition_models")):
        faces(dlib=dlib)
        made = prepare(photo)
        assert np.array_equal(made.pixels, middle) and said in made.how and "middle" in made.how and not made.found
        with pytest.raises(UserError, match=said) as problem:
            prepare(photo, "dlib", "me.jpg")
        assert "\n" not in str(problem.value)
        assert np.array_equal(prepare(photo, "centre").pixels, middle)
        assert prepare(photo, "none").pixels is photo
    faces()
    with pytest.raises(UserError, match=r"in me\.jpg"):
        prepare(photo, "dlib", "me.jpg")
    with pytest.raises(ValueError, match="'middle'"):
        prepare(photo, "middle")


def test_prepare_leaves_celebas_own_pictures(faces):
    face, picture = landmarks_68(placed(1, 10, 80, 100)), smooth(218, 178)
    faces(face)
    made = prepare(picture)
    assert made.pixels is picture and "size" in made.how and np.array_equal(made.transform, np.eye(2, 3))
    assert prepare(picture, "dlib").found


def test_dlib_that_is_missing(monkeypatch):
    alignment.load_dlib.cache_clear()
    monkeypatch.setitem(sys.modules, "dlib", None)
    assert not alignment.available()
    for call in (lambda: find_faces(smooth(50, 50)), lambda: prepare(smooth(50, 50), "dlib")):
        with pytest.raises(UserError, match="^finding a face needs dlib: pip install"):
            call()
    monkeypatch.setattr(alignment, "find_spec", lambda name: None)
    assert alignment.model_file() is None


# --- real faces ---------------------------------------------------------------------------------------------------


def eyes_of(pixels: np.ndarray) -> np.ndarray:
    """Where dlib sees the eyes of the largest face, (2, 2), in pixels counted from 0."""
    return eyes_and_mouth(find_faces(pixels)[0])[:2] - 0.5


def test_the_models_package_is_not_imported(dlib):
    assert alignment.available() and "face_recognition_models" not in sys.modules
    assert alignment.model_file().name == "shape_predictor_68_face_landmarks.dat"


def test_an_astronaut(dlib, astronaut):
    (face,) = find_faces(astronaut)
    assert face.shape == (68, 2)
    # by eye: the pupils lie at about (204, 102) and (247, 104)
    assert np.allclose(eyes_and_mouth(face)[:2], [(204, 102), (247, 104)], atol=4)
    made = prepare(astronaut, "dlib")
    assert made.found and made.how == "its face"
    assert np.allclose(eyes_of(made.pixels), EYES_AND_MOUTH[:2], atol=5)
    assert np.array_equal(prepare(astronaut).pixels, made.pixels)


@pytest.mark.parametrize("size, degrees", [(200, 0), (1600, 0), (512, 15), (512, -15)])
def test_it_is_the_same_astronaut_in_other_sizes_and_tilted(dlib, astronaut, size, degrees):
    image = Image.fromarray(astronaut).rotate(degrees, Image.Resampling.BICUBIC)
    photo = np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))
    made, straight = prepare(photo, "dlib"), prepare(astronaut, "dlib")
    assert np.allclose(eyes_of(made.pixels), EYES_AND_MOUTH[:2], atol=5)
    middle = (slice(70, 170), slice(50, 130))
    assert psnr(made.pixels[middle], straight.pixels[middle]) > 18


def test_pictures_without_a_face(dlib):
    data = pytest.importorskip("skimage.data")
    brick = np.repeat(data.brick()[..., None], 3, axis=2)
    for photo in (brick, np.zeros((1, 1, 3), np.uint8), np.full((3, 2000, 3), 255, np.uint8)):
        assert find_faces(photo) == []
        assert "no face was found" in prepare(photo).how
        with pytest.raises(UserError, match="no face was found in brick"):
            prepare(photo, "dlib", "brick")


def test_the_small_model(dlib, astronaut, monkeypatch):
    """With dlib's 5 points the eyes come to the same places."""
    small = alignment.model_file().with_name("shape_predictor_5_face_landmarks.dat")
    alignment.load_dlib.cache_clear()
    monkeypatch.setattr(alignment, "model_file", lambda: small)
    made = prepare(astronaut, "dlib")
    alignment.load_dlib.cache_clear()
    monkeypatch.undo()
    assert np.allclose(eyes_of(made.pixels), EYES_AND_MOUTH[:2], atol=5)


def test_a_damaged_model(dlib, monkeypatch, tmp_path):
    (tmp_path / "model.dat").write_bytes(b"nothing")
    alignment.load_dlib.cache_clear()
    monkeypatch.setattr(alignment, "model_file", lambda: tmp_path / "model.dat")
    with pytest.raises(UserError, match="model.dat is damaged: pip install"):
        find_faces(smooth(50, 50))


@pytest.mark.parametrize(
    "name, count",
    [
        ("obama/obama.jpg", 1),
        ("obama/obama1.jpg", 1),
        ("obama/obama2.jpg", 1),
        ("biden/biden.jpg", 1),
        ("biden/biden2.jpg", 1),
        ("groups/two_people.jpg", 2),
        ("groups/obama_and_biden.jpg", 3),  # and a child in profile
    ],
)
def test_press_photographs(dlib, name, count):
    if not FACES.is_dir():
        pytest.skip(f"{FACES} is not here")
    photo = read_image(FACES / name)
    faces = find_faces(photo)
    assert len(faces) == count
    for face in faces[:2]:
        eyes = eyes_of(align(photo, face).pixels)
        assert np.allclose(eyes, EYES_AND_MOUTH[:2], atol=7), eyes


# --- the way back -------------------------------------------------------------------------------------------------

PLACES = {
    "large": placed(3.1, 12, 400, 350),
    "small": placed(0.5, -20, 300, 300),
    "at the border": placed(2.5, 0, 60, 130),
    "hanging out": placed(2.5, -30, 700, 640),
}


def seen(aligned: Aligned, side: int, crop: int = 178) -> np.ndarray:
    """What the network sees of it, (side, side, 3) uint8: its middle, as the data loader cuts it."""
    height, width = aligned.pixels.shape[:2]
    left, top = (width - crop) // 2, (height - crop) // 2
    square = Image.fromarray(aligned.pixels).crop((left, top, left + crop, top + crop))
    return np.asarray(square.resize((side, side), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("side", [64, 128, 256])
@pytest.mark.parametrize("place", PLACES)
def test_there_and_back(place, side):
    """Nothing changed: the photograph as it was. Without its detail it is softer, but in its place."""
    photo = smooth(700, 800)
    aligned = align(photo, landmarks_68(PLACES[place]))
    before = photo.copy()
    result = seen(aligned, side)
    assert np.array_equal(paste_back(photo, result, aligned), photo)
    pasted = paste_back(photo, result, aligned, keep_detail=False)
    assert psnr(pasted, photo) > 38 and np.abs(pasted.astype(int) - photo).max() < 12
    assert np.array_equal(photo, before)


@pytest.mark.parametrize("keep_detail", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_what_changed_is_softly_at_its_place(place, keep_detail):
    photo = smooth(700, 800) // 2 + 40
    aligned = align(photo, landmarks_68(PLACES[place]))
    pasted = paste_back(photo, seen(aligned, 178) + np.uint8(50), aligned, keep_detail=keep_detail)
    change = pasted.astype(int) - photo
    rows, columns = np.mgrid[:700, :800]
    x, y = np.tensordot(aligned.transform, np.stack([columns + 0.5, rows + 0.5, np.ones(rows.shape)]), axes=1)
    depth = np.minimum(np.minimum(x, 178 - x), np.minimum(y - 20, 198 - y))  # how far inside the square
    assert (change[depth < -0.5] == 0).all(), "nothing outside"
    assert np.abs(change[depth > 28] - 50).max() <= (1 if keep_detail else 6), "all of it in the middle"
    edge = (depth > 2) & (depth < 24)
    assert edge.any() and change[edge].min() >= -6 and change[edge].max() <= 56
    steps = np.abs(np.diff(change, axis=1)).max()
    assert steps <= 8 * max(1, aligned.transform[0, 0]), "no seam"


def test_a_mark_is_where_it_was_made():
    """A green dot on the left eye of the square comes to the left eye of the photograph."""
    photo = np.full((700, 800, 3), 90, np.uint8)
    face = PLACES["large"]
    aligned = align(photo, landmarks_68(face + 0.5))
    result = seen(aligned, 356)
    rows, columns = np.mgrid[:356, :356]
    result = result.copy()
    result[np.hypot(columns + 0.5 - 2 * 70, rows + 0.5 - 2 * (112 - 20)) < 6] = (90, 255, 90)
    change = paste_back(photo, result, aligned)[..., 1].astype(float) - 90
    rows, columns = np.mgrid[:700, :800]
    found = ((columns * change).sum() / change.sum(), (rows * change).sum() / change.sum())
    assert np.allclose(found, face[0], atol=0.3)


def test_detail_is_kept():
    """The network's picture is coarse; the photograph's fine grain stays, as does all that was not changed."""
    grain = np.random.default_rng(0).integers(-20, 21, (900, 900, 3))
    photo = (120 + grain).astype(np.uint8)
    aligned = align(photo, landmarks_68(placed(3, 0, 340, 400)))
    result = seen(aligned, 128) + np.uint8(30)
    middle = (slice(400, 550), slice(350, 500))
    kept, painted = (paste_back(photo, result, aligned, keep_detail=keep)[middle] for keep in (True, False))
    assert np.abs(kept.astype(int) - 30 - photo[middle]).max() <= 1
    assert painted.astype(int).std() < 0.5 * photo[middle].std()


def test_other_crops_and_pictures_that_were_left_as_they_are():
    for (height, width), crop in {(300, 260): 178, (256, 256): 256, (218, 178): 100, (90, 120): 178}.items():
        photo = smooth(height, width) // 2
        aligned = prepare(photo, "none")
        result = seen(aligned, 128, crop)
        assert np.array_equal(paste_back(photo, result, aligned, crop), photo)
        changed = paste_back(photo, result + np.uint8(60), aligned, crop).astype(int) - photo
        assert abs(changed[height // 2, width // 2] - 60).max() <= 1


@pytest.mark.parametrize(
    "length, crop, offset", [(218, 178, 20), (178, 178, 0), (179, 178, 0), (181, 178, 2), (90, 178, -44), (177, 178, 0)]
)
def test_where_a_centre_crop_begins(length, crop, offset):
    assert alignment.crop_offset(length, crop) == offset


def test_two_faces_one_after_the_other():
    photo = smooth(600, 900)
    pasted = photo
    for x in (150, 600):
        aligned = align(photo, landmarks_68(placed(1, 0, x, 250)))
        pasted = paste_back(pasted, 255 - seen(aligned, 128), aligned)
    change = np.abs(pasted.astype(int) - photo).sum(axis=2) > 0
    assert change[250, 170] and change[250, 620] and not change[250, 450]


def test_results_that_are_no_square_pictures():
    photo = smooth(300, 300)
    aligned = centre_crop(photo)
    for result in (smooth(100, 120), np.zeros((128, 128, 3)), np.zeros((128, 128, 4), np.uint8)):
        with pytest.raises(ValueError, match="square"):
            paste_back(photo, result, aligned)
