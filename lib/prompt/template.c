/* SPDX-License-Identifier: MIT
 * template.c - class names put into hard prompts; the task pools of MoPD's eleven datasets.
 *
 * A pool is 12 prompts from two patterns: 3 direct ones, one per medium, then for each medium
 * the three verbs.  The articles are those of the released method, "a aircraft" and "a person
 * doing, classified" included. */
#include "prompt/template.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define SAYS(medium, rest)                                                                                   \
    medium rest ", classified as {}.", medium rest ", categorized as {}.", medium rest ", labeled as {}."
#define POOL_OF(photo, picture, image, direct, indirect)                                                     \
    {                                                                                                        \
        photo direct, picture direct, image direct, SAYS(photo, indirect), SAYS(picture, indirect),          \
            SAYS(image, indirect)                                                                            \
    }
#define POOL(direct, indirect) POOL_OF("a photo", "a picture", "an image", direct, indirect)

static const char *const plain[] = POOL(" of a {}.", "");
static const char *const pets[] = POOL(" of a {}, a type of pet.", " of a pet");
static const char *const flowers[] = POOL(" of a {}, a type of flower.", " of a flower");
static const char *const aircraft[] = POOL(" of a {}, a type of aircraft.", " of a aircraft");
static const char *const textures[] = POOL(" of {}, a type of texture.", " of a texture");
static const char *const food[] = POOL(" of {}, a type of food.", " of food");
static const char *const actions[] = POOL(" of a person doing {}.", " of a person doing");
static const char *const satellite[] = POOL_OF("a centered satellite photo", "a centered satellite picture",
    "a centered satellite image", " of {}.", "");

_Static_assert(sizeof plain == MO_POOL_SIZE * sizeof *plain, "12 prompts a pool");

static const struct pool {
    const char *name;
    const char *const *templates;
} pools[] = {
    {"imagenet", plain},
    {"caltech101", plain},
    {"oxfordpets", pets},
    {"stanfordcars", plain},
    {"flowers102", flowers},
    {"food101", food},
    {"fgvcaircraft", aircraft},
    {"sun397", plain},
    {"dtd", textures},
    {"eurosat", satellite},
    {"ucf101", actions},
};

static bool same_name(const char *a, const char *lower)
{
    for (; *a && *lower; a++, lower++)
        if ((*a >= 'A' && *a <= 'Z' ? *a + 32 : *a) != *lower) return false;
    return *a == *lower;
}

mopd_status mo_template_pool(const char *name, const char *const **templates, size_t *n)
{
    char known[256] = "";
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (same_name(name, pools[i].name)) {
            *templates = pools[i].templates;
            *n = MO_POOL_SIZE;
            return MOPD_OK;
        }
        strcat(known, i ? ", " : "");
        strcat(known, pools[i].name);
    }
    *templates = NULL;
    *n = 0;
    return mo_fail(MOPD_E_ARG, "no templates for \"%.100s\"; known are %s", name, known);
}

mopd_status mo_template_check(const char *template, size_t index)
{
    if (!template) return mo_fail(MOPD_E_ARG, "template %zu is NULL", index);
    size_t n = strlen(template);
    size_t good = mo_utf8_prefix(template, n);
    if (good != n) return mo_fail(MOPD_E_ARG, "template %zu is not UTF-8 at byte %zu", index, good);
    if (!strstr(template, "{}"))
        return mo_fail(MOPD_E_ARG, "template %zu, \"%.200s\", has no {} for the class name", index, template);
    return MOPD_OK;
}

mopd_status mo_template_fill(const char *template, const char *class_name, mo_buf *out)
{
    size_t n_name = strlen(class_name);
    for (const char *hole; (hole = strstr(template, "{}")); template = hole + 2) {
        mopd_status st = mo_buf_add(out, template, (size_t)(hole - template));
        if (st == MOPD_OK) st = mo_buf_add(out, class_name, n_name);
        if (st != MOPD_OK) return st;
        for (char *p = out->data + out->size - n_name; *p; p++)
            if (*p == '_') *p = ' ';
    }
    return mo_buf_adds(out, template);
}
