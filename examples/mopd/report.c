/* SPDX-License-Identifier: MIT
 * report.c - the page of a training from top to bottom: first what a user asks, then how it came about. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static void setting(FILE *f, const char *name, const json_t *value)
{
    fputs("<tr><td>", f);
    page_text(f, name);
    fputs("</td><td class=\"left\">", f);
    if (json_is_string(value)) {
        page_text(f, json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        page_text(f, text ? text : "");
        free(text);
    }
    fputs("</td></tr>\n", f);
}

static void settings_of(FILE *f, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) setting(f, name, value);
}

static void text_setting(FILE *f, const char *name, const char *text)
{
    json_t *value = cli_json_text(text);
    setting(f, name, value);
    json_decref(value);
}

/* All that one needs to do it again. */
static void show_settings(FILE *f, const report *r)
{
    char *text = NULL;
    json_t *all = mopd_prompt_describe(r->prompt, &text) == MOPD_OK ? json_loads(text, 0, NULL) : NULL;
    fputs("<h2>Settings and data</h2>\n<table>\n", f);
    text_setting(f, "data", r->path);
    text_setting(f, "model", r->model ? r->model : "built-in");
    if (all) {
        setting(f, "fingerprint", json_object_get(all, "fingerprint"));
        settings_of(f, json_object_get(all, "settings"));
        settings_of(f, json_object_get(all, "data"));
    }
    fputs("</table>\n", f);
    json_decref(all);
    mopd_free(text);
}

static void write_body(FILE *f, const void *context)
{
    const report *r = context;
    report_accuracy(f, r);
    report_classes(f, r);
    report_confusions(f, r);
    report_suspects(f, r);
    report_curves(f, r);
    report_gate(f, r);
    show_settings(f, r);
    page_made(f, r->seconds);
}

int report_write(const char *path, const report *r)
{
    return page_write(path, "mopd training report", write_body, r);
}
