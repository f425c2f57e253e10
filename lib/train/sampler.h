/* SPDX-License-Identifier: MIT
 * sampler.h - which pictures stand in which batch (docs/method.md 5.1).
 *
 * The order of an epoch follows from seed and epoch alone, so a resumed run needs no generator's state. */
#ifndef MO_TRAIN_SAMPLER_H
#define MO_TRAIN_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* order, n: a permutation of 0 .. n - 1; 0, 1, 2 ... without shuffling. */
void mo_sampler_order(uint64_t seed, size_t epoch, bool shuffle, uint32_t *order, size_t n);

/* Batches of an epoch: n / batch, the incomplete last one dropped; one of n pictures when n < batch. */
size_t mo_sampler_batches(size_t n, size_t batch);

/* kept, n_kept numbers drawn with replacement from 0 .. m - 1, for a step of the whole run (mopd-random). */
void mo_sampler_teachers(uint64_t seed, uint64_t step, uint32_t *kept, size_t n_kept, size_t m);

#endif
