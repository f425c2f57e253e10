/* SPDX-License-Identifier: MIT
 * fold.h - class names as a model reads them, and which of them are one to it. */
#ifndef MO_TOKEN_FOLD_H
#define MO_TOKEN_FOLD_H

#include "base/buf.h"
#include "token/unicode.h"

/* Appends the words of a class name as CLIP's tokenizers cut them, "_" taken for a blank as in prompts, each ended
 * by a zero byte.  Two names of the same words are the same tokens in every prompt.  A name that is not UTF-8 is one
 * word as it is. */
mopd_status mo_fold_name(const char *name, mo_unicode_cps *cps, mo_buf *out);

/* Two of the names that have the same words: same[1] is the first that repeats an earlier one, same[0].  Both are n
 * where all names differ. */
mopd_status mo_fold_find(const char *const *names, size_t n, size_t same[2]);

/* among[i]: whether names[i], one of n, has the same words as one of the list. */
mopd_status mo_fold_among(
    const char *const *names, size_t n, const char *const *list, size_t n_list, bool *among);

#endif
