/* SPDX-License-Identifier: MIT
 * train_report.c - what the page of --report tells: the prompt, and beside it zero-shot, gda and fit on the same pictures;
 * the labels that look wrong. */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "suspects.h"

typedef struct page {
    report r;
    report_row row[REPORT_ROWS];
    mopd_dataset *data;
    float *features, *learned; /* n x D: of the page's pictures, and of the training's */
    mopd_match *best;
    cli_score score;
    mopd_bank *bank, *text; /* by the prompt, by its templates */
    mopd_recognizer *recognizer;
    mopd_suspect *suspect;
    cli_samples samples;
    bool tested; /* on other pictures than those of the training */
} page;

/* The test pictures of the same classes where DATA has some, else those of the training. */
static int open_data(train_job *j, page *p)
{
    mopd_dataset *part = NULL;
    mopd_selection s = j->selection;
    mopd_encode_options o = train_encode_options(j);
    s.shots = 0;
    s.split = MOPD_SPLIT_TEST;
    p->tested =
        cli_data_info(j->all).n_split[MOPD_SPLIT_TEST] && mopd_dataset_select(&part, j->all, &s) == MOPD_OK;
    p->r.scored_on = p->tested ? "test pictures" : "training pictures";
    p->r.seen = !p->tested;
    if (!p->tested) {
        bool again = j->fresh && !mopd_dataset_fingerprint(j->part)[0];
        return cli_data_encode(
            &p->data, again ? j->part : j->encoded, NULL, j->encoder, &o, &j->common, &j->data);
    }
    int status = cli_data_encode(&p->data, part, NULL, j->encoder, &o, &j->common, &j->data);
    mopd_dataset_close(part);
    return status;
}

/* -- rows ------------------------------------------------------------------------------------------------- */

static mopd_status measure(page *p, size_t row, cli_logits_fn logits, const void *context)
{
    cli_score score = {0};
    p->row[row].predicted = cli_alloc(p->samples.n, sizeof *p->row->predicted);
    mopd_status st = cli_score_run(&score, logits, context, &p->samples, p->row[row].predicted);
    if (st == MOPD_OK) {
        p->row[row].correct = score.metrics.correct;
        p->row[row].n = score.metrics.n;
    }
    if (!row)
        p->score = score;
    else
        cli_score_free(&score);
    return st;
}

static mopd_status prompt_row(page *p, const train_job *j, const mopd_prompt *prompt)
{
    mopd_prompt_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_prompt_get_info(prompt, &info);
    p->row[0] = (report_row){.name = mopd_method_name(info.method), .note = "this prompt"};
    if (st == MOPD_OK)
        st = mopd_bank_create_prompt(
            &p->bank, j->encoder, mopd_dataset_class_names(p->data), p->samples.n_classes, prompt);
    if (st == MOPD_OK) st = measure(p, 0, cli_bank_logits, p->bank);
    p->best = cli_alloc(p->samples.n, sizeof *p->best);
    if (st == MOPD_OK) st = mopd_bank_top(p->bank, p->features, p->samples.n, 1, p->best);
    return st;
}

/* By the templates that the prompt was distilled from, or the usual one. */
static mopd_status zero_shot_row(page *p, const train_job *j, const mopd_prompt *prompt)
{
    mopd_prompt_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_prompt_get_info(prompt, &info);
    const char **template = cli_alloc(info.n_templates, sizeof *template);
    for (size_t i = 0; i < info.n_templates; i++) template[i] = mopd_prompt_template(prompt, i);
    p->row[1] = (report_row){
        .name = "zero-shot", .note = info.n_templates > 1 ? "the same templates, nothing learned" : NULL};
    if (st == MOPD_OK)
        st = mopd_bank_create(&p->text, j->encoder, mopd_dataset_class_names(p->data), p->samples.n_classes,
            template, info.n_templates);
    if (st == MOPD_OK) st = measure(p, 1, cli_bank_logits, p->text);
    free(template);
    return st;
}

/* Labels of the training mean the same classes as those of the page's pictures. */
static bool same_classes(const mopd_dataset *a, const mopd_dataset *b)
{
    const size_t n = cli_data_info(a).n_classes;
    if (n != cli_data_info(b).n_classes) return false;
    for (size_t c = 0; c < n; c++)
        if (strcmp(mopd_dataset_class_name(a, c), mopd_dataset_class_name(b, c)) != 0) return false;
    return true;
}

/* A fit says of pictures that it was made from more than it knows: then it is not measured. */
static void gda_row(page *p, const train_job *j)
{
    mopd_gda *head = NULL;
    p->row[2] = (report_row){.name = "gda", .note = "closed form"};
    if (!p->tested) {
        p->row[2].note = "needs other pictures than those of the training";
        return;
    }
    mopd_status st = mopd_gda_create(&head, p->text, p->learned, mopd_dataset_labels(j->encoded),
        (size_t)cli_data_info(j->encoded).n_items, -1);
    if (st == MOPD_OK) st = measure(p, 2, cli_gda_logits, head);
    if (st != MOPD_OK) p->row[2].note = "not with these pictures: a class has none";
    mopd_gda_free(head);
}

