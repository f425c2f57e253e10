/* SPDX-License-Identifier: MIT
 * fuzz_bank.c - lines as class names, from the second empty line on as templates: what the command reads from files. */
#include "fuzz.h"
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 16

typedef struct lines {
    const char *line[MAX_LINES];
    size_t n;
} lines;

/* The lines in a block that ends behind the last one. */
static const char **exact(const lines *l)
{
    const char **list = malloc(l->n ? l->n * sizeof *list : 1);
    FUZZ_MUST(list);
    memcpy(list, l->line, l->n * sizeof *list);
    return list;
}

/* Cuts the text, which a zero byte ends, into lines; an empty line ends the first list. */
static void cut(char *text, lines *classes, lines *templates)
{
    lines *to = classes;
    for (char *at = text; at;) {
        char *next = strchr(at, '\n');
        if (next) *next++ = 0;
        if (!*at && to == classes)
            to = templates;
        else if (to->n < MAX_LINES)
            to->line[to->n++] = at;
        at = next;
    }
}

void fuzz_one(const uint8_t *data, size_t n)
{
    lines classes = {.n = 0}, templates = {.n = 0};
    char *text = malloc(n + 1);
    FUZZ_MUST(text);
    if (n) memcpy(text, data, n);
    text[n] = 0;
    cut(text, &classes, &templates);
    const char **class_list = exact(&classes), **template_list = exact(&templates);
    mopd_bank *bank = NULL;
    const mopd_encoder *encoder = fuzz_encoder();
    if (FUZZ_READ(
            mopd_bank_create(&bank, encoder, class_list, classes.n, template_list, templates.n), bank)) {
        FUZZ_MUST(mopd_bank_n_classes(bank) == classes.n);
        for (size_t i = 0; i < classes.n * mopd_bank_dim(bank); i++)
            FUZZ_MUST(isfinite(mopd_bank_features(bank)[i]));
    }
    mopd_bank_free(bank);
    free(class_list);
    free(template_list);
    free(text);
}
