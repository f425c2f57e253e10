/* SPDX-License-Identifier: MIT
 * labelled.h - a small labelled data set on disk, and what the tests of train, eval, features
 * and bench-new share. */
#ifndef MOPD_TESTS_SUPPORT_LABELLED_H
#define MOPD_TESTS_SUPPORT_LABELLED_H

#include <jansson.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

#define LABELLED_CLASSES 4 /* a, b, c, d */
#define LABELLED_TRAIN 4   /* pictures a class */
#define LABELLED_TEST 3

/* Writes name/train/CLASS/0.png ... and name/test/CLASS/0.png ... and returns name's path. */
const char *labelled_data(const char *name);

/* The one JSON document on standard output; decref it. */
json_t *labelled_json(const run_result *r);

/* A number of a JSON object; fails when it is none. */
double labelled_number(const json_t *object, const char *key);

/* Two files, or a file and itself: the same bytes, and some. */
void assert_same_files(const char *a, const char *b);

/* The file's bytes, ended by a zero; to be freed. */
char *read_whole(const char *path, size_t *n);

#endif
