/* SPDX-License-Identifier: MIT
 * attention_chain.h - the rows that a row sees, as runs of neighbouring rows. */
#ifndef MO_LAYER_ATTENTION_CHAIN_H
#define MO_LAYER_ATTENTION_CHAIN_H

#include "layer/attention.h"

typedef struct mo_run {
    uint32_t first, n;
} mo_run;

/* From the root down to `row` itself, which ends the last run. */
typedef struct mo_chain {
    mo_run *runs;
    size_t n_runs, seen; /* seen: rows in all */
} mo_chain;

/* Segment of a row of a tree; 0 for whole sequences. */
size_t mo_attention_chain_segment(const mo_rows *rows, size_t row);

/* room: for as many runs as the longest sequence has rows. */
mo_chain mo_attention_chain_of(const mo_rows *rows, size_t segment, size_t row, mo_run *room);

#endif
