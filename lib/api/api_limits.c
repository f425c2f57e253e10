/* SPDX-License-Identifier: MIT
 * api_limits.c - include/mopd/runtime.h: what files may be and take, as a struct, by name, and for the process. */
#include "api/api.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "mopd/mopd.h"

#define FIELD(limit, field, preset) [limit] = offsetof(mopd_limits, field),
static const size_t fields[MO_N_LIMITS] = {MO_LIMITS(FIELD)};

static void put(mopd_limits *limits, mo_limit which, uint64_t value)
{
    memcpy((char *)limits + fields[which], &value, sizeof value);
}

static uint64_t get(const mopd_limits *limits, mo_limit which)
{
    uint64_t value;
    memcpy(&value, (const char *)limits + fields[which], sizeof value);
    return value;
}

static mopd_limits presets(void)
{
    mopd_limits limits = {.struct_size = sizeof limits};
    for (int i = 0; i < MO_N_LIMITS; i++) put(&limits, (mo_limit)i, mo_limits_preset((mo_limit)i));
    return limits;
}

mopd_status mopd_limits_init(mopd_limits *limits, size_t struct_size)
{
    const mopd_limits defaults = presets();
    MO_API_NEED(limits);
    return mo_api_init(__func__, MO_API_mopd_limits, limits, struct_size, &defaults);
}

/* ---- by name ---- */

static bool is_name(const char *name, const char *field)
{
    for (; *name && *field; name++, field++)
        if (*name != *field && !(*name == '-' && *field == '_')) return false;
    return !*name && !*field;
}

static mopd_status unknown_name(const char *name)
{
    char list[256] = "";
    for (int i = 0, at = 0; i < MO_N_LIMITS; i++)
        at +=
            snprintf(list + at, sizeof list - (size_t)at, "%s%s", i ? ", " : "", mo_limits_name((mo_limit)i));
    return mo_fail(MOPD_E_ARG, "there is no limit '%.60s': %s", name, list);
}

/* The number that stands in front of a unit, in digits and at most one point, whatever the locale; the rest. */
static const char *read_number(const char *text, double *out)
{
    double place = 0;
    const char *at = text;
    for (*out = 0; (*at >= '0' && *at <= '9') || (*at == '.' && place <= 0); at++) {
        if (*at == '.') {
            place = 1;
            continue;
        }
        *out = *out * 10 + (*at - '0');
        place *= 10;
    }
    if (place > 0) *out /= place;
    return at == text || at[-1] == '.' ? NULL : at;
}

/* k, M, G, T, or Ki, Mi, Gi, Ti; 0 for another text. */
static double read_unit(const char *text)
{
    static const char letters[] = "kMGT";
    const char letter = *text == 'K' ? 'k' : *text;
    const char *at = letter ? strchr(letters, letter) : NULL;
    if (!letter) return 1;
    const bool binary = text[1] == 'i';
    if (!at || text[binary ? 2 : 1]) return 0;
    return pow(binary ? 1024 : 1000, (double)(at - letters + 1));
}

mopd_status mopd_limits_set(mopd_limits *limits, const char *name, const char *value)
{
    const mopd_limits defaults = presets();
    mopd_limits known;
    double x = 0;
    MO_API_NEED(limits);
    MO_API_NEED(name);
    MO_API_NEED(value);
    mopd_status st = mo_api_read(__func__, MO_API_mopd_limits, &known, limits, &defaults);
    if (st != MOPD_OK) return st;
    int which = 0;
    while (which < MO_N_LIMITS && !is_name(name, mo_limits_name((mo_limit)which))) which++;
    if (which == MO_N_LIMITS) return unknown_name(name);
    const char *unit = read_number(value, &x);
    if (unit) x *= read_unit(unit);
    if (!unit || !(x >= 1 && x < 0x1p63))
        return mo_fail(MOPD_E_ARG, "limit %s: '%.60s' is no number above 0, such as 50000000, 50M or 64Mi",
            mo_limits_name((mo_limit)which), value);
    put(&known, (mo_limit)which, (uint64_t)x);
    return mo_api_give(__func__, MO_API_mopd_limits, limits, &known);
}

/* ---- for the process ---- */

mopd_status mopd_runtime_set_limits(const mopd_limits *limits)
{
    const mopd_limits defaults = presets();
    mopd_limits own;
    mopd_status st = mo_api_read(__func__, MO_API_mopd_limits, &own, limits, &defaults);
    if (st != MOPD_OK) return st;
    for (int i = 0; i < MO_N_LIMITS; i++)
        if (!get(&own, (mo_limit)i))
            return mo_fail(
                MOPD_E_ARG, "%s: %s is 0: nothing could be read", __func__, mo_limits_name((mo_limit)i));
    for (int i = 0; i < MO_N_LIMITS; i++) mo_limits_set((mo_limit)i, get(&own, (mo_limit)i));
    return MOPD_OK;
}

mopd_status mopd_runtime_get_limits(mopd_limits *limits)
{
    mopd_limits now = {.struct_size = sizeof now};
    MO_API_NEED(limits);
    for (int i = 0; i < MO_N_LIMITS; i++) put(&now, (mo_limit)i, mo_limits_get((mo_limit)i));
    return mo_api_give(__func__, MO_API_mopd_limits, limits, &now);
}
