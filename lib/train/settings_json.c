/* SPDX-License-Identifier: MIT
 * settings_json.c - settings as the JSON of a prompt file, and two such texts compared. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "format/json.h"
#include "train/settings.h"

/* Whole numbers beyond int64 stand as digits in quotes: JSON readers would round them. */
static void write_whole(mo_jsonw *w, uint64_t x)
{
    char digits[24];
    if (x <= INT64_MAX) {
        mo_jsonw_uint(w, x);
        return;
    }
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)x);
    mo_jsonw_string(w, digits);
}

static void write_row(mo_jsonw *w, const mo_setting *row, const mopd_trainer_options *o)
{
    mo_jsonw_key(w, row->info.name);
    switch (row->info.kind) {
    case MOPD_SETTING_COUNT:
        write_whole(w, mo_settings_whole(row, o));
        break;
    case MOPD_SETTING_REAL:
        mo_jsonw_float(w, mo_settings_real(row, o));
        break;
    case MOPD_SETTING_FLAG:
        mo_jsonw_bool(w, mo_settings_whole(row, o) != 0);
        break;
    case MOPD_SETTING_CHOICE:
        mo_jsonw_string(w, row->info.choices[mo_settings_whole(row, o)]);
        break;
    default:
        mo_jsonw_string(w, o->context);
    }
}

mopd_status mo_settings_json(const mo_settings *s, char **json)
{
    mo_buf text = {0};
    mo_jsonw w;
    const mo_setting *row;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    for (size_t i = 0; (row = mo_settings_row(i)); i++)
        if (!row->unrecorded && (!row->used || row->used(s->method))) write_row(&w, row, &s->o);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

/* The text of a single value as we write it. */
static void show(const mo_json *value, char out[64])
{
    const char *text = NULL;
    double x = 0;
    bool yes = false;
    if (mo_json_as_string(value, &text))
        snprintf(out, 64, "\"%.60s\"", text);
    else if (mo_json_as_number(value, &x))
        mo_jsonw_double_text(out, x);
    else if (mo_json_as_bool(value, &yes))
        snprintf(out, 64, "%s", yes ? "true" : "false");
    else
        snprintf(out, 64, "%s", value ? "null" : "nothing");
}

mopd_status mo_settings_same(const char *ours, const char *theirs, const char *path)
{
    if (!strcmp(ours, theirs)) return MOPD_OK;
    const mo_json *a = NULL, *b = NULL;
    mopd_status st = mo_json_parse(&a, ours, strlen(ours), "settings");
    if (st == MOPD_OK) st = mo_json_parse(&b, theirs, strlen(theirs), "mopd.settings");
    for (void *it = mo_json_first(a); it && st == MOPD_OK; it = mo_json_next(a, it)) {
        char x[64], y[64];
        show(mo_json_value(it), x);
        show(mo_json_get(b, mo_json_key(it)), y);
        if (strcmp(x, y) != 0)
            st = mo_fail(
                MOPD_E_MISMATCH, "%s: was made with %s %s, the trainer has %s", path, mo_json_key(it), y, x);
    }
    mo_json_close(a);
    mo_json_close(b);
    if (st == MOPD_E_FORMAT) return mo_fail_at(st, "%s", path);
    return st != MOPD_OK ? st
                         : mo_fail(MOPD_E_MISMATCH, "%s: was made with other settings: %s", path, theirs);
}
