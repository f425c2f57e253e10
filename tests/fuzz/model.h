/* SPDX-License-Identifier: MIT
 * model.h - the small model that targets share, and what is done with a model that an input made. */
#ifndef MOPD_TESTS_FUZZ_MODEL_H
#define MOPD_TESTS_FUZZ_MODEL_H

#include "mopd/mopd.h"

/* The model tests/fuzz/base/hf with one thread, opened by the first call. */
const mopd_encoder *fuzz_encoder(void);

/* Opens the model at a path and, when it opens, uses everything that was read. */
void fuzz_model(const char *path);

/* Opens it with a precision (MOPD_PRECISION_...) and, when it opens, uses its towers. */
void fuzz_model_in(const char *path, int32_t precision);

/* Describes the file at a path. */
void fuzz_inspect(const char *path);

#endif
