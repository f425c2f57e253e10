# SPDX-License-Identifier: MIT
"""What the parts of recognition.py share: the command, the stores, means, and scikit-learn's classifiers."""
import json
import os
import statistics
import subprocess

import numpy as np

EXAM = ("caltech101", "eurosat", "flowers102")
DEV = ("tinyimagenet", "cifar100")  # settings were chosen on held-out classes of these
TEMPLATES = {"eurosat": "eurosat", "flowers102": "flowers102"} | dict.fromkeys(("caltech101", *DEV), "imagenet")


def mopd(args, *words):
    done = subprocess.run([args.mopd, *map(str, words), "--format", "json", "-q"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def store(args, name):
    return os.path.join(args.data, name + ".safetensors")


def joined(numbers):
    return ",".join(map(str, numbers))


def mean(values):
    return round(statistics.mean(values), 4), round(statistics.stdev(values), 4) if len(values) > 1 else 0.0


# -- scikit-learn on the same pictures ---------------------------------------------------------------------------------

def discriminant(x, y, shots):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)


def chosen(model, settings, x, y, shots):
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    return GridSearchCV(model, settings, cv=StratifiedKFold(min(shots, 4), shuffle=True, random_state=0)).fit(x, y)


def discriminant_chosen(x, y, shots):
    """The shrinkage by cross-validation, which wants three pictures a class."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return chosen(LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": ["auto", 0.1, 0.25, 0.5, 0.85]}, x, y, shots)


def logistic(x, y, shots):
    """C by cross-validation where there are two pictures a class."""
    from sklearn.linear_model import LogisticRegression

    one = LogisticRegression(C=100, max_iter=500)
    return chosen(one, {"C": [1, 10, 100, 1000]}, x, y, shots) if shots >= 2 else one.fit(x, y)


class Centroid:
    """The class whose mean of features has the largest cosine."""

    def __init__(self, x, y, shots):
        self.classes = np.unique(y)
        means = np.stack([x[y == c].mean(0) for c in self.classes])
        self.means = means / np.linalg.norm(means, axis=1, keepdims=True)

    def predict(self, x):
        return self.classes[(x @ self.means.T).argmax(1)]


PEERS = {"sklearn LDA, shrinkage": discriminant, "sklearn logistic regression": logistic, "nearest class mean": Centroid}
