/* SPDX-License-Identifier: MIT
 * doctor_page.c - the findings as a page with the pictures. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "page.h"

enum { MOST_SHOWN = 48, MOST_PAIRS = 12 };

typedef struct sheet {
    const doctor *d;
    size_t *room;
} sheet;

static const char *name_of(const doctor *d, size_t c)
{
    return mopd_dataset_class_name(d->all, c);
}

static void heading(FILE *f, const char *text, size_t n)
{
    fprintf(f, "<h2>%s: ", text);
    fprintf(f, n ? "%zu</h2>\n" : "none</h2>\n", n);
}

static void rest(FILE *f, size_t n, size_t most)
{
    if (n > most)
        fprintf(f, "<p>%zu more are not shown; <code>--format json</code> has all.</p>\n", n - most);
}

static void show_picture(FILE *f, const sheet *s, size_t i, const char *before)
{
    const mopd_item item = doctor_item(s->d, i);
    const size_t n = strlen(before) + strlen(item.path) + 4;
    char *caption = cli_alloc(n, 1);
    snprintf(caption, n, "%s%s%s", before, *before ? ": " : "", item.path);
    page_picture(f, s->d->all, i, caption, s->room);
    free(caption);
}

static void facts(FILE *f, const doctor *d)
{
    fputs("<div class=\"facts\">\n", f);
    fprintf(f, "<div><b>%zu</b><span>pictures</span></div>\n<div><b>%zu</b><span>classes</span></div>\n",
        d->n, d->n_classes);
    if (!d->unjudged) {
        fprintf(f, "<div><b>%.1f&nbsp;%%</b><span>accuracy by leaving one out</span></div>\n",
            100 * d->info.loo_accuracy);
        fprintf(f, "<div><b>%.1f to %.1f&nbsp;%%</b><span>its 95&nbsp;%% interval</span></div>\n",
            100 * d->info.loo_low, 100 * d->info.loo_high);
    }
    if (d->has_more)
        fprintf(f, "<div><b>+%.0f to +%.0f</b><span>points from twice the pictures</span></div>\n",
            100 * d->more_low, 100 * d->more_high);
    fputs("</div>\n", f);
}

static void suspects(FILE *f, const sheet *s)
{
    const doctor *d = s->d;
    char text[160];
    heading(f, "Labels that look wrong", d->n_suspects);
    if (d->unjudged) fprintf(f, "<p>Not judged: %s.</p>\n", d->unjudged);
    if (!d->n_suspects) return;
    fprintf(f, "<p>Up to %.0f are to be expected where all labels are right.</p>\n<div class=\"shots\">\n",
        d->alarms * (double)d->n);
    for (size_t i = 0; i < d->n_suspects && i < MOST_SHOWN; i++) {
        const doctor_suspect *x = d->suspect + i;
        snprintf(text, sizeof text, "%.50s (%.2g %%), likelier %.50s (%.1f %%)", name_of(d, (size_t)x->label),
            100 * x->probability, name_of(d, (size_t)x->other), 100 * x->other_probability);
        show_picture(f, s, x->index, text);
    }
    fputs("</div>\n", f);
    rest(f, d->n_suspects, MOST_SHOWN);
}

static void copies(FILE *f, const sheet *s)
{
    const doctor *d = s->d;
    heading(f, "Pictures that are there twice", d->n_copies);
    for (size_t i = 0; i < d->n_copies && i < MOST_SHOWN; i++) {
        const doctor_copy *c = d->copy + i;
        fprintf(f, "<div class=\"pair\"><b>%s</b>", c->exact ? "the same file" : "nearly the same");
        if (d->label[c->first] != d->label[c->second]) fputs(", <b>in two classes</b>", f);
        if (doctor_item(d, c->first).split != doctor_item(d, c->second).split)
            fputs(", <b>in two splits</b>: what is tested was learned", f);
        fputs("\n<div class=\"shots\">\n", f);
        show_picture(f, s, c->first, "");
        show_picture(f, s, c->second, "");
        fputs("</div></div>\n", f);
    }
    rest(f, d->n_copies, MOST_SHOWN);
}

static void looks(FILE *f, const sheet *s)
{
    const doctor *d = s->d;
    size_t shown = 0;
    char text[64];
    if (!d->n_looked) {
        fputs(
            "<h2>Tiny or blurred pictures</h2>\n<p>The pictures are not at hand, only their features.</p>\n",
            f);
        return;
    }
    heading(f, "Tiny or blurred pictures", d->n_tiny + d->n_blurred);
    fputs("<div class=\"shots\">\n", f);
    for (size_t i = 0; i < d->n && shown < MOST_SHOWN; i++) {
        const doctor_look *l = d->look + i;
        if (!l->tiny && !l->blurred) continue;
        snprintf(text, sizeof text, "%zu x %zu%s", l->width, l->height, l->blurred ? ", blurred" : "");
        show_picture(f, s, i, text);
        shown++;
    }
    fputs("</div>\n", f);
    rest(f, d->n_tiny + d->n_blurred, MOST_SHOWN);
}

static void unreadable(FILE *f, const doctor *d)
{
    heading(f, "Pictures that cannot be read", d->bad.n);
    if (d->bad.n) fputs("<ul>\n", f);
    for (size_t i = 0; i < d->bad.n && i < MOST_SHOWN; i++) {
        fputs("<li>", f);
        page_text(f, d->bad.item[i]);
        fputs("</li>\n", f);
    }
    if (d->bad.n) fputs("</ul>\n", f);
    rest(f, d->bad.n, MOST_SHOWN);
}

static void names(FILE *f, const doctor *d)
{
    heading(f, "Classes with nearly the same name", d->n_names);
    for (size_t i = 0; i < d->n_names && i < MOST_SHOWN; i++) {
        fputs("<p><b>", f);
        page_text(f, name_of(d, d->names[i].first));
        fputs("</b> and <b>", f);
        page_text(f, name_of(d, d->names[i].second));
        fprintf(f, "</b>: cosine of their texts %.3f</p>\n", d->names[i].cosine);
    }
    rest(f, d->n_names, MOST_SHOWN);
}

/* -- classes, the worst first --------------------------------------------------------------------------------- */

