/* SPDX-License-Identifier: MIT
 * rng.h - seeded random numbers, the same on every machine (xoshiro256** from splitmix64; Blackman, Vigna 2021). */
#ifndef MO_BASE_RNG_H
#define MO_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct mo_rng {
    uint64_t s[4];
} mo_rng;

void mo_rng_seed(mo_rng *rng, uint64_t seed);
/* A seed for a named purpose, so that streams of one user seed do not overlap. */
uint64_t mo_rng_mix(uint64_t seed, uint64_t purpose);
uint64_t mo_rng_next(mo_rng *rng);
uint64_t mo_rng_below(mo_rng *rng, uint64_t n); /* [0, n), unbiased; n > 0 */
double mo_rng_unit(mo_rng *rng);                /* [0, 1), 53 bits */
double mo_rng_normal(mo_rng *rng);              /* mean 0, deviation 1 */
void mo_rng_shuffle(mo_rng *rng, uint32_t *x, size_t n);

#endif
