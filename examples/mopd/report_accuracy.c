/* SPDX-License-Identifier: MIT
 * report_accuracy.c - how good it is: beside methods that need no training, on the same pictures; then class by class. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static double percent(uint64_t correct, uint64_t n)
{
    return n ? 100.0 * (double)correct / (double)n : 0;
}

static void fact(FILE *f, const char *name, const char *format, double value)
{
    fputs("<div><b>", f);
    fprintf(f, format, value);
    fprintf(f, "</b><span>%s</span></div>\n", name);
}

static void facts(FILE *f, const report *r)
{
    double low, high;
    const mopd_metrics *m = &r->score->metrics;
    mopd_accuracy_interval(m->correct, m->n, &low, &high);
    fputs("<div class=\"facts\">\n", f);
    fact(f, "accuracy", "%.1f&nbsp;%%", m->accuracy);
    fprintf(f, "<div><b>%.1f to %.1f&nbsp;%%</b><span>its 95&nbsp;%% interval</span></div>\n", low, high);
    fact(f, "macro F1", "%.1f&nbsp;%%", m->macro_f1);
    fact(f, "calibration error", "%.1f&nbsp;%%", r->score->ece);
    fact(f, r->scored_on, "%.0f", (double)m->n);
    fact(f, "classes", "%.0f", (double)r->score->n_classes);
    fputs("</div>\n", f);
    if (r->seen)
        fputs("<p><b>There are no test pictures.</b> These are the ones that were learned from; unseen ones "
              "will do "
              "worse.</p>\n",
            f);
}

/* -- the table of methods ------------------------------------------------------------------------------------ */

static void show_row(FILE *f, const report_row *row, bool own)
{
    double low = 0, high = 0;
    fprintf(f, "<tr%s><td>", own ? " class=\"own\"" : "");
    page_text(f, row->name);
    if (row->note) {
        fputs("<small class=\"wide\"><br>", f);
        page_text(f, row->note);
        fputs("</small>", f);
    }
    if (!row->n) {
        fputs("</td><td>-</td><td>-</td><td class=\"bar\"></td></tr>\n", f);
        return;
    }
    mopd_accuracy_interval(row->correct, row->n, &low, &high);
    fprintf(f,
        "</td><td class=\"num\">%.1f&nbsp;%%</td><td class=\"num\">%.1f&ndash;%.1f</td><td class=\"bar\">",
        percent(row->correct, row->n), low, high);
    page_bar(f, percent(row->correct, row->n), low, high);
    fputs("</td></tr>\n", f);
}

/* How often chance alone makes two equally good methods differ so much: a and b are the pictures that one of them alone
 * finds right (exact sign test, McNemar 1947), in percent. */
static double chance(uint64_t a, uint64_t b)
{
    const double n = (double)(a + b), few = (double)(a < b ? a : b);
    double sum = 0;
    for (double k = 0; k <= few; k++)
        sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
    return 100 * fmin(1, 2 * sum);
}

/* The best of the others that was measured picture by picture; NULL: none was. */
static const report_row *best_rival(const report *r)
{
    const report_row *best = NULL;
    for (const report_row *row = r->row + 1; row < r->row + REPORT_ROWS; row++)
        if (row->n && row->predicted && (!best || row->correct >= best->correct)) best = row;
    return best;
}

static void verdict(FILE *f, const report *r)
{
    const report_row *rival = best_rival(r);
    const int32_t *label = mopd_dataset_labels(r->data);
    uint64_t ours = 0, theirs = 0;
    if (!rival) return;
    for (size_t i = 0; i < rival->n; i++) {
        bool we = r->row->predicted[i] == label[i], they = rival->predicted[i] == label[i];
        ours += we && !they;
        theirs += they && !we;
    }
    fprintf(f,
        "<p>Of the others, <b>%s</b> does best. %llu pictures are right with it alone, %llu with the prompt "
        "alone. ",
        rival->name, (unsigned long long)theirs, (unsigned long long)ours);
    const double p = chance(ours, theirs);
    if (p < 5)
        fprintf(f, "So <b>%s</b> is the better one here", theirs > ours ? rival->name : "the prompt");
    else
        fputs("That does not tell which one is better", f);
    if (p < 0.1)
        fputs(" (chance alone does that in less than 0.1&nbsp;% of cases).</p>\n", f);
    else
        fprintf(f, " (chance alone does that in %.2g&nbsp;%% of cases).</p>\n", p);
}

