"""Reading, resizing and saving pictures as the reference does, and the stream of training batches."""

import numpy as np
import pytest
from PIL import Image

import data
from shared_scripts import images
from shared_scripts.cli import UserError
from shared_scripts.images import list_images, read_image

FILES = ["rgb.png", "rgba.png", "gray.png", "palette.png", "la.png", "rgb.jpg", "gray.jpg", "cmyk.jpg", "rgb.bmp"]


@pytest.fixture(scope="module")
def recorded(golden):
    return golden("io_cli.npz")


@pytest.fixture
def put(recorded, tmp_path):
    """`put(name)` writes a recorded file to the test's folder."""

    def write(name):
        path = tmp_path / name
        path.write_bytes(recorded[f"file/{name}"].tobytes())
        return path

    return write


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FILES, "exif6.jpg"])
def test_pictures_are_read_as_the_reference_reads_them(recorded, put, name):
    found = read_image(put(name), auto_rotate=False)
    tolerance = 2 if name.endswith(".jpg") else 0  # another JPEG library may round differently
    assert found.shape == recorded[f"get_img/{name}"].shape
    assert np.abs(found.astype(int) - recorded[f"get_img/{name}"]).max() <= tolerance


def test_the_cameras_orientation_is_obeyed(recorded, put):
    turned = np.rot90(recorded["get_img/exif6.jpg"], -1)
    assert np.abs(read_image(put("exif6.jpg")).astype(int) - turned).max() <= 2


@pytest.mark.parametrize("filter, era", [("bicubic", "current_bicubic"), ("bilinear", "2016_bilinear")])
def test_training_resize_is_the_references(recorded, put, filter, era):
    found = data.training_picture(read_image(put("rgb.png")), filter)[::2, ::2]
    np.testing.assert_array_equal(found, recorded[f"resize256/rgb_{era}"])


def test_crop_keeps_the_aspect():
    stripes = np.zeros((100, 300, 3), np.uint8)
    stripes[:, 100:200] = 255  # the middle square is white
    assert (data.training_picture(stripes, "crop")[:, 8:-8] > 250).all()
    assert data.training_picture(stripes, "bicubic").min() == 0


def test_png_is_saved_as_the_reference_saves_it(recorded, tmp_path):
    data.save_image(tmp_path / "a.png", recorded["save_img/in"])
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "a.png")), recorded["save_img/png_decoded"])


def test_jpeg_is_saved_as_the_reference_saves_it(recorded, tmp_path):
    data.save_image(tmp_path / "a.jpg", recorded["save_img/jpg_in"])
    with Image.open(tmp_path / "a.jpg") as image:
        assert list(image.quantization[0]) == recorded["save_img/jpg_quant_table0"].tolist()
        assert np.abs(np.array(image).astype(int) - recorded["save_img/jpg_decoded"]).max() <= 2


def test_values_are_cut_off_not_rounded():
    np.testing.assert_array_equal(images.truncate(np.array([-3.0, 0.99, 254.999, 255.5, 900])), [0, 0, 254, 255, 255])