typedef struct ranked {
    size_t c;
    double percent; /* 101: not judged */
} ranked;

static int worst_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->percent < y->percent || y->percent < x->percent) return x->percent < y->percent ? -1 : 1;
    return (x->c > y->c) - (x->c < y->c);
}

static void show_class(FILE *f, const doctor *d, const ranked *r)
{
    const doctor_class *k = d->class + r->c;
    double low = 0, high = 0;
    fputs("<tr><td>", f);
    page_text(f, name_of(d, r->c));
    fprintf(f, "</td><td class=\"num\">%zu%s</td>", k->n, doctor_is_few(d, r->c) ? ": too few" : "");
    if (!k->n_judged) {
        fputs("<td>-</td><td class=\"bar\"></td></tr>\n", f);
        return;
    }
    mopd_accuracy_interval(k->correct, k->n_judged, &low, &high);
    fprintf(f, "<td class=\"num\">%.1f&nbsp;%%</td><td class=\"bar\">", r->percent);
    page_bar(f, r->percent, low, high);
    fputs("</td></tr>\n", f);
}

static void classes(FILE *f, const doctor *d)
{
    ranked *list = cli_alloc(d->n_classes, sizeof *list);
    for (size_t c = 0; c < d->n_classes; c++) {
        const doctor_class *k = d->class + c;
        list[c] = (ranked){c, k->n_judged ? 100.0 * (double)k->correct / (double)k->n_judged : 101};
    }
    qsort(list, d->n_classes, sizeof *list, worst_first);
    fputs("<h2>Classes, the worst first</h2>\n<table "
          "id=\"classes\">\n<thead><tr><th>class</th><th>pictures</th>"
          "<th>right</th><th></th></tr></thead>\n<tbody>\n",
        f);
    for (size_t i = 0; i < d->n_classes; i++) show_class(f, d, list + i);
    fputs("</tbody></table>\n", f);
    free(list);
}

static void confusions(FILE *f, const doctor *d)
{
    size_t n;
    const cli_score score = {.n_classes = d->n_classes, .confusion = d->confusion};
    cli_pair *pair = cli_score_pairs(&score, MOST_PAIRS, &n);
    heading(f, "Classes taken for each other", n);
    for (size_t i = 0; i < n; i++) {
        fputs("<p><b>", f);
        page_text(f, name_of(d, pair[i].is));
        fputs("</b> taken for <b>", f);
        page_text(f, name_of(d, pair[i].said));
        fprintf(f, "</b>: %u</p>\n", pair[i].n);
    }
    free(pair);
}

static void write_body(FILE *f, const void *context)
{
    const doctor *d = context;
    size_t room = PAGE_ROOM;
    const sheet s = {d, &room};
    facts(f, d);
    suspects(f, &s);
    copies(f, &s);
    looks(f, &s);
    unreadable(f, d);
    classes(f, d);
    confusions(f, d);
    names(f, d);
    fputs("<p>Data: ", f);
    page_text(f, d->data.path);
    fputs("</p>\n", f);
    page_made(f, d->seconds);
}

int doctor_write_page(const doctor *d)
{
    return page_write(d->report, "mopd doctor", write_body, d);
}
