/* SPDX-License-Identifier: MIT
 * sampler.c - seeded orders and draws. */
#include "train/sampler.h"

#include "base/rng.h"

#define ORDER UINT64_C(0x6f72646572)          /* purposes of the random streams: "order", */
#define TEACHERS UINT64_C(0x7465616368657273) /* "teachers" */

void mo_sampler_order(uint64_t seed, size_t epoch, bool shuffle, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    if (!shuffle) return;
    mo_rng rng;
    mo_rng_seed(&rng, mo_rng_mix(mo_rng_mix(seed, ORDER), epoch));
    mo_rng_shuffle(&rng, order, n);
}

size_t mo_sampler_batches(size_t n, size_t batch)
{
    return n < batch ? n > 0 : n / batch;
}

void mo_sampler_teachers(uint64_t seed, uint64_t step, uint32_t *kept, size_t n_kept, size_t m)
{
    mo_rng rng;
    mo_rng_seed(&rng, mo_rng_mix(mo_rng_mix(seed, TEACHERS), step));
    for (size_t i = 0; i < n_kept; i++) kept[i] = (uint32_t)mo_rng_below(&rng, m);
}
