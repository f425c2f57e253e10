/* SPDX-License-Identifier: MIT
 * cluster.h - rows that stand for many: one of each cluster. */
#ifndef MO_MATH_CLUSTER_H
#define MO_MATH_CLUSTER_H

#include "base/fail.h"

/* As mopd_clusters_choose; shape is rows and columns, n_clusters from 1 to the number of rows. */
mopd_status mo_cluster_choose(
    size_t *chosen, const float *rows, const size_t shape[2], size_t n_clusters, uint64_t seed);

#endif
