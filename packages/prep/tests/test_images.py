"""Images: sizes and kernels against Pillow and plain loops, channels against NumPy, states, what is refused."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from brickwork.prep import ImageNormalizer, ImageResizer, PrepError, StateError, from_state, to_state
from brickwork.prep.images import base

RNG = np.random.default_rng(0)
SIZES = [((97, 131), (40, 60)), ((50, 40), (123, 77)), ((64, 64), (64, 32)), ((7, 5), (3, 9)), ((30, 20), (17, 224))]
METHODS = ["bilinear", "bicubic", "area", "nearest"]


def pixels(*shape, dtype=np.uint8):
    return RNG.integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize(("size", "to"), SIZES)
@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_kernels_are_those_of_pillow(size, to, method):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    kernel = {"bilinear": image.Resampling.BILINEAR, "bicubic": image.Resampling.BICUBIC}[method]
    grey = pixels(*size, dtype=np.float32)
    found = ImageResizer(to, method=method).fit_transform(grey[None])[0]
    want = np.asarray(image.fromarray(grey).resize(to[::-1], kernel))
    np.testing.assert_allclose(found, want, atol=2e-3)
    whole = ImageResizer(to, method=method).fit_transform(grey[None].astype(np.uint8))[0]
    np.testing.assert_array_equal(whole, np.clip(np.rint(found), 0, 255))


@pytest.mark.parametrize(("size", "to"), SIZES)
def test_area_is_the_share_that_is_covered(size, to):
    # With each pixel repeated as often as the other side has pixels, an output pixel is a mean of whole ones.
    image = pixels(*size, dtype=np.float64)
    fine = image.repeat(to[0], axis=0).repeat(to[1], axis=1)
    want = fine.reshape(to[0], size[0], to[1], size[1]).mean(axis=(1, 3))
    np.testing.assert_allclose(ImageResizer(to, method="area").fit_transform(image[None])[0], want, rtol=1e-12)


@pytest.mark.parametrize(("size", "to"), SIZES)
def test_nearest_is_the_pixel_in_the_middle(size, to):
    image = pixels(*size, 3)
    rows, columns = ([int((i + 0.5) * n / m) for i in range(m)] for n, m in zip(size, to, strict=True))
    found = ImageResizer(to, method="nearest").fit_transform(image[None])[0]
    np.testing.assert_array_equal(found, image[np.ix_(rows, columns)])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
def test_dtype_and_constants_stay(dtype, method):
    image = np.full((2, 9, 7, 3), 200, dtype=dtype)
    for antialias in (True, False):
        found = ImageResizer((4, 15), method=method, antialias=antialias).fit_transform(image)
        assert found.dtype == dtype and found.shape == (2, 4, 15, 3)
        np.testing.assert_allclose(found, 200, rtol=1e-6)


def test_without_antialias_pixels_are_passed_over():
    image = np.zeros((1, 8, 8))
    image[0, :, 0] = 1  # the first of eight columns, of which two are looked at: at 3.5 and 4.5, and beside them
    assert ImageResizer((8, 1)).fit_transform(image).max() > 0
    assert ImageResizer((8, 1), antialias=False).fit_transform(image).max() == 0


@pytest.mark.parametrize("method", METHODS)
def test_the_same_size_changes_nothing(method):
    image = pixels(3, 11, 13, 2)
    np.testing.assert_array_equal(ImageResizer((11, 13), method=method).fit_transform(image), image)


def test_sizes_may_differ_and_blocks_do_not_matter(monkeypatch):
    images = [pixels(9, 7, 3), pixels(9, 7, 3), pixels(20, 5, 3), pixels(9, 7, 3)]
    together = ImageResizer(8).fit_transform(images)
    monkeypatch.setattr(base, "BLOCK", 1)
    alone = np.concatenate([ImageResizer(8).fit_transform(image[None]) for image in images])
    np.testing.assert_array_equal(together, alone)
    assert together.shape == (4, 8, 8, 3)


@pytest.mark.parametrize("shape", [(40, 6, 5, 3), (40, 6, 5)])
def test_channels_have_mean_0_and_deviation_1(shape):
    images = pixels(*shape)
    normalizer = ImageNormalizer().fit(images)
    found = normalizer.transform(images)
    axes = (0, 1, 2)
    assert found.dtype == np.float32 and found.shape == shape and normalizer.scale_ == 255
    np.testing.assert_allclose(normalizer.mean_, np.atleast_1d((images / 255).mean(axis=axes)), rtol=1e-12)
    np.testing.assert_allclose(normalizer.std_, np.atleast_1d((images / 255).std(axis=axes)), rtol=1e-12)
    np.testing.assert_allclose(found.mean(axis=axes), 0, atol=1e-5)
    np.testing.assert_array_equal(normalizer.inverse_transform(found), images)
    assert normalizer.inverse_transform(found).dtype == np.uint8


def test_given_numbers_are_those_of_other_libraries():
    images, mean, std = pixels(4, 5, 6, 3), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    found = ImageNormalizer(mean=mean, std=std).fit(images).transform(images)
    np.testing.assert_allclose(found, (images / 255 - mean) / std, rtol=1e-5, atol=1e-6)
    floats = images.astype(np.float32)
    np.testing.assert_allclose(ImageNormalizer(mean=1, std=2).fit(floats).transform(floats), (floats - 1) / 2)
    flat = ImageNormalizer().fit_transform(np.full((2, 3, 3, 1), 7, np.uint8))
    np.testing.assert_allclose(flat, 0, atol=1e-6)


def test_parts_that_merge_tell_what_the_whole_tells():
    images = pixels(30, 5, 6, 3)
    whole = ImageNormalizer().fit(images)
    chunks = ImageNormalizer().partial_fit(images[:7]).partial_fit(images[7:])
    merged = ImageNormalizer().fit(images[:7]).merge(ImageNormalizer().fit(images[7:]))
    for one in (chunks, merged):
        np.testing.assert_allclose([one.mean_, one.std_], [whole.mean_, whole.std_], rtol=1e-12)
    assert chunks.fit(images[:3]).statistics_[0].n == 90  # fit begins anew
    with pytest.raises(PrepError, match="of images of one kind"):
        whole.merge(ImageNormalizer().fit(images.astype(float)))


@pytest.mark.parametrize(
    "made", [ImageResizer((3, 4), method="area"), ImageNormalizer(), ImageNormalizer(std=2.0)], ids=repr
)
def test_states(made):
    images = pixels(5, 8, 8, 3)
    with pytest.raises(NotFittedError):
        made.transform(images)
    fitted = clone(made).fit(images)
    state = json.loads(json.dumps(fitted.to_state(), allow_nan=False))
    again = type(made).from_state(state)
    np.testing.assert_array_equal(again.transform(images), fitted.transform(images))
    assert again.to_state() == state
    for name in state:
        for damaged in ({k: v for k, v in state.items() if k != name}, state | {name: object()}):
            with pytest.raises(StateError):
                type(made).from_state(damaged)
    for name in state["learned"]:
        with pytest.raises(StateError):
            type(made).from_state(state | {"learned": state["learned"] | {name: object()}})


def test_a_pipeline_and_its_state():
    images = [pixels(9, 7, 3), pixels(4, 20, 3)]
    pipeline = make_pipeline(ImageResizer(6), ImageNormalizer()).fit(images)
    again = from_state(json.loads(json.dumps(to_state(pipeline))))
    np.testing.assert_array_equal(again.transform(images), pipeline.transform(images))
    assert pipeline.transform(images).shape == (2, 6, 6, 3)


@pytest.mark.parametrize(
    ("images", "rule"),
    [
        (np.zeros((3, 3)), r"got shape \(3, 3\)"),
        (np.zeros((2, 3, 3, 1, 1)), "got shape"),
        ([[1, 2], [3]], "images must be an array"),
        (np.zeros((0, 3, 3, 1)), "images must be there"),
        (np.zeros((1, 0, 3, 1)), "one number of channels"),
        ([np.zeros((3, 3, 1)), np.zeros((3, 3, 2))], "one number of channels"),
        (np.zeros((1, 3, 3), bool), "pixels must be integers or floats; got bool"),
        (np.array([[["a"]]]), "pixels must be integers or floats"),
        (np.array([np.zeros((2, 2)), np.full((2, 2), np.nan)]), "NaN or infinity in image 1"),
    ],
)
def test_what_is_no_image(images, rule):
    for made in (ImageResizer(2), ImageNormalizer()):
        with pytest.raises(PrepError, match=rule):
            made.fit(images)


def test_what_does_not_fit_what_was_learned():
    images = pixels(2, 4, 4, 3)
    with pytest.raises(PrepError, match="must have 3 channels"):
        ImageResizer(2).fit(images).transform(images[..., :2])
    with pytest.raises(PrepError, match="must have 3 channels"):
        ImageNormalizer().fit(images).transform(images[..., :2])
    with pytest.raises(PrepError, match="pixels must be uint8, as at fit; got float64"):
        ImageNormalizer().fit(images).transform(images / 255)
    with pytest.raises(PrepError, match="of one size"):
        ImageNormalizer().fit(images).transform([images[0], images[0, :2]])


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (ImageResizer(0), "size must be"),
        (ImageResizer((1, 2, 3)), "size must be"),
        (ImageResizer((True, 2)), "size must be"),
        (ImageResizer(2, method="cubic"), "nearest: 'bicubic'"),
        (ImageResizer(2, antialias=1), "antialias must be True or False"),
        (ImageNormalizer(mean=[0.1, 0.2]), "one for each of 3 channels; got 2"),
        (ImageNormalizer(std=0), "std must be above 0"),
        (ImageNormalizer(mean="0"), "mean must be a finite number"),
    ],
)
def test_bad_parameters(made, rule):
    with pytest.raises(PrepError, match=rule):
        made.fit(pixels(2, 4, 4, 3))
