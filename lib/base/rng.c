/* SPDX-License-Identifier: MIT
 * rng.c - xoshiro256** 1.0 seeded by splitmix64 (Blackman and Vigna, ACM TOMS 47(4), 2021). */
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void mo_rng_seed(mo_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) rng->s[i] = splitmix(&seed);
}

uint64_t mo_rng_mix(uint64_t seed, uint64_t purpose)
{
    uint64_t x = seed;
    x = splitmix(&x) ^ purpose;
    return splitmix(&x);
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t mo_rng_next(mo_rng *rng)
{
    uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t mo_rng_below(mo_rng *rng, uint64_t n)
{
    uint64_t reject =
        (UINT64_MAX - n + 1) % n; /* 2^64 mod n: the lowest values would be drawn once too often */
    uint64_t x;
    do x = mo_rng_next(rng);
    while (x < reject);
    return x % n;
}

double mo_rng_unit(mo_rng *rng)
{
    return (double)(mo_rng_next(rng) >> 11) * 0x1p-53;
}

double mo_rng_normal(mo_rng *rng)
{
    double u = 1.0 - mo_rng_unit(rng), v = mo_rng_unit(rng); /* Box and Muller; u in (0, 1] */
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void mo_rng_shuffle(mo_rng *rng, uint32_t *x, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)mo_rng_below(rng, i);
        uint32_t t = x[i - 1];
        x[i - 1] = x[j];
        x[j] = t;
    }
}
