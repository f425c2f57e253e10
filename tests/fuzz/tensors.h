/* SPDX-License-Identifier: MIT
 * tensors.h - what must hold of a file of tensors that an input made. */
#ifndef MOPD_TESTS_FUZZ_TENSORS_H
#define MOPD_TESTS_FUZZ_TENSORS_H

#include "format/tensors.h"

/* Finds every tensor and every text by its name and reads it. */
void fuzz_tensors(const mo_tensors *t);

#endif
