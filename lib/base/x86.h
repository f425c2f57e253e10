/* SPDX-License-Identifier: MIT
 * x86.h - what a processor of x86-64 has, on a system that keeps the registers.  Compilers have a word for that, too, but what it
 * asks lies in a library of theirs, which not each of them brings for each system. */
#ifndef MO_BASE_X86_H
#define MO_BASE_X86_H

#include <stdbool.h>

typedef enum mo_x86_set {
    MO_X86_AVX2 = 1,   /* and FMA */
    MO_X86_AVX512 = 2, /* all of it that servers have had since 2017 (F, BW, VL, DQ), and AVX2 */
    MO_X86_VNNI = 4    /* of registers of 512 bits, and AVX512 */
} mo_x86_set;

/* Asked once: a virtual machine takes long to answer.  False on any other processor. */
bool mo_x86_has(mo_x86_set set);

/* The sets that these words of cpuid (leaf 1's c, leaf 7's b and c) and of xgetbv mean. */
int mo_x86_sets(unsigned leaf_1c, unsigned kept, unsigned leaf_7b, unsigned leaf_7c);

#endif
