/* SPDX-License-Identifier: MIT
 * report_charts.c - learning curves and the gate's heat map as SVG. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { WIDTH = 420, HEIGHT = 230, LEFT = 46, RIGHT = 8, TOP = 12, BOTTOM = 54, CELL = 16 };

typedef struct curve {
    const char *name, *colour;
    size_t offset; /* of the double in mopd_epoch */
} curve;

static double value_of(const mopd_epoch *epoch, size_t offset)
{
    double x;
    memcpy(&x, (const char *)epoch + offset, sizeof x);
    return x;
}

/* The largest value of all curves, rounded up to a number that four equal steps divide well. */
static double top_of(const report *r, const curve *curves, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < r->n_epochs; i++) {
        for (size_t k = 0; k < n; k++) most = fmax(most, value_of(r->epochs + i, curves[k].offset));
    }
    if (!(most > 0)) return 1;
    double unit = pow(10, floor(log10(most)));
    static const double steps[] = {1, 1.2, 1.6, 2, 2.4, 3, 4, 6, 8, 10};
    size_t i = 0;
    while (i < 9 && most > steps[i] * unit) i++;
    return steps[i] * unit;
}

/* Some method has no use for this one: all zero. */
static bool is_idle(const report *r, const curve *c)
{
    for (size_t i = 0; i < r->n_epochs; i++) {
        if (fabs(value_of(r->epochs + i, c->offset)) > 0) return false;
    }
    return true;
}

static double x_of(const report *r, size_t i)
{
    double step = r->n_epochs > 1 ? (double)i / (double)(r->n_epochs - 1) : 0.5;
    return LEFT + step * (WIDTH - LEFT - RIGHT);
}

static double y_of(double value, double top)
{
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
}

static void draw_axes(FILE *f, const report *r, double top)
{
    for (int i = 0; i <= 4; i++) {
        double y = y_of(top * i / 4, top);
        fprintf(f,
            "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n",
            LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, top * i / 4);
    }
    fprintf(f,
        "<text x=\"%d\" y=\"%d\">epoch %u</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%u</text>\n",
        LEFT, HEIGHT - BOTTOM + 18, r->epochs[0].epoch, WIDTH - RIGHT, HEIGHT - BOTTOM + 18,
        r->epochs[r->n_epochs - 1].epoch);
}

static void draw_chart(FILE *f, const report *r, const char *name, const curve *curves, size_t n)
{
    double top = top_of(r, curves, n);
    fprintf(f, "<svg class=\"curve\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
        name);
    draw_axes(f, r, top);
    for (size_t k = 0, shown = 0; k < n; k++) {
        if (k && is_idle(r, curves + k)) continue;
        fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", curves[k].colour);
        for (size_t i = 0; i < r->n_epochs; i++)
            fprintf(f, "%s%.1f,%.1f", i ? " " : "", x_of(r, i),
                y_of(value_of(r->epochs + i, curves[k].offset), top));
        fprintf(f, "\"/>\n");
        if (r->n_epochs == 1)
            fprintf(f, "<circle r=\"3\" fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\"/>\n", curves[k].colour,
                x_of(r, 0), y_of(value_of(r->epochs, curves[k].offset), top));
        fprintf(f, "<text x=\"%zu\" y=\"%d\" style=\"fill:%s\">&#9632; %s</text>\n", LEFT + 70 * shown++,
            HEIGHT - 12, curves[k].colour, curves[k].name);
    }
    fputs("</svg>\n", f);
}

void report_curves(FILE *f, const report *r)
{
    static const curve losses[] = {{"loss", "#2f6fb5", offsetof(mopd_epoch, loss)},
        {"CE", "#c8452f", offsetof(mopd_epoch, ce)}, {"MPD", "#2e9152", offsetof(mopd_epoch, mpd)},
        {"MPS", "#a060c0", offsetof(mopd_epoch, mps)}, {"reg", "#b58a2f", offsetof(mopd_epoch, reg)}};
    static const curve accuracy[] = {{"accuracy %", "#2f6fb5", offsetof(mopd_epoch, accuracy)}};
    static const curve rate[] = {{"learning rate", "#697080", offsetof(mopd_epoch, lr)}};
    if (!r->n_epochs) {
        fputs("<h2>Learning curves</h2>\n<p>No epoch was run here: the checkpoint was at its end.</p>\n", f);
        return;
    }
    fputs("<h2>Learning curves</h2>\n<p>Losses, means over an epoch</p>\n", f);
    draw_chart(f, r, "losses", losses, 5);
    fputs("<p>Accuracy on the training batches, in percent</p>\n", f);
    draw_chart(f, r, "accuracy", accuracy, 1);
    fputs("<p>Learning rate</p>\n", f);
    draw_chart(f, r, "learning rate", rate, 1);
}

