# SPDX-License-Identifier: MIT
"""Pictures of every kind are the same picture; what is none, or cannot be told, is refused by name."""
from __future__ import annotations

import io
import pickle
import weakref

import numpy as np
import pytest
from conftest import PICTURES, TOWERS

import mopd
from mopd._pictures import is_features


class Tensor:
    """What mopd knows of torch: a tensor that must be detached and brought to the processor before it is an array."""

    def __init__(self, array, ready=False):
        self.array, self.ready = array, ready
        self.shape, self.ndim, self.dtype = array.shape, array.ndim, f"torch.{array.dtype}"

    def detach(self):
        return self

    def cpu(self):
        return Tensor(self.array, True)

    def numpy(self):
        assert self.ready
        return self.array

    def __array__(self, *_):
        raise TypeError("can't convert: call detach() and cpu() first")

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return (Tensor(part) for part in self.array)

    def __getitem__(self, index):
        return Tensor(self.array[index])


@pytest.fixture(scope="module")
def arrays(shots):
    return shots[0][:6]


@pytest.fixture(scope="module")
def expected(enc, arrays):
    return enc.images(arrays)


KINDS = {
    "batch": np.stack,
    "floats": lambda xs: [x / np.float32(255) for x in xs],
    "batch of floats": lambda xs: np.stack(xs) / 255.0,
    "half floats": lambda xs: [(x / 255).astype(np.float16) for x in xs],
    "wide integers": lambda xs: [x.astype(np.int64) for x in xs],
    "objects": lambda xs: np.array([*xs, None], dtype=object)[:-1],
    "an object array of numbers": lambda xs: np.stack(xs).astype(object),
    "tuple": tuple,
    "generator": lambda xs: (x for x in xs),
    "tensors": lambda xs: [Tensor(x) for x in xs],
    "tensors, channels first": lambda xs: [Tensor(x.transpose(2, 0, 1) / np.float32(255)) for x in xs],
    "a tensor, channels last": lambda xs: Tensor(np.stack(xs)),
    "one tensor": lambda xs: Tensor(np.stack([x.transpose(2, 0, 1) for x in xs])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_array_is_the_same_picture(enc, arrays, expected, kind):
    assert np.array_equal(enc.images(KINDS[kind](arrays)), expected)
    if kind != "generator":
        assert not is_features(KINDS[kind](arrays))


def test_grey_and_black_and_white(enc, arrays):
    grey = [x[..., 0] for x in arrays]
    expected = enc.images(grey)
    assert np.array_equal(enc.images(np.stack(grey)), expected)
    assert np.array_equal(enc.images([Tensor(x[None]) for x in grey]), expected)
    mask = grey[0] > 100
    assert np.array_equal(enc.images([mask]), enc.images([np.where(mask, 255, 0).astype(np.uint8)]))


def test_open_files_are_read_from_their_start_and_left_where_they_were(enc, tmp_path):
    expected = enc.images(PICTURES[:2])
    with open(PICTURES[0], "rb") as first:
        second = io.BytesIO(PICTURES[1].read_bytes())
        second.seek(0, io.SEEK_END)
        for _ in range(2):
            assert np.array_equal(enc.images([first, second]), expected)
        assert first.tell() == 0 and second.tell() == len(second.getvalue())

    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.data = data

        def seekable(self):
            return False

        def read(self, n=-1):
            return self.data

    assert np.array_equal(enc.images([Pipe(PICTURES[0].read_bytes())]), expected[:1])
    with pytest.raises(TypeError, match="picture 0: .*mode 'rb'"):
        enc.images([io.StringIO("no bytes")])


class Table:
    """What mopd knows of a data frame."""

    def __init__(self, **columns):
        self.data = columns
        self.columns = list(columns)
        self.shape = (len(next(iter(columns.values()))), len(columns))

    def __getitem__(self, name):
        return self.data[name]

    def __len__(self):
        return self.shape[0]


def test_tables_of_one_column(enc, shots):
    table = Table(path=[str(p) for p in PICTURES[:5]])
    assert np.array_equal(enc.images(table), enc.images(PICTURES[:5]))
    column = np.array([[str(p)] for p in PICTURES[:5]], dtype=object)
    assert np.array_equal(enc.images(column), enc.images(PICTURES[:5]))
    rec = mopd.Recognizer(enc).fit(Table(picture=shots[0]), shots[1])
    assert rec.score(Table(picture=shots[0]), shots[1]) == rec.score(*shots)
    with pytest.raises(TypeError, match="2 columns: choose"):
        enc.images(Table(path=["a"], label=["b"]))


def test_pandas_and_polars(enc, shots):
    """With the real ones, where they are there."""
    paths = [str(p) for p in PICTURES[:5]]
    expected = enc.images(paths)
    for name in ("pandas", "polars"):
        library = pytest.importorskip(name)
        frame = library.DataFrame({"path": paths, "more": range(5)})
        assert np.array_equal(enc.images(frame[["path"]]), expected)
        assert np.array_equal(enc.images(frame["path"]), expected)


def test_torch(enc, arrays, expected):
    torch = pytest.importorskip("torch")
    tensors = torch.from_numpy(np.stack([x.transpose(2, 0, 1) for x in arrays]))
    assert np.array_equal(enc.images(tensors), expected)
    assert np.array_equal(enc.images((tensors / 255.0).requires_grad_()), expected)


def test_generators_are_read_as_they_are_needed(enc, arrays, expected):
    """No more than a batch of pictures is alive at once."""
    alive, most, drawn = weakref.WeakSet(), [], []

    class Picture(np.ndarray):
        __hash__ = object.__hash__

    def pictures():
        for i in range(60):
            picture = arrays[i % 6].copy().view(Picture)
            alive.add(picture)
            drawn.append(i)
            yield picture
            del picture
            most.append(len(alive))

    told = []
    features = enc.images(pictures(), progress=lambda done, total: told.append((done, total, len(drawn))))
    assert np.array_equal(features, np.tile(expected, (10, 1)))
    assert max(most) <= 40
    assert [done for done, _, _ in told] == [16, 32, 48, 60] and told[0][1] is None and told[0][2] < 20
    paths = (p for p in PICTURES)
    assert np.array_equal(enc.images(paths), enc.images(PICTURES))
    mixed = [PICTURES[0], arrays[0], PICTURES[1], PICTURES[2], PICTURES[3].read_bytes()]
    assert np.array_equal(enc.images(iter(mixed)), enc.images(mixed))
    rec = mopd.Recognizer(enc).fit((x for x in arrays), ["a", "dog", "cat"] * 2)
    assert rec.predict(x for x in arrays).shape == (6,)


REFUSED = [
    (np.full((4, 4, 3), 300), ValueError, "300.* 0 to 255"),
    (np.full((4, 4, 3), -1), ValueError, "-1 .* 0 to 255"),
    (np.full((4, 4, 3), 40000, np.uint16), ValueError, "40000"),
    (np.full((4, 4, 3), 254.0), ValueError, "254.*0 to 1.*uint8"),
    (np.full((4, 4, 3), -0.5), ValueError, "-0.5.*0 to 1.*mean"),
    (np.full((4, 4, 3), np.nan), ValueError, "nan"),
    (np.zeros((4, 4, 3), complex), TypeError, "complex"),
    (np.zeros((3, 4, 5), np.uint8), ValueError, "channels come first"),
    (np.zeros((4, 4, 2), np.uint8), ValueError, r"\(4, 4, 2\)"),
    (np.zeros((0, 4, 3), np.uint8), ValueError, r"\(0, 4, 3\)"),
    (np.zeros(12, np.float32), ValueError, r"\(12,\)"),
    ({}, TypeError, "an open file.* this is dict"),
    (None, TypeError, "this is NoneType"),
]


@pytest.mark.parametrize("picture, kind, words", REFUSED)
def test_what_is_no_picture_is_told_with_its_number(enc, arrays, picture, kind, words):
    with pytest.raises(kind, match=f"^picture 1: .*{words}"):
        enc.images([arrays[0], picture])
    rows = enc.images([arrays[0], picture, arrays[1]], errors="nan")
    assert np.isnan(rows).all(axis=1).tolist() == [False, True, False]
    assert np.array_equal(rows[[0, 2]], enc.images([arrays[0], arrays[1]]))


@pytest.mark.parametrize("one", [PICTURES[0], b"x", np.zeros((4, 4), np.uint8), Tensor(np.zeros((3, 4, 4))), io.BytesIO()])
def test_one_picture_is_no_list(enc, one):
    with pytest.raises(TypeError, match="a list of pictures is expected, not one picture"):
        enc.images(one)


def test_a_picture_of_16_bits_is_not_whitened_silently(enc):
    Image = pytest.importorskip("PIL.Image")
    bright = Image.fromarray(np.full((8, 8), 40000, np.int32))
    with pytest.warns(UserWarning, match="40000.*white"):
        enc.images([bright])
    enc.images([Image.fromarray(np.full((8, 8), 200, np.int32))])
    with pytest.warns(UserWarning, match="grey16.png: 16-bit grey, all of which above 255 is read as white") as told:
        enc.images([PICTURES[0], *[PICTURES[0].parent / "grey16.png"] * 3])
    assert len(told) == 1


@pytest.mark.filterwarnings("ignore:a picture of mode I:UserWarning")
def test_pictures_that_pillow_has_no_direct_way_from(enc):
    Image = pytest.importorskip("PIL.Image")
    grey = np.arange(0, 6400, 100, np.uint16).reshape(8, 8)
    cut = enc.images([np.minimum(grey, 255).astype(np.uint8)])
    for mode, order in (("I;16", "<u2"), ("I;16B", ">u2")):  # the latter: TIFF files of big-endian programs
        assert np.array_equal(enc.images([Image.frombytes(mode, (8, 8), grey.astype(order).tobytes())]), cut)
    clear = Image.new("LA", (8, 8), (90, 255))
    assert np.array_equal(enc.images([clear.convert("La")]), enc.images([clear]))


def test_grey_of_16_bits_is_scaled_when_asked_for(enc):
    pixels = PICTURES[0].parent
    grey = pixels / "grey16.png"
    scaled = mopd.Encoder(TOWERS / "hf", grey16="scale")
    answer = scaled.images([grey])
    assert not np.array_equal(answer, enc.images([grey]))
    assert np.array_equal(answer, scaled.images([grey.read_bytes()]))
    with grey.open("rb") as file:
        assert np.array_equal(answer, scaled.images([file]))
    assert np.array_equal(answer, pickle.loads(pickle.dumps(scaled)).images([grey]))
    Image = pytest.importorskip("PIL.Image")
    red = np.asarray(Image.open(pixels / "rgb16.png").convert("RGB"))[..., 0]  # the same samples
    assert np.array_equal(answer, enc.images([red]))
    deep = Image.fromarray(red.astype(np.uint16) << 8)
    assert np.array_equal(answer, scaled.images([deep]))
    with pytest.raises(ValueError, match="grey16 'clip' is none of 'cut', 'scale'"):
        mopd.Encoder(TOWERS / "hf", grey16="clip")


def test_photographs_are_turned_as_exif_says(enc):
    lies = PICTURES[0].parents[2] / "fuzz/corpus/image/exif-jpeg"
    as_is = mopd.Encoder(TOWERS / "hf", orientation="ignore")
    answer = enc.images([lies])
    assert not np.array_equal(answer, as_is.images([lies]))
    assert np.array_equal(answer, enc.images([lies.read_bytes()]))
    assert np.array_equal(answer, pickle.loads(pickle.dumps(enc)).images([lies]))
    assert np.array_equal(as_is.images([lies]), pickle.loads(pickle.dumps(as_is)).images([lies]))
    with pytest.raises(ValueError, match="orientation 'up' is none of 'exif', 'ignore'"):
        mopd.Encoder(TOWERS / "hf", orientation="up")
    Image = pytest.importorskip("PIL.Image")
    from PIL import ImageOps

    with Image.open(lies) as picture:
        assert np.array_equal(answer, enc.images([ImageOps.exif_transpose(picture)]))


def test_features_are_told_from_pictures(enc, arrays, expected):
    assert is_features(expected) and is_features(expected.tolist()) and is_features(Tensor(expected))
    assert is_features(list(expected)) and is_features([Tensor(row) for row in expected])
    assert is_features(np.zeros((2, 5, 12), np.float32)) and is_features(Table(a=[1.0], b=[2.0]))
    for x in (arrays, np.stack(arrays), [str(PICTURES[0])], np.asarray(["a.jpg"]), [], (p for p in arrays)):
        assert not is_features(x)
    rec = mopd.Recognizer(enc).fit(Tensor(expected), ["a", "dog", "cat"] * 2)
    assert np.array_equal(rec.logits([Tensor(row) for row in expected]), rec.logits(arrays))
    bank = mopd.Bank(enc, ["a", "dog"])
    assert np.array_equal(bank.logits(Tensor(expected)), bank.logits(expected))
