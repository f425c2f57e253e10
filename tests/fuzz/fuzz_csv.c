/* SPDX-License-Identifier: MIT
 * fuzz_csv.c - bytes as a list of pictures; what opens is gone through, cut and narrowed. */
#include "dataset.h"
#include "files.h"
#include "fuzz.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    fuzz_dataset_open(fuzz_file(data, n));
}
