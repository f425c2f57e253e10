# SPDX-License-Identifier: MIT
"""A lesson in mopd for Python, to be read from top to bottom and run as it is:  python tutorial.py

It draws its own pictures, so nothing is fetched.  Lines that begin with #> are what it prints with the built-in model, and
a test holds it to them."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import cross_val_score

import mopd

# 1. A model.  Encoder() is the built-in one; Encoder("path/to/clip-vit-base-patch16") opens any CLIP model on disk.
enc = mopd.Encoder()
print(f"{enc.dim} numbers a feature, pictures of {enc.image_size} pixels")
#> 512 numbers a feature, pictures of 224 pixels


# 2. Pictures.  A path, the bytes of a file, a PIL image, an array or a tensor: all are pictures, and may be mixed.
def draw(shape: str, rng: np.random.Generator, side: int = 96) -> np.ndarray:
    """A bright shape of any colour, size and place on dark noise."""
    y, x = np.mgrid[:side, :side] - rng.uniform(0.4, 0.6, (2, 1, 1)) * side
    size = rng.uniform(0.22, 0.36) * side
    inside = {
        "circle": np.hypot(x, y) < size,
        "square": np.maximum(np.abs(x), np.abs(y)) < size,
        "triangle": (y < size / 2) & (np.abs(x) < (y + size) * 0.6),
        "ring": np.abs(np.hypot(x, y) - size) < size / 4,
        "cross": (np.minimum(np.abs(x), np.abs(y)) < size / 4) & (np.maximum(np.abs(x), np.abs(y)) < size),
    }[shape]
    picture = rng.integers(0, 70, (side, side, 3), dtype=np.uint8)
    picture[inside] = np.clip(rng.uniform(90, 255, 3) + rng.normal(0, 12, (int(inside.sum()), 3)), 0, 255)
    return picture


def draw_all(shapes: list[str], each: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[str]]:
    labels = [shape for shape in shapes for _ in range(each)]
    return [draw(label, rng) for label in labels], labels


rng = np.random.default_rng(0)
shapes = ["circle", "square", "triangle"]
pictures, labels = draw_all(shapes, 20, rng)  # to learn from
test_pictures, test_labels = draw_all(shapes, 40, rng)  # to see how well that went

# 3. Features: rows of length 1.  Encoding is the slow part, and the same picture always gives the same bits, so that
#    everything below may as well be given features as pictures.
features, test_features = enc.images(pictures), enc.images(test_pictures)
assert features.shape == (60, enc.dim)

# 4. Zero-shot: class names in sentences against pictures.  No picture was learned from, and drawings like these are not
#    what the model knows best; guessing would be right of one in three.
bank = mopd.Bank(enc, shapes, templates=["a photo of a {}."])
print(f"by their names alone: {np.mean(bank.predict(test_features) == test_labels):.0%} right")
#> by their names alone: 48% right

# 5. A few pictures of each class, and a second: the first thing to try.  It is an estimator of scikit-learn's kind.
rec = mopd.Recognizer(enc).fit(features, labels)
print(f"with pictures: {rec.score(test_features, test_labels):.0%} right")
#> with pictures: 100% right
one = mopd.Recognizer(enc).fit(features[::20], labels[::20])
print(f"with one picture of each: {one.score(test_features, test_labels):.0%} right")
#> with one picture of each: 97% right

# 6. How good is it?  It need not be asked of test pictures: each picture was left out in its turn.
low, high = rec.loo_interval_
print(f"expected {rec.loo_accuracy_:.0%}, between {low:.0%} and {high:.0%}")
#> expected 100%, between 94% and 100%

# 7. None of these.  Of pictures of the known classes 95 % are kept (`keep`); how many others are refused is not promised.
rings, _ = draw_all(["ring"], 40, rng)
answers = rec.predict(rings, none="none of these")
refused, kept = np.mean(answers == "none of these"), rec.known(test_features).mean()
print(f"{refused:.0%} of the rings refused, {kept:.0%} of the others kept")
#> 100% of the rings refused, 100% of the others kept

# 8. How sure is it?  Sets hold the true label as often as was asked for.
sets = rec.predict_set(test_features, coverage=0.9)
held = np.mean([label in answer for label, answer in zip(test_labels, sets)])
print(f"sets of {np.mean([len(answer) for answer in sets]):.1f} labels hold the true one in {held:.0%}")
#> sets of 1.0 labels hold the true one in 100%

# 9. Wrong labels give themselves away.
wrong = list(labels)
wrong[7] = "square"
for suspect in mopd.Recognizer(enc).fit(features, wrong).suspects():
    print(f"picture {suspect.index} is labelled {suspect.label}, and rather a {suspect.other}")
#> picture 7 is labelled square, and rather a circle

# 10. More classes: by their names alone, or by a picture or two.  Nothing starts over, and `rec` stays as it is.
crosses = enc.images(draw_all(["cross"], 40, rng)[0])
wider = rec.with_classes([*shapes, "cross"])
found = np.mean(wider.predict(crosses) == "cross")
print(f"crosses by name: {found:.0%}, the others: {wider.score(test_features, test_labels):.0%}")
#> crosses by name: 90%, the others: 100%
wider = rec.extend(crosses[:1], ["cross"])
found = np.mean(wider.predict(crosses[1:]) == "cross")
print(f"with one picture: {found:.0%}, the others: {wider.score(test_features, test_labels):.0%}")
#> with one picture: 100%, the others: 100%

# 11. Keep it: one file, which `mopd classify -r shapes.safetensors` takes too.  Or pickle it.
rec.save("shapes.safetensors")
same = mopd.Recognizer.load(enc, "shapes.safetensors")
assert np.array_equal(same.predict_proba(test_features), rec.predict_proba(test_features))

# 12. Prompts are learned more slowly, and serve names that nobody trained on.  The learning rate is the model's own: leave
#     it alone until there is a reason.
clf = mopd.MoPDClassifier(enc, seed=1).fit(features, labels)
print(f"learned prompts: {clf.score(test_features, test_labels):.0%} right after {clf.n_iter_} epochs")
#> learned prompts: 96% right after 50 epochs
clf.save("prompt.safetensors")

# 13. Both are estimators: they are cloned, searched, cross-validated, put in pipelines and pickled.  Labels should be words;
#     where they are numbers, give the words as class_names.
numbers = [shapes.index(label) for label in labels]
by_number = mopd.Recognizer(enc, class_names=shapes)
print(f"cross-validated: {cross_val_score(by_number, features, numbers, cv=5).mean():.0%}")
#> cross-validated: 100%

# 14. Charts, if matplotlib is there (pip install "mopd[plot]").
try:
    import matplotlib
except ImportError:
    print("no matplotlib: no charts")
else:
    matplotlib.use("agg")
    import mopd.plot

    shares = rec.predict_proba(test_features)
    mopd.plot.reliability_diagram(test_labels, shares, rec.classes_).figure.savefig("sure.png")
    mopd.plot.suspects(mopd.Recognizer(enc).fit(features, wrong), pictures).savefig("suspects.png")
    mopd.plot.learning_curves(clf).figure.savefig("learning.png")
    mopd.plot.gate_heat_map(clf, features, labels).figure.savefig("gate.png")
    mopd.plot.confusion_matrix(test_labels, clf.predict(test_features)).figure.savefig("confusion.png")

# 15. Errors say what is wrong, and have a status for programs.
try:
    enc.images(["nowhere.jpg"])
except mopd.MopdError as error:
    assert error.status == mopd.Status.IO
    print("as expected:", error)
    #> as expected: nowhere.jpg: cannot open: No such file or directory
