/* SPDX-License-Identifier: MIT
 * resample_kern.h - the two inner loops of resample.c, one table per instruction set, all with the same bits. */
#ifndef MO_PIXEL_RESAMPLE_KERN_H
#define MO_PIXEL_RESAMPLE_KERN_H

#include <stddef.h>
#include <stdint.h>

#define MO_TAP_BITS 22  /* weights are multiples of 2^-22 */
#define MO_TAP_SPLIT 14 /* weight = high 2^14 + low, each in 16 bits, for multiply-add instructions */

/* n outputs; output i is the sum of n_taps[i] inputs from first[i] on.  Weights lie `stride` apart, a
 * multiple of 4, zero beyond n_taps[i]. */
typedef struct mo_resample_taps {
    size_t n, stride;
    uint32_t *first, *n_taps;
    int32_t *weight;
    int16_t *low, *high; /* the same weights, split */
} mo_resample_taps;

typedef struct mo_resample_kern {
    const char *name;
    /* out, taps->n x 3, from one row of 3-channel pixels.  May read 16 bytes beyond the last pixel. */
    void (*row)(uint8_t *out, const uint8_t *in, const mo_resample_taps *taps);
    /* out, n bytes, the i-th output of taps down the columns of in, whose rows are `stride` bytes apart. */
    void (*column)(
        uint8_t *out, const uint8_t *in, size_t stride, size_t n, const mo_resample_taps *taps, size_t i);
} mo_resample_kern;

const mo_resample_kern *mo_resample_plain(void);
const mo_resample_kern *mo_resample_wide(void); /* AVX2's, NEON's; NULL where the build or the CPU has none */

#endif