/* The training's own pictures are each left out in their turn. */
static void count_left_out(report_row *row, const mopd_recognizer *recognizer)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    row->note = "closed form; each picture left out in its turn";
    if (mopd_recognizer_get_info(recognizer, &info) != MOPD_OK || info.loo_accuracy < 0) return;
    row->n = info.n_pictures;
    row->correct = (uint64_t)llround(info.loo_accuracy * (double)row->n);
}

static mopd_status fit_row(page *p, const train_job *j, const mopd_prompt *prompt)
{
    mopd_recognizer_options o;
    mopd_prompt_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_recognizer_options_init(&o, sizeof o);
    if (st == MOPD_OK) st = mopd_prompt_get_info(prompt, &info);
    const char **template = cli_alloc(info.n_templates, sizeof *template);
    for (size_t i = 0; i < info.n_templates; i++) template[i] = mopd_prompt_template(prompt, i);
    o.templates = template;
    o.n_templates = info.n_templates;
    p->row[3] = (report_row){.name = "fit", .note = "closed form, a second: mopd fit"};
    if (st == MOPD_OK)
        st = mopd_recognizer_create(&p->recognizer, j->encoder, mopd_dataset_class_names(j->encoded),
            p->samples.n_classes, p->learned, mopd_dataset_labels(j->encoded),
            (size_t)cli_data_info(j->encoded).n_items, &o);
    if (st == MOPD_OK && p->tested) st = measure(p, 3, cli_recognizer_logits, p->recognizer);
    if (st == MOPD_OK && !p->tested) count_left_out(p->row + 3, p->recognizer);
    free(template);
    return st;
}

static void find_suspects(page *p, const train_job *j)
{
    const double n = (double)cli_data_info(j->encoded).n_items;
    mopd_status st = cli_suspects_find(&p->suspect, &p->r.n_suspects, &p->r.alarms, p->recognizer);
    p->r.alarms *= n;
    p->r.suspect = p->suspect;
    if (st != MOPD_OK) p->r.no_suspects = "It takes two pictures a class to tell";
}

static mopd_status fill_rows(page *p, const train_job *j, const mopd_prompt *prompt)
{
    mopd_status st = prompt_row(p, j, prompt);
    if (st == MOPD_OK) st = zero_shot_row(p, j, prompt);
    if (st != MOPD_OK) return st;
    if (!same_classes(p->data, j->encoded)) {
        p->row[2] = (report_row){.name = "gda", .note = "not with these pictures: a class has none"};
        p->row[3] = (report_row){.name = "fit", .note = p->row[2].note};
        p->r.no_suspects = "Not every class has pictures";
        return MOPD_OK;
    }
    p->learned = cli_data_features(j->encoded, 0, 1);
    gda_row(p, j);
    st = fit_row(p, j, prompt);
    if (st == MOPD_OK) find_suspects(p, j);
    return st;
}

/* -- the page --------------------------------------------------------------------------------------------- */

static void page_free(page *p)
{
    for (size_t i = 0; i < REPORT_ROWS; i++) free(p->row[i].predicted);
    cli_score_free(&p->score);
    mopd_bank_free(p->bank);
    mopd_bank_free(p->text);
    mopd_recognizer_close(p->recognizer);
    mopd_dataset_close(p->data);
    free(p->suspect);
    free(p->best);
    free(p->features);
    free(p->learned);
}

static void fill_page(page *p, const train_job *j, const mopd_prompt *prompt)
{
    report *r = &p->r;
    r->epochs = j->epochs;
    r->n_epochs = j->n_epochs;
    r->seconds = j->seconds;
    r->path = j->data.path;
    r->model = j->common.model;
    r->prompt = prompt;
    r->data = p->data;
    r->features = p->features;
    r->best = p->best;
    r->score = &p->score;
    r->row = p->row;
    r->learned = j->encoded;
}

int train_report(train_job *j, const mopd_prompt *prompt)
{
    page p = {0};
    int status = open_data(j, &p);
    if (status >= 0) return status;
    mopd_dataset_info info = cli_data_info(p.data);
    p.features = cli_data_features(p.data, 0, 1);
    p.samples = (cli_samples){
        p.features, mopd_dataset_labels(p.data), (size_t)info.n_items, info.dim, info.n_classes};
    cli_interrupt_ends(true); /* the prompt is saved */
    mopd_status st = fill_rows(&p, j, prompt);
    cli_interrupt_ends(false);
    fill_page(&p, j, prompt);
    status = st == MOPD_OK ? report_write(j->report, &p.r) : cli_fail_status(st);
    page_free(&p);
    return status;
}
