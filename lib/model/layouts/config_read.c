/* SPDX-License-Identifier: MIT
 * config_read.c - counts, sides and colours. */
#include "model/layouts/config_read.h"

const mo_json *mo_config_read_member(const mo_json *object, const char *key)
{
    const mo_json *v = mo_json_get(object, key);
    return mo_json_kind(v) == MO_JSON_NULL ? NULL : v;
}

mopd_status mo_config_read_u32(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out)
{
    size_t x = standard;
    mopd_status st = mo_json_may_size(o, key, path, &x);
    *out = (uint32_t)x; /* at most 2^31 - 1 */
    return st;
}

mopd_status mo_config_read_side(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out)
{
    const mo_json *v = mo_json_get(o, key);
    if (mo_json_kind(v) != MO_JSON_ARRAY) return mo_config_read_u32(o, key, path, standard, out);
    int64_t a = 0, b = 0;
    if (mo_json_count(v) != 2 || !mo_json_as_int(mo_json_item(v, 0), &a) ||
        !mo_json_as_int(mo_json_item(v, 1), &b) || a < 1 || a > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: %s: a side or two expected", path, key);
    if (a != b) return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s is not square", path, key);
    *out = (uint32_t)a;
    return MOPD_OK;
}

mopd_status mo_config_read_colours(
    double x[3], const mo_json *o, const char *where, const char *key, const char *path)
{
    const mo_json *v = mo_json_get(o, key);
    double one;
    if (mo_json_kind(v) == MO_JSON_NONE || mo_json_kind(v) == MO_JSON_NULL) return MOPD_OK;
    if (mo_json_as_number(v, &one)) {
        x[0] = x[1] = x[2] = one;
        return MOPD_OK;
    }
    for (size_t i = 0; i < 3; i++)
        if (mo_json_count(v) != 3 || !mo_json_as_number(mo_json_item(v, i), &x[i]))
            return mo_fail(MOPD_E_FORMAT, "%s: %s%s: three numbers expected", path, where, key);
    return MOPD_OK;
}
