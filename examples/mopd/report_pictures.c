/* SPDX-License-Identifier: MIT
 * report_pictures.c - the most confused pairs of classes, and the training pictures whose label is likely wrong, each
 * with pictures. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { MOST_PAIRS = 8, WRONG_SHOTS = 4, RIGHT_SHOTS = 2, MOST_SUSPECTS = 24 };

static void show_picture(FILE *f, const mopd_dataset *data, size_t index, const char *what, size_t *room)
{
    mopd_item item = {.struct_size = sizeof item};
    if (mopd_dataset_get_item(data, index, &item) != MOPD_OK) return;
    size_t n = strlen(what) + strlen(item.path) + 4;
    char *caption = cli_alloc(n, 1);
    snprintf(caption, n, "%s: %s", what, item.path);
    page_picture(f, data, index, caption, room);
    free(caption);
}

/* Up to `most` pictures of class `is` that were taken for class `said`, with the probability of that. */
static void show_pictures(FILE *f, const report *r, size_t is, size_t said, size_t most, size_t *room)
{
    mopd_dataset_info info = cli_data_info(r->data);
    const int32_t *label = mopd_dataset_labels(r->data);
    char what[32];
    for (size_t i = 0; i < info.n_items && most; i++) {
        if ((size_t)label[i] != is || r->best[i].index != said) continue;
        snprintf(what, sizeof what, "%s, %.0f %%", is == said ? "right" : "wrong",
            100 * (double)r->best[i].probability);
        show_picture(f, r->data, i, what, room);
        most--;
    }
}

void report_confusions(FILE *f, const report *r)
{
    size_t n, room = PAGE_ROOM;
    cli_pair *pair = cli_score_pairs(r->score, MOST_PAIRS, &n);
    fputs("<h2>Most confused</h2>\n", f);
    if (!n) fputs("<p>No picture was taken for another class.</p>\n", f);
    for (size_t i = 0; i < n; i++) {
        fputs("<div class=\"pair\"><b>", f);
        page_text(f, mopd_dataset_class_name(r->data, pair[i].is));
        fputs("</b> taken for <b>", f);
        page_text(f, mopd_dataset_class_name(r->data, pair[i].said));
        fprintf(f, "</b>, %u time%s\n<div class=\"shots\">\n", pair[i].n, pair[i].n == 1 ? "" : "s");
        show_pictures(f, r, pair[i].is, pair[i].said, WRONG_SHOTS, &room);
        show_pictures(f, r, pair[i].said, pair[i].said, RIGHT_SHOTS, &room);
        fputs("</div></div>\n", f);
    }
    free(pair);
}

static void show_suspect(FILE *f, const report *r, const mopd_suspect *s, size_t *room)
{
    const char *is = mopd_dataset_class_name(r->learned, (size_t)s->label),
               *other = mopd_dataset_class_name(r->learned, (size_t)s->other);
    size_t n = strlen(is) + strlen(other) + 64;
    char *what = cli_alloc(n, 1);
    snprintf(what, n, "%s (%.2g %%), likelier %s", is, 100 * s->probability, other);
    show_picture(f, r->learned, (size_t)s->index, what, room);
    free(what);
}

void report_suspects(FILE *f, const report *r)
{
    size_t room = PAGE_ROOM, n = r->n_suspects < MOST_SUSPECTS ? r->n_suspects : MOST_SUSPECTS;
    fputs("<h2>Training pictures whose label looks wrong</h2>\n", f);
    if (r->no_suspects) {
        fputs("<p>", f);
        page_text(f, r->no_suspects);
        fputs(".</p>\n", f);
        return;
    }
    fputs("<p>Each was left out in its turn; from the others its label is unlikely. ", f);
    if (!n) {
        fputs("No label looks wrong.</p>\n", f);
        return;
    }
    fprintf(f, "With labels that are all right, up to %.0f such pictures are to be expected. ", r->alarms);
    if (n < r->n_suspects) fprintf(f, "The first %zu of %zu: ", n, r->n_suspects);
    fputs("<code>mopd doctor</code> looks for more faults.</p>\n<div class=\"shots\" id=\"suspects\">\n", f);
    for (size_t i = 0; i < n; i++) show_suspect(f, r, r->suspect + i, &room);
    fputs("</div>\n", f);
}
