/* SPDX-License-Identifier: MIT
 * half.h - half-precision formats: IEEE 754 binary16 and bfloat16. */
#ifndef MO_BASE_HALF_H
#define MO_BASE_HALF_H

#include <stdint.h>

float mo_half_f16_to_f32(uint16_t h);
uint16_t mo_half_f32_to_f16(float f); /* to nearest even; too large becomes infinite */
float mo_half_bf16_to_f32(uint16_t b);
uint16_t mo_half_f32_to_bf16(float f); /* to nearest even; NaN stays NaN */

#endif
