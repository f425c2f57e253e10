/* SPDX-License-Identifier: MIT
 * pictures.h - folders and small pictures for the tests, below the temporary folder of test_path. */
#ifndef MOPD_TEST_PICTURES_H
#define MOPD_TEST_PICTURES_H

#include "test.h"

/* test_path(name), all its folders made. */
const char *test_folder(const char *name);

/* test_write(name, ...), its folders made first. */
const char *test_text(const char *name, const char *text);

/* An RGB PNG of width x height, its colours drawn from seed, at test_path(name); its folders made first. */
const char *test_png(const char *name, unsigned width, unsigned height, uint32_t seed);

/* The same of given pixels, height x width x 3. */
const char *test_png_of(const char *name, unsigned width, unsigned height, const uint8_t *rgb);

#endif
