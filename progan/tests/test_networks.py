"""The networks: the reference's numbers at every lod, and formulas worked out another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from networks_of import golden_networks, meta_of, weights_of

from inference import FastGenerator
from losses import slope_norms
from networks import Discriminator, Generator, fade, minibatch_stddev, pixel_norm, upscale, widen

FILES = ("nets_fused_32", "nets_unfused_labels_16", "nets_plain_16", "nets_mbstd16_16")


def at(arrays: dict, what: str, lod: float) -> torch.Tensor:
    """A golden output at a lod."""
    (key,) = [key for key in arrays if key.startswith(f"{what}@lod=") and float(key.split("=")[1]) == lod]
    return torch.from_numpy(arrays[key])


def labels_of(arrays: dict) -> torch.Tensor | None:
    return torch.from_numpy(arrays["labels"]) if "labels" in arrays else None


# --- the reference's numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_the_generator_gives_the_reference_s_pictures_at_every_lod(golden, name):
    arrays = golden(name)
    G, _ = golden_networks(arrays)
    z, labels = torch.from_numpy(arrays["z"]), labels_of(arrays)
    for lod in meta_of(arrays)["lods"]:
        images = G(z, labels, lod)
        assert images.shape[-1] == G.resolution >> int(lod)
        full = upscale(images, G.resolution // images.shape[-1])
        torch.testing.assert_close(full, at(arrays, "G_out", lod), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", FILES)
def test_the_discriminator_gives_the_reference_s_scores_labels_and_slopes(golden, name):
    arrays = golden(name)
    _, D = golden_networks(arrays)
    images = torch.from_numpy(arrays["img"])
    for lod in meta_of(arrays)["lods"]:
        scores, norms = slope_norms(lambda x, lod=lod: D(x, lod)[0], images)
        torch.testing.assert_close(scores, at(arrays, "D_scores", lod), atol=2e-6, rtol=0)
        torch.testing.assert_close(norms, at(arrays, "D_gradnorm", lod), atol=1e-6, rtol=0)
        if D.label_size:
            torch.testing.assert_close(D(images, lod)[1], at(arrays, "D_labels", lod), atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", FILES)
def test_the_discriminator_s_gradients_are_the_reference_s(golden, name):
    arrays = golden(name)
    _, D = golden_networks(arrays)
    lods = [float(key.split("=")[1]) for key in arrays if key.startswith("D_grad@")]
    assert lods
    for lod in lods:
        images = torch.from_numpy(arrays["img"]).requires_grad_()
        (gradient,) = torch.autograd.grad(D(images, lod)[0].sum(), images)
        torch.testing.assert_close(gradient, at(arrays, "D_grad", lod), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", FILES)
def test_native_resolution_gives_the_same_scores_and_the_slopes_of_the_full_one(golden, name):
    arrays = golden(name)
    _, D = golden_networks(arrays)
    for lod in (1.0, 1.7):
        small = F.avg_pool2d(torch.from_numpy(arrays["img"]), 2)
        scores, norms = slope_norms(lambda x, lod=lod: D(x, lod)[0], small, int(lod))
        full_scores, full_norms = slope_norms(lambda x, lod=lod: D(x, lod)[0], upscale(small))
        torch.testing.assert_close(scores, full_scores, atol=2e-6, rtol=0)
        torch.testing.assert_close(norms, full_norms, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", FILES)
def test_the_fast_generator_gives_the_same_pictures(golden, name):
    arrays = golden(name)
    G, _ = golden_networks(arrays)
    labels = arrays.get("labels")
    for lod in meta_of(arrays)["lods"]:
        images = FastGenerator(G, lod=lod)(arrays["z"], labels)
        torch.testing.assert_close(images, at(arrays, "G_out", lod), atol=2e-5, rtol=0)


def test_fused_and_unfused_generators_are_the_same_with_their_kernels_turned(golden):
    arrays = golden("fused_vs_unfused_16")
    fused = {key.removeprefix("fused/G/"): value for key, value in arrays.items() if key.startswith("fused/G/")}
    for name, value in fused.items():
        if "Conv0_up/weight" in name:
            turned = value[::-1, ::-1].transpose(0, 1, 3, 2)
            np.testing.assert_array_equal(turned, arrays[f"unfused/G/{name.replace('Conv0_up', 'Conv0')}"])
    meta = meta_of(arrays)
    common = meta.get("common", {"num_channels": 3, "resolution": 16, "label_size": 0})
    channels = fused["4x4/Conv/bias"].shape[0]
    sizes = {"fmap_base": meta["G"]["fmap_base"], "fmap_max": meta["G"]["fmap_max"]} if "G" in meta else {}
    sizes = sizes or {"fmap_max": channels}
    z = torch.randn(3, fused["4x4/Dense/weight"].shape[0], generator=torch.Generator().manual_seed(0))
    pictures = []
    for kind in ("fused", "unfused"):
        G = Generator(**common, **sizes, fused_scale=kind == "fused")
        G.load_state_dict(weights_of(arrays, f"{kind}/G/"))
        pictures.append(G(z, None, 0.0))
    torch.testing.assert_close(*pictures, atol=2e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_near(golden, dtype):
    arrays = golden("nets_fp16_16")
    meta = meta_of(arrays)
    common = meta.get("common", {"num_channels": 3, "resolution": 16, "label_size": 0})
    G = Generator(
        **common, **{k: v for k, v in meta["G"].items() if k in ("fmap_base", "fmap_max", "pixelnorm_epsilon")}
    )
    G.load_state_dict(weights_of(arrays, "G/"))
    exact = G(torch.from_numpy(arrays["z"]), None, 0.0)
    near = FastGenerator(G, dtype=dtype)(arrays["z"])
    assert 0 < (near - exact).abs().max() < 5e-2 * (1 if dtype == torch.float16 else 2)


# --- worked out another way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resolution, channels, labels, expected",
    [
        (1024, 3, 0, (23_079_115, 23_087_249)),
        (256, 3, 0, (23_044_309, 23_052_353)),
        (128, 3, 0, (22_933_394, 22_941_313)),
        (32, 3, 0, (20_719_628, 20_726_785)),
        (32, 3, 10, (20_801_548, 20_731_915)),
        (32, 1, 0, (20_715_524, 20_722_689)),
    ],
)
def test_the_numbers_of_parameters_are_the_paper_s(resolution, channels, labels, expected):
    with torch.device("meta"):
        networks = [kind(channels, resolution, labels) for kind in (Generator, Discriminator)]
    assert tuple(sum(p.numel() for p in network.parameters()) for network in networks) == expected


def test_widening_a_kernel_is_upscaling_first():
    x, kernel = torch.randn(2, 3, 5, 5, dtype=torch.double), torch.randn(4, 3, 3, 3, dtype=torch.double)
    plain = F.conv2d(upscale(x), kernel, padding=1)
    turned = kernel.flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(F.conv_transpose2d(x, widen(turned), stride=2, padding=1), plain)
    # and, a quarter of it with a stride, averaging afterwards
    averaged = F.avg_pool2d(F.conv2d(x[..., :4, :4], kernel, padding=1), 2)
    torch.testing.assert_close(F.conv2d(x[..., :4, :4], widen(kernel) / 4, stride=2, padding=1), averaged)


def test_pixel_norm_gives_every_pixel_a_mean_square_of_one():
    x = pixel_norm(torch.randn(2, 16, 3, 3) * 7)
    torch.testing.assert_close(x.square().mean(1), torch.ones(2, 3, 3), atol=1e-5, rtol=0)


def test_minibatch_stddev_takes_every_other_picture_for_a_group():
    x = torch.randn(8, 3, 2, 2, dtype=torch.double)
    y = minibatch_stddev(x, 4)
    assert y.shape == (8, 4, 2, 2) and torch.equal(y[:, :3], x)
    for group in range(2):  # 8 pictures in groups of 4: group 0 has the even ones
        members = x[group::2]
        deviation = torch.sqrt(members.var(0, unbiased=False) + 1e-8).mean()
        torch.testing.assert_close(y[group::2, 3], deviation.expand(4, 2, 2))


def test_minibatch_stddev_keeps_minibatches_apart():
    a, b = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2) * 5
    together = minibatch_stddev(torch.cat([a, b]), 4, batches=2)
    torch.testing.assert_close(together, torch.cat([minibatch_stddev(a, 4), minibatch_stddev(b, 4)]))


def test_minibatch_stddev_takes_a_small_minibatch_as_one_group_and_refuses_a_remainder():
    assert minibatch_stddev(torch.randn(3, 1, 2, 2), 16).shape == (3, 2, 2, 2)
    with pytest.raises(ValueError, match="6 cannot be divided into groups of 4"):
        minibatch_stddev(torch.randn(6, 1, 2, 2), 4)


def test_minibatch_stddev_of_equal_pictures_tells_that_they_are():
    x = torch.randn(1, 3, 2, 2).expand(4, 3, 2, 2)
    torch.testing.assert_close(minibatch_stddev(x, 4)[:, 3], torch.full((4, 2, 2), 1e-4), atol=1e-7, rtol=0)


def test_an_equalised_layer_answers_in_the_same_range_whatever_its_width():
    torch.manual_seed(0)
    for width in (8, 512):
        G = Generator(3, 8, fmap_base=width * 4, fmap_max=width, use_pixelnorm=False)
        layer = G.block(2).Conv
        assert layer.weight.std().item() == pytest.approx(1, rel=0.1)  # in the optimiser's eyes all are alike
        assert layer.scaled().std().item() == pytest.approx((2 / (9 * width)) ** 0.5, rel=0.1)


def test_without_wscale_the_constant_is_in_the_weights():
    torch.manual_seed(0)
    layer = Generator(3, 8, fmap_max=64, use_wscale=False).block(2).Conv
    assert layer.weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.05)
    assert layer.scaled() is layer.weight


def test_fading_weighs_the_old_path_with_t():
    torch.testing.assert_close(fade(torch.ones(1), torch.zeros(1), 0.25), torch.tensor([0.75]))
    G = Generator(3, 16, fmap_base=64, fmap_max=8)
    z = torch.randn(2, 8)
    old, new = G(z, None, 1.0), G(z, None, 0.0)
    torch.testing.assert_close(G(z, None, 0.25), new + (upscale(old) - new) * 0.25)


def test_a_lod_outside_of_what_there_is_is_the_nearest():
    G = Generator(3, 16, fmap_base=64, fmap_max=8)
    z = torch.randn(1, 8)
    assert torch.equal(G(z, None, -1.0), G(z, None, 0.0)) and torch.equal(G(z, None, 9.0), G(z, None, 2.0))


def test_the_lod_that_was_saved_is_the_default():
    G = Generator(3, 16, fmap_base=64, fmap_max=8)
    G.lod.fill_(1.0)
    assert G(torch.randn(1, 8)).shape[-1] == 8


def test_a_label_changes_the_picture_and_latents_are_normalised_with_it():
    G = Generator(3, 8, 4, fmap_base=64, fmap_max=8)
    z, labels = torch.randn(2, 8), torch.eye(4)[:2]
    assert not torch.allclose(G(z, labels), G(z, labels.flip(0)))
    torch.testing.assert_close(G(z * 3, labels * 3), G(z, labels))  # the length of the whole does not count


@pytest.mark.parametrize("resolution", [2, 12, 0, 100])
def test_resolutions_that_are_no_power_of_two_make_no_network(resolution):
    with pytest.raises(ValueError, match="power of two"):
        Generator(3, resolution)
