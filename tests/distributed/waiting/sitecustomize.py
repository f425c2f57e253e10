# SPDX-License-Identifier: MIT
"""What every Python process of these tests loads when it starts: while the FIFO that MOPD_TEST_GATE names is there, who is to
encode the picture MOPD_TEST_PICTURE opens it first, and so waits until the test lets go."""
import os

GATE = os.environ.get("MOPD_TEST_GATE")

if GATE:
    import mopd

    images = mopd.Encoder.images

    def waiting(self, pictures, *arguments, **options):
        if os.path.exists(GATE) and any(os.fsdecode(p).endswith(os.environ["MOPD_TEST_PICTURE"]) for p in pictures):
            with open(GATE, "rb") as gate:
                gate.read()
        return images(self, pictures, *arguments, **options)

    mopd.Encoder.images = waiting
