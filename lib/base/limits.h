/* SPDX-License-Identifier: MIT
 * limits.h - what files may be and take in this process: the numbers of mopd_limits, which a host may change.
 *
 * A reader asks before it allocates.  Each limit is read by itself, from any thread. */
#ifndef MO_BASE_LIMITS_H
#define MO_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

/* Limit, its field in mopd_limits, its number where nobody has set one. */
#define MO_LIMITS(X)                                                                                         \
    X(MO_LIMIT_PIXELS, max_pixels, UINT64_C(178956970))                                                      \
    X(MO_LIMIT_PICTURE_FILE, picture_file_bytes, UINT64_C(1) << 32)                                          \
    X(MO_LIMIT_TEXT_FILE, text_file_bytes, UINT64_C(1) << 30)                                                \
    X(MO_LIMIT_HEADER, header_bytes, UINT64_C(100000000))                                                    \
    X(MO_LIMIT_TENSORS, tensors, UINT64_C(1) << 18)                                                          \
    X(MO_LIMIT_READING, reading_memory, UINT64_C(192) << 20)                                                 \
    X(MO_LIMIT_TOWER, tower_memory, UINT64_C(256) << 20)

#define MO_LIMITS_ENUM(limit, field, preset) limit,
typedef enum mo_limit { MO_LIMITS(MO_LIMITS_ENUM) MO_N_LIMITS } mo_limit;
#undef MO_LIMITS_ENUM

uint64_t mo_limits_get(mo_limit limit);
void mo_limits_set(mo_limit limit, uint64_t value);
uint64_t mo_limits_preset(mo_limit limit);
const char *mo_limits_name(mo_limit limit); /* of its field */

/* The same as a size_t: no more than the half of all addresses. */
size_t mo_limits_size(mo_limit limit);

/* UNSUPPORTED for more than the limit: "PATH: 300000 tensors, the limit tensors is 262144", with what = "tensors". */
mopd_status mo_limits_check(mo_limit limit, uint64_t n, const char *path, const char *what);

/* Memory that reading n bytes may take: some bytes for each of them, but reading_memory for few. */
size_t mo_limits_reading(size_t n_bytes);

/* UNSUPPORTED where reading n_bytes of a file would take more: what it has so much of is named. */
mopd_status mo_limits_check_reading(size_t n_bytes, uint64_t memory, const char *path, const char *what);

#endif
