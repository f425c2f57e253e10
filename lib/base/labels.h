/* SPDX-License-Identifier: MIT
 * labels.h - the one range check of class labels. */
#ifndef MO_BASE_LABELS_H
#define MO_BASE_LABELS_H

#include <stdbool.h>

#include "base/fail.h"

/* Whether a label is one of the numbers 0 to n_classes - 1. */
static inline bool mo_labels_in_range(int32_t label, size_t n_classes)
{
    return label >= 0 && (size_t)label < n_classes;
}

/* ARG names the first of n labels that is out of range. */
mopd_status mo_labels_check(const int32_t *labels, size_t n, size_t n_classes);

#endif
