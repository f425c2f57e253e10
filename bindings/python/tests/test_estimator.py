# SPDX-License-Identifier: MIT
"""scikit-learn's own checks.  They feed tables of numbers of any width, while our estimators eat pictures, or features of
exactly the encoder's width: their tags say so, and check_estimator then has nothing to try.  So that the checks are run
all the same, OnNumbers turns a table into features first, by a fixed random projection, and changes nothing else.  None
is expected to fail.  They also want good accuracy on blobs, which class names say nothing about and which a random
tower cannot give a MoPDClassifier through a shared context: hence a context for each class."""
from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

import mopd
from mopd._estimator import unit_rows

# Not for us: they need a package or an environment variable, and skip themselves.
MAY_SKIP = {"check_array_api_input", "check_classifier_data_not_an_array", "check_sample_weights_pandas_series"}


class OnNumbers:
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        return tags

    def _check_features(self, X, reset):
        rows = validate_data(self, X, reset=reset, dtype=np.float32)
        projection = np.random.default_rng(0).normal(size=(rows.shape[1] + 1, self.encoder.dim))
        return unit_rows((np.tanh(rows / 10) @ projection[1:] + projection[0]).astype(np.float32))


class Prompts(OnNumbers, mopd.MoPDClassifier):
    pass


class Pictures(OnNumbers, mopd.Recognizer):
    pass


MAKERS = {
    "MoPDClassifier": lambda enc: Prompts(
        enc, epochs=80, batch=16, lr=1.0, method="coop", class_context=True, context=None, n_context=4
    ),
    "Recognizer": Pictures,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MAKERS)
def test_sklearn_s_checks_pass(enc, name):
    results = check_estimator(MAKERS[name](enc), on_fail=None, on_skip=None)
    bad = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert bad == [] and skipped <= MAY_SKIP and len(results) > 40


def test_the_estimator_itself_says_that_it_takes_no_tables(enc):
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(mopd.MoPDClassifier(enc))
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(mopd.Recognizer(enc))
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(mopd.ImageFeatures(enc))
