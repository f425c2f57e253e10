/* SPDX-License-Identifier: MIT
 * races.h - what a tile reads and writes, told to ThreadSanitizer by the row: tiles are compiled without it (library.cmake),
 * for it would look at each multiply-add.  Elsewhere the macros are nothing.
 *
 *     MO_RACES_READ(x, ld, rows, n)  reads x [rows x n]
 *     MO_RACES_WRITE(x, ld, rows, n) writes x [rows x n]
 *     MO_RACES_C(t)                  reads add [m x n], writes c [m x n], where these are not NULL */
#ifndef MO_MATH_RACES_H
#define MO_MATH_RACES_H

#if defined(__SANITIZE_THREAD__)
#include <stddef.h>

void __tsan_read_range(void *start, unsigned long bytes);
void __tsan_write_range(void *start, unsigned long bytes);

static inline void mo_races_read(const float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++) __tsan_read_range((float *)x + i * ld, n * sizeof *x);
}

static inline void mo_races_write(float *x, size_t ld, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++) __tsan_write_range(x + i * ld, n * sizeof *x);
}

#define MO_RACES_READ(x, ld, rows, n) mo_races_read(x, ld, rows, n)
#define MO_RACES_WRITE(x, ld, rows, n) mo_races_write(x, ld, rows, n)
#define MO_RACES_C(t)                                                                                        \
    do {                                                                                                     \
        if ((t)->add) mo_races_read((t)->add, (t)->ldadd, (t)->m, (t)->n);                                   \
        if ((t)->c) mo_races_write((t)->c, (t)->ldc, (t)->m, (t)->n);                                        \
    } while (0)
#else
#define MO_RACES_READ(x, ld, rows, n) ((void)0)
#define MO_RACES_WRITE(x, ld, rows, n) ((void)0)
#define MO_RACES_C(t) ((void)0)
#endif

#endif
