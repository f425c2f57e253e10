# SPDX-License-Identifier: MIT
"""A lesson in mopd for Python, to be read from top to bottom and run as it is:  python tutorial.py

It draws its own pictures, so nothing is fetched; tests run it with a tiny random model."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split

import mopd

# 1. A model.  Encoder() is the built-in one; Encoder("path/to/clip-vit-base-patch16") opens any CLIP model on disk.
enc = mopd.Encoder()
print(f"{enc.dim} numbers a feature, pictures of {enc.image_size} pixels")


# 2. Pictures.  A path, the bytes of a file, a PIL image or a uint8 array: all are pictures, and may be mixed.
def draw(colour: str, rng: np.random.Generator) -> np.ndarray:
    """A noisy square of a colour."""
    picture = rng.integers(0, 90, (48, 48, 3), dtype=np.uint8)
    picture[12:36, 12:36, ["red", "green", "blue"].index(colour)] += 150
    return picture


rng = np.random.default_rng(0)
labels = ["red", "green", "blue"] * 12
pictures = [draw(label, rng) for label in labels]

# 3. Features: rows of length 1.  Encoding is the slow part, and the same picture always gives the same bits, so that
#    everything below may as well be given features as pictures.
features = enc.images(pictures)
assert features.shape == (36, enc.dim)

# 4. Zero-shot: class names in sentences against pictures.
bank = mopd.Bank(enc, ["red", "green", "blue"], templates=["a photo of a {} square."])
for name, probability in bank.classify(features[:1], top=3)[0]:
    print(f"{probability:6.1%}  {name}")

# 5. Few-shot: learn a prompt.  The estimator is scikit-learn's kind: fit, predict, score.
train_x, test_x, train_y, test_y = train_test_split(features, labels, test_size=0.5, stratify=labels, random_state=0)
clf = mopd.MoPDClassifier(enc, templates=mopd.templates_for("imagenet")[:4], epochs=20, batch=18, lr=0.02, seed=1)
clf.fit(train_x, train_y)
print(f"trained: {clf.score(train_x, train_y):.0%} on its own pictures, {clf.score(test_x, test_y):.0%} on others")

# 6. What was learned is a prompt, not a list of classes: other names need no training.
print(clf.with_classes(["red", "orange", "violet"]).predict(test_x[:3]))

# 7. Keep it.  The file holds a few kilobytes; `mopd classify -p squares.safetensors` takes it too.
clf.save("squares.safetensors")
same = mopd.MoPDClassifier.load(enc, "squares.safetensors")
assert np.array_equal(same.predict_proba(test_x), clf.predict_proba(test_x))

# 8. Settings are searched as with any estimator.
search = GridSearchCV(clf, {"w": [0.5, 0.8], "top_k": [1, 2]}, cv=2).fit(train_x, train_y)
print("best:", search.best_params_)

# 9. Pictures of the training, if matplotlib is there (pip install "mopd[plot]").
try:
    import matplotlib
except ImportError:
    print("no matplotlib: no charts")
else:
    matplotlib.use("agg")
    import mopd.plot

    mopd.plot.learning_curves(clf).figure.savefig("learning.png")
    mopd.plot.gate_heat_map(clf, train_x, train_y).figure.savefig("gate.png")
    mopd.plot.confusion_matrix(test_y, clf.predict(test_x)).figure.savefig("confusion.png")

# 10. Errors say what is wrong, and have a status for programs.
try:
    enc.images(["nowhere.jpg"])
except mopd.MopdError as error:
    assert error.status == mopd.Status.IO
    print("as expected:", error)
