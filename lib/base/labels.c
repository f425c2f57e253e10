/* SPDX-License-Identifier: MIT
 * labels.c - the one range check of class labels. */
#include "base/labels.h"

mopd_status mo_labels_check(const int32_t *labels, size_t n, size_t n_classes)
{
    for (size_t i = 0; i < n; i++) {
        if (!mo_labels_in_range(labels[i], n_classes))
            return mo_fail(
                MOPD_E_ARG, "label %zu is %d, there are %zu classes", i, (int)labels[i], n_classes);
    }
    return MOPD_OK;
}
