/* SPDX-License-Identifier: MIT
 * dataset.h - what must hold of a data set that an input made. */
#ifndef MOPD_TESTS_FUZZ_DATASET_H
#define MOPD_TESTS_FUZZ_DATASET_H

#include "mopd/mopd.h"

/* Goes through all items and classes, then makes parts of the data set and goes through these. */
void fuzz_dataset(const mopd_dataset *dataset);

#endif
