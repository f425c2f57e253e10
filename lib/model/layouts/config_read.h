/* SPDX-License-Identifier: MIT
 * config_read.h - values that several layouts write into their JSON files in the same ways. */
#ifndef MO_MODEL_LAYOUTS_CONFIG_READ_H
#define MO_MODEL_LAYOUTS_CONFIG_READ_H

#include <stdint.h>

#include "format/json.h"

/* A member with another value than null, or NULL. */
const mo_json *mo_config_read_member(const mo_json *object, const char *key);

/* A count that may be missing; a side given as one number or as [side, side]. */
mopd_status mo_config_read_u32(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out);
mopd_status mo_config_read_side(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out);

/* One number for all colours or three; x is left alone where the key is missing or null.  `where` stands before
 * the key in messages. */
mopd_status mo_config_read_colours(
    double x[3], const mo_json *o, const char *where, const char *key, const char *path);

#endif
