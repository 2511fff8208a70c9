"""VGG-19 against the reference's activations, and the properties the rest relies on."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from legacy import read_weights
from losses import gram_matrix
from networks import MEAN, VGG19, layer_order, pool

CASES = [("new", "max"), ("new", "avg"), ("old", "max"), ("old", "avg")]
OLD_LAYERS = ["relu1_1", "pool2", "relu5_4"]  # what the golden file has of the old layout
STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


@pytest.fixture(scope="module")
def networks(weight_files):
    return {
        (layout, pooling): VGG19((weights := read_weights(weight_files[layout])).convolutions, weights.mean, pooling)
        for layout, pooling in CASES
    }


@pytest.fixture(scope="module")
def features(networks, golden):
    image = golden("vgg_features.npz")["image"].astype(np.float64)
    found = {}
    for case, network in networks.items():
        x = torch.from_numpy((image - network.mean).astype(np.float32)).permute(2, 0, 1)[None]
        found[case] = network(x, layer_order())
    return found


def picture(height=20, width=24, seed=0):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 60


def narrow_network(seed=0):
    """A random VGG-19 of three channels and more."""
    generator = torch.Generator().manual_seed(seed)
    weights, channels = {}, 3
    for name in layer_order():
        if name.startswith("conv"):
            width = 3 + int(name[4])
            kernel = torch.randn(width, channels, 3, 3, generator=generator) / (4.5 * channels) ** 0.5
            weights[name] = (kernel, torch.randn(width, generator=generator))
            channels = width
    return weights


def plain_features(weights, x, wanted):
    """VGG-19 in double precision, written without care for speed: nothing in place."""
    x = x.double()
    for name in layer_order():
        if name.startswith("conv"):
            kernel, bias = weights[name]
            x = F.conv2d(x, kernel.double(), bias.double(), padding=1)
        else:
            x = x.clamp(min=0) if name.startswith("relu") else F.max_pool2d(x, 2, ceil_mode=True)
        if name == wanted:
            return x


def close_to_maximum(found, expected, tolerance=1e-5):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize(
    "layout,pooling,layer",
    [(*case, layer) for case in CASES for layer in (layer_order() if case[0] == "new" else OLD_LAYERS)],
)
def test_layer_equals_the_reference(features, golden, layout, pooling, layer):
    found = features[layout, pooling][layer].permute(0, 2, 3, 1).numpy()
    close_to_maximum(found, golden("vgg_features.npz")[f"{layout}/{pooling}/{layer}"])


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("layer", STYLE_LAYERS)
def test_gram_matrix_equals_the_reference(features, golden, pooling, layer):
    found = gram_matrix(features["new", pooling][layer]).numpy()
    close_to_maximum(found, golden("vgg_features.npz")[f"new/{pooling}/gram_{layer}"])


@pytest.mark.parametrize("layout", ["new", "old"])
def test_mean_pixel_equals_the_reference(networks, golden, layout):
    np.testing.assert_allclose(networks[layout, "max"].mean, golden("vgg_features.npz")[f"{layout}/mean_pixel"], 1e-7)


def test_layers_are_the_references_in_its_order(golden):
    prefix = "new/max/"
    names = [key.removeprefix(prefix) for key in golden("vgg_features.npz") if key.startswith(prefix)]
    assert layer_order() == [name for name in names if not name.startswith("gram")]


@pytest.mark.parametrize("height,width", [(1, 1), (1, 7), (5, 5), (17, 33)])
def test_sizes_are_halved_rounding_up(height, width):
    features = VGG19(narrow_network())(picture(height, width), layer_order())
    for block in range(1, 6):
        expected = (-(-height // 2 ** (block - 1)), -(-width // 2 ** (block - 1)))
        assert features[f"relu{block}_1"].shape[2:] == expected


def test_average_pooling_divides_by_the_real_pixels_only():
    x = torch.tensor([[[[1.0, 3.0, 10.0], [5.0, 7.0, 20.0], [2.0, 4.0, 30.0]]]])
    assert pool(x, "avg")[0, 0].tolist() == [[4, 15], [3, 30]]


def test_max_pooling_keeps_the_odd_row_and_column():
    x = torch.tensor([[[[-1.0, -3.0, -10.0], [-5.0, -7.0, -20.0], [-2.0, -4.0, -30.0]]]])
    assert pool(x, "max")[0, 0].tolist() == [[-1, -10], [-2, -30]]


@pytest.mark.parametrize("last", ["relu1_1", "pool2", "relu4_2", "relu5_1"])
def test_layers_behind_the_last_asked_are_not_computed(last):
    weights = narrow_network()
    order = layer_order()
    network = VGG19({n: w if order.index(n) < order.index(last) else impossible(w) for n, w in weights.items()})
    assert torch.isfinite(network(picture(), [last])[last]).all()
    with pytest.raises(RuntimeError):
        network(picture(), ["relu5_4"])


def impossible(layer):
    """The same layer with an input channel too many: computing it fails."""
    kernel, bias = layer
    return torch.cat([kernel, kernel[:, :1]], 1), bias


def test_a_convolutions_own_output_is_not_overwritten_by_its_relu():
    features = VGG19(narrow_network())(picture(), ["conv3_1", "relu3_1", "conv3_2"])
    assert features["conv3_1"].min() < 0
    torch.testing.assert_close(features["relu3_1"], features["conv3_1"].clamp(min=0), rtol=0, atol=0)


@pytest.mark.parametrize("layer", ["conv1_1", "relu1_1", "pool3", "conv4_2", "relu5_1"])
def test_a_layer_does_not_depend_on_what_else_is_asked(layer):
    network = VGG19(narrow_network())
    alone, together = network(picture(), [layer])[layer], network(picture(), layer_order())[layer]
    torch.testing.assert_close(alone, together, rtol=0, atol=0)


def test_the_input_is_left_alone():
    x = picture()
    before = x.clone()
    VGG19(narrow_network())(x, ["relu2_1"])
    assert torch.equal(x, before)


def test_gradient_equals_the_one_of_a_plain_double_precision_network():
    weights, layers = narrow_network(), ["relu1_1", "relu3_1", "relu4_2"]
    x, exact = picture().requires_grad_(), picture().double().requires_grad_()
    sum(value.square().sum() for value in VGG19(weights)(x, layers).values()).backward()
    sum(plain_features(weights, exact, layer).square().sum() for layer in layers).backward()
    close_to_maximum(x.grad.double().numpy(), exact.grad.numpy())


def test_weights_are_frozen():
    network = VGG19(narrow_network())
    assert not any(value.requires_grad for value in [*network.parameters(), *network.buffers()])


def test_the_default_mean_is_vggs_in_rgb_order():
    assert VGG19(narrow_network()).mean == MEAN == (123.68, 116.779, 103.939)
