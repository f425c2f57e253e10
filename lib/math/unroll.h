/* SPDX-License-Identifier: MIT
 * unroll.h - UNROLL before a loop of a tile: written out whole, so that its sums stay in registers.
 *
 * Under a sanitizer loops stay loops: every load is checked there, and the tiles written out take minutes to compile. */
#ifndef MO_MATH_UNROLL_H
#define MO_MATH_UNROLL_H

#if defined(MOPD_SANITIZED) && defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(disable)")
#define UNROLLED(steps) 1
#elif defined(MOPD_SANITIZED)
#define UNROLL _Pragma("GCC unroll 1")
#define UNROLLED(steps) 1
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLLED(steps) (steps)
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLLED(steps) (steps)
#endif

#endif
