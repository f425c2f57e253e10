# SPDX-License-Identifier: MIT
"""wheel.py FEATURES.npy [bare] - run by a Python into which a wheel was installed, in the repository's root: a picture's features are those that
the wheel's command writes, a bank answers, and a recogniser learns, but for `bare`: a Python that has neither pip nor scikit-learn."""
import os
import subprocess
import sys

import numpy as np

import mopd

PIXELS = "tests/gold/pixels/"
bare = sys.argv[2:] == ["bare"]
command = [sys.executable, "-m", "mopd"] if bare else [os.path.join(os.path.dirname(sys.executable), "mopd")]
subprocess.run([*command, "encode", "--quiet", "--image", PIXELS + "420.jpg", "-o", sys.argv[1]], check=True)
encoder = mopd.Encoder()
features = encoder.images([PIXELS + "420.jpg", PIXELS + "422.jpg", PIXELS + "drawn.png", PIXELS + "grey8.png"])
assert (features[:1] == np.load(sys.argv[1])).all(), "the command has other features"
answer = mopd.Bank(encoder, ["cat", "dog", "bicycle"]).classify(features[:1], top=1)
print(mopd.__version__, "the same features by the command and by Python;", answer)
if not bare:
    recognizer = mopd.Recognizer(encoder).fit(features, ["photograph", "photograph", "drawing", "drawing"])
    assert list(recognizer.predict(features)) == ["photograph", "photograph", "drawing", "drawing"]
    print("a recogniser tells the pictures that it was fitted to")
