/* SPDX-License-Identifier: MIT
 * dataset.h - what must hold of a data set that an input made. */
#ifndef MOPD_TESTS_FUZZ_DATASET_H
#define MOPD_TESTS_FUZZ_DATASET_H

#include "mopd/mopd.h"

/* Opens data whether it has labels or not, and takes the labels away. */
void fuzz_dataset_open(const char *path);

/* Goes through all items and classes, then makes parts of the data set and goes through these. */
void fuzz_dataset(const mopd_dataset *dataset);

#endif
