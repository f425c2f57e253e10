/* SPDX-License-Identifier: MIT
 * naming.c - patterns of one * matched and filled in. */
#include "clip/naming.h"

#include <stdio.h>
#include <string.h>

/* Whether name fits; *text and *n are what the * stands for, "" without one. */
static bool fits(const char *pattern, const char *name, const char **text, size_t *n)
{
    const char *star = strchr(pattern, '*');
    *text = "";
    *n = 0;
    if (!star) return !strcmp(pattern, name);
    size_t before = (size_t)(star - pattern), after = strlen(star + 1), all = strlen(name);
    if (all < before + after || memcmp(pattern, name, before) != 0 ||
        strcmp(name + all - after, star + 1) != 0)
        return false;
    *text = name + before;
    *n = all - before - after;
    return true;
}

static void fill(char out[MO_NAMING_LONGEST], const char *pattern, const char *text, size_t n)
{
    const char *star = strchr(pattern, '*');
    if (star)
        snprintf(
            out, MO_NAMING_LONGEST, "%.*s%.*s%s", (int)(star - pattern), pattern, (int)n, text, star + 1);
    else
        snprintf(out, MO_NAMING_LONGEST, "%s", pattern);
}

static int ones_before(const mo_naming *naming, const char *stored)
{
    for (size_t i = 0; i < naming->n_led; i++)
        if (!strcmp(naming->led[i].stored, stored)) return naming->led[i].ones;
    return 0;
}

void mo_naming_find(mo_naming_place *out, const mo_naming *naming, const char *name)
{
    const char *text;
    size_t n;
    *out = (mo_naming_place){.panels = naming->panels};
    for (size_t i = 0; i < naming->n_rules; i++) {
        const mo_naming_rule *r = &naming->rule[i];
        if (!fits(r->name, name, &text, &n)) continue;
        fill(out->name, r->stored, text, n);
        out->part = r->part;
        out->parts = r->parts;
        out->in_out = r->in_out;
        out->led = ones_before(naming, out->name);
        return;
    }
    snprintf(out->name, sizeof out->name, "%s", name);
}

bool mo_naming_ignores(const mo_naming *naming, const char *stored)
{
    const char *text;
    size_t n;
    for (size_t i = 0; i < naming->n_ignored; i++)
        if (fits(naming->ignored[i], stored, &text, &n)) return true;
    return false;
}