def test_quality_changes_the_file(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    sizes = []
    for quality in (30, 95):
        data.save_image(tmp_path / f"{quality}.jpg", noise, quality)
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize(
    "size, longest, expected",
    [((100, 200), None, (100, 200)), ((100, 200), 50, (25, 50)), ((3, 999), 333, (1, 333)), ((9, 9), 10, (9, 9))],
)
def test_limited_size(size, longest, expected):
    assert data.limited_size(*size, longest) == expected
    assert data.limit_size(np.zeros((*size, 3), np.uint8), longest).shape == (*expected, 3)


def test_preserve_colors_takes_brightness_from_the_painted_and_colour_from_the_content():
    content = np.full((6, 8, 3), (200, 40, 40), np.uint8)
    painted = np.random.default_rng(0).integers(90, 130, (6, 8, 1)).astype(np.uint8).repeat(3, 2)
    found = np.array(Image.fromarray(data.preserve_colors(content, painted)).convert("YCbCr")).astype(int)
    wanted = np.array(Image.fromarray(content).convert("YCbCr")).astype(int)
    assert np.abs(found[..., 0] - painted[..., 0]).max() <= 2
    assert np.abs(found[..., 1:] - wanted[..., 1:]).max() <= 3


def test_preserve_colors_of_a_larger_result_repeats_the_edge():
    content = np.zeros((5, 5, 3), np.uint8)
    content[-1] = (0, 0, 255)
    found = data.preserve_colors(content, np.full((8, 8, 3), 128, np.uint8))
    assert found.shape == (8, 8, 3) and found[7, 0, 2] > found[7, 0, 0] + 50


# --- training batches ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Seven pictures, each of one grey: 10, 20, … 70."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(1, 8):
        Image.new("RGB", (20 + i, 30), (10 * i,) * 3).save(folder / f"photo{i}.png")
    return folder


def greys(pictures, batches, step=0):
    """The grey of every picture in some batches."""
    iterator = iter(pictures.dataset(step))
    return [next(iterator).numpy()[:, 0, 0, 0].tolist() for _ in range(batches)]


def stream(folder, batch=2, **options):
    return data.TrainingPictures(list_images(folder), batch, **options)


def test_batches_come_by_name_and_every_epoch_alike(folder):
    pictures = stream(folder)
    assert pictures.batches == 3
    assert greys(pictures, 5) == [[10, 20], [30, 40], [50, 60], [10, 20], [30, 40]]


def test_batches_have_the_networks_size(folder):
    assert next(iter(stream(folder).dataset())).shape == (2, 256, 256, 3)


@pytest.mark.parametrize("options", [{}, {"shuffle_seed": 5}])
@pytest.mark.parametrize("step", [1, 4, 6])
def test_a_stream_entered_late_goes_on_as_the_whole_one(folder, options, step):
    assert greys(stream(folder, **options), 3, step) == greys(stream(folder, **options), step + 3)[step:]


def test_shuffled_epochs_differ_and_hold_each_picture_once(folder):
    pictures = stream(folder, 1, shuffle_seed=3)
    flat = [grey for batch in greys(pictures, 14) for grey in batch]
    assert sorted(flat[:7]) == sorted(flat[7:]) == [10, 20, 30, 40, 50, 60, 70]
    assert flat[:7] != flat[7:] and flat[:7] != sorted(flat[:7])


def test_a_broken_picture_is_replaced_by_the_next_and_remembered(folder):
    (folder / "photo2.png").write_bytes(b"no picture")
    (folder / "photo7.png").write_bytes((folder / "photo6.png").read_bytes()[:40])
    pictures = stream(folder)
    assert greys(pictures, 4) == [[10, 30], [30, 40], [50, 60], [10, 30]]
    assert {path.name for path in pictures.skipped} == {"photo2.png"}
    assert pictures.read(6)[0, 0, 0] == 10  # behind the last comes the first
    assert {path.name for path in pictures.skipped} == {"photo2.png", "photo7.png"}


def test_a_folder_of_broken_pictures_is_an_error(folder):
    for path in folder.iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(UserError, match="none of the 7 training pictures can be read: .*photo1.png"):
        stream(folder).read(0)


def test_fewer_pictures_than_a_batch_is_an_error(folder):
    with pytest.raises(UserError, match="7 training pictures are fewer than the batch of 8"):
        stream(folder, 8)
    assert stream(folder, 7).batches == 1


def test_subfolders_are_not_looked_into(folder):
    (folder / "more").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "more" / "x.png")
    assert len(list_images(folder)) == 7


def test_positions_do_not_leave_the_folder(folder):
    pictures = stream(folder, 4, shuffle_seed=1)
    order = pictures.order(0)
    assert len(order) == 4 and set(order) <= set(range(7))