/* use (M x C): mean weight of each template over the pictures of each class, items being sorted by class;
 * -1 without. */
static bool gate_by_class(const report *r, const mopd_gate *gate, double *use, size_t n_templates)
{
    mopd_dataset_info info = cli_data_info(r->data);
    const int32_t *label = mopd_dataset_labels(r->data);
    double *one = cli_alloc(n_templates, sizeof *one);
    bool good = true;
    for (size_t i = 0; i < n_templates * info.n_classes; i++) use[i] = -1;
    for (size_t first = 0, last; first < info.n_items && good; first = last) {
        for (last = first; last < info.n_items && label[last] == label[first]; last++) continue;
        good = mopd_gate_use(gate, r->features + first * info.dim, last - first, one) == MOPD_OK;
        for (size_t m = 0; m < n_templates; m++) use[m * info.n_classes + (size_t)label[first]] = one[m];
    }
    free(one);
    return good;
}

static void draw_heat_map(FILE *f, const report *r, const double *use, size_t n_templates)
{
    size_t n = r->score->n_classes, labels = 0, names = 0;
    for (size_t m = 0; m < n_templates; m++) {
        size_t len = strlen(mopd_prompt_template(r->prompt, m));
        labels = len > labels ? len : labels;
    }
    for (size_t c = 0; c < n; c++) {
        size_t len = strlen(mopd_dataset_class_name(r->data, c));
        names = len > names ? len : names;
    }
    size_t left = 8 + 7 * (labels < 60 ? labels : 60), top = 12 + 6 * (names < 30 ? names : 30);
    size_t width = left + n * CELL + 8, height = top + n_templates * CELL + 8;
    fprintf(f,
        "<div class=\"scroll\"><svg id=\"gate\" width=\"%zu\" height=\"%zu\" role=\"img\" "
        "aria-label=\"gate\">\n",
        width, height);
    for (size_t c = 0; c < n; c++) {
        size_t x = left + c * CELL + 12, y = top - 4;
        fprintf(f, "<text x=\"%zu\" y=\"%zu\" transform=\"rotate(-90 %zu %zu)\">", x, y, x, y);
        page_text(f, mopd_dataset_class_name(r->data, c));
        fputs("</text>\n", f);
    }
    for (size_t m = 0; m < n_templates; m++) {
        fprintf(f, "<text x=\"%zu\" y=\"%zu\" text-anchor=\"end\">", left - 6, top + m * CELL + 12);
        page_text(f, mopd_prompt_template(r->prompt, m));
        fputs("</text>\n", f);
        for (size_t c = 0; c < n; c++) {
            double w = use[m * n + c];
            fprintf(f,
                "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"#2f6fb5\" "
                "fill-opacity=\"%.3f\"><title>",
                left + c * CELL, top + m * CELL, CELL - 1, CELL - 1, w < 0 ? 0 : 0.04 + 0.96 * w);
            page_text(f, mopd_prompt_template(r->prompt, m));
            fputs(" | ", f);
            page_text(f, mopd_dataset_class_name(r->data, c));
            if (w >= 0) fprintf(f, ": %.3f", w);
            fputs("</title></rect>\n", f);
        }
    }
    fputs("</svg></div>\n", f);
}

void report_gate(FILE *f, const report *r)
{
    mopd_gate *gate = NULL;
    fputs("<h2>Gate</h2>\n", f);
    if (mopd_gate_create(&gate, r->prompt) != MOPD_OK) {
        fputs("<p>This method learns no gate.</p>\n", f);
        return;
    }
    size_t n_templates = mopd_gate_n_templates(gate);
    double *use = cli_alloc(n_templates * r->score->n_classes, sizeof *use);
    fprintf(f,
        "<p>Mean weight of each hard prompt over the pictures of each class; %zu of %zu are kept for a "
        "picture. "
        "The stronger the colour, the heavier.</p>\n",
        mopd_gate_top_k(gate), n_templates);
    if (gate_by_class(r, gate, use, n_templates))
        draw_heat_map(f, r, use, n_templates);
    else
        fputs("<p>The gate does not fit these features.</p>\n", f);
    free(use);
    mopd_gate_free(gate);
}