void report_accuracy(FILE *f, const report *r)
{
    facts(f, r);
    fprintf(f,
        "<h2>Beside what needs no training</h2>\n<p>All on the same %s. The line across a bar is the "
        "95&nbsp;%% "
        "interval: what other pictures of this kind would give.</p>\n"
        "<table id=\"methods\">\n<thead><tr><th>method</th><th>accuracy</th><th>interval</th><th></th></tr>"
        "</thead>\n<tbody>\n",
        r->scored_on);
    for (size_t i = 0; i < REPORT_ROWS; i++) show_row(f, r->row + i, !i);
    fputs("</tbody></table>\n", f);
    verdict(f, r);
}

/* -- classes ------------------------------------------------------------------------------------------------- */

typedef struct ranked {
    size_t c;
    uint64_t correct, n;
    size_t said; /* what its pictures are most often wrongly taken for */
    uint32_t times;
} ranked;

/* Classes without a picture last. */
static int worst_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (!x->n != !y->n) return x->n ? -1 : 1;
    const double p = percent(x->correct, x->n), q = percent(y->correct, y->n);
    if (p < q || q < p) return p < q ? -1 : 1;
    return (x->c > y->c) - (x->c < y->c);
}

static ranked rank_class(const cli_score *score, size_t c)
{
    ranked one = {.c = c, .said = c};
    one.n = cli_score_class(score, c, &one.correct);
    for (size_t k = 0; k < score->n_classes; k++) {
        uint32_t times = score->confusion[c * score->n_classes + k];
        if (k == c || times <= one.times) continue;
        one.said = k;
        one.times = times;
    }
    return one;
}

static void show_class(FILE *f, const report *r, const ranked *one)
{
    double low = 0, high = 0, p = percent(one->correct, one->n);
    fputs("<tr><td>", f);
    page_text(f, mopd_dataset_class_name(r->data, one->c));
    fprintf(f, "</td><td class=\"num\">%llu&thinsp;/&thinsp;%llu</td>", (unsigned long long)one->correct,
        (unsigned long long)one->n);
    if (!one->n) {
        fputs("<td>-</td><td class=\"bar\"></td><td class=\"wide left\"></td></tr>\n", f);
        return;
    }
    mopd_accuracy_interval(one->correct, one->n, &low, &high);
    fprintf(f, "<td class=\"num\">%.1f&nbsp;%%</td><td class=\"bar\">", p);
    page_bar(f, p, low, high);
    fputs("</td><td class=\"wide left\">", f);
    if (one->times) {
        page_text(f, mopd_dataset_class_name(r->data, one->said));
        fprintf(f, " (%u)", one->times);
    }
    fputs("</td></tr>\n", f);
}

void report_classes(FILE *f, const report *r)
{
    const size_t n = r->score->n_classes;
    ranked *class = cli_alloc(n, sizeof *class);
    for (size_t c = 0; c < n; c++) class[c] = rank_class(r->score, c);
    qsort(class, n, sizeof *class, worst_first);
    fputs(
        "<h2>Classes, the worst first</h2>\n<table id=\"classes\">\n<thead><tr><th>class</th><th>right</th>"
        "<th>accuracy</th><th></th><th class=\"wide left\">most often taken for</th></tr></thead>\n<tbody>\n",
        f);
    for (size_t i = 0; i < n; i++) show_class(f, r, class + i);
    fputs("</tbody></table>\n", f);
    free(class);
}
