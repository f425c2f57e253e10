/* SPDX-License-Identifier: MIT
 * bench_methods.c - one method learns from a few pictures and answers lists of classes: those it learned, others of
 * which it knows the names alone, or both.  The text classifier of zero-shot and gda is the first template, that
 * of fit all of them. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* How the sets of test pictures are answered. */
typedef struct scorer {
    cli_logits_fn logits;
    const void *context[BENCH_MOST_TESTS];
} scorer;

static mopd_status score_all(const bench *b, const bench_task *t, const scorer *s, bench_score *out)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < t->n_tests && st == MOPD_OK; i++) {
        const bench_set *set = t->tests[i];
        const cli_samples samples = {set->features, set->labels, set->n, b->dim, set->n_classes};
        cli_score score = {0};
        st = cli_score_run(&score, s->logits, s->context[i], &samples, NULL);
        out->accuracy[i] = score.metrics.accuracy;
        out->ece[i] = score.ece;
        cli_score_free(&score);
    }
    return st;
}

/* The zero-shot classifiers of the lists of classes. */
static mopd_status text_banks(const bench *b, const bench_task *t, mopd_bank *bank[BENCH_MOST_TESTS])
{
    const char *const *templates = (const char *const *)b->prompts.templates.item;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < t->n_tests && st == MOPD_OK; i++)
        st = mopd_bank_create(
            &bank[i], b->encoder, t->tests[i]->classes, t->tests[i]->n_classes, templates, 1);
    return st;
}

static void free_banks(mopd_bank *bank[BENCH_MOST_TESTS])
{
    for (size_t i = 0; i < BENCH_MOST_TESTS; i++) mopd_bank_free(bank[i]);
}

static mopd_status run_zero_shot(const bench *b, const bench_task *t, bench_score *out)
{
    mopd_bank *bank[BENCH_MOST_TESTS] = {0};
    double start = cli_seconds();
    mopd_status st = text_banks(b, t, bank);
    out->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = score_all(b, t, &(scorer){cli_bank_logits, {bank[0], bank[1], bank[2]}}, out);
    free_banks(bank);
    return st;
}

/* Every view counts as a picture of its own, as the authors' random crops do. */
static int32_t *labels_of_views(const bench_set *train)
{
    const size_t n = train->n * train->n_views;
    int32_t *labels = cli_alloc(n, sizeof *labels);
    for (size_t i = 0; i < n; i++) labels[i] = train->labels[i / train->n_views];
    return labels;
}

static mopd_status run_gda(const bench *b, const bench_task *t, bench_score *out)
{
    mopd_bank *bank[BENCH_MOST_TESTS] = {0};
    mopd_gda *head[BENCH_MOST_TESTS] = {0};
    int32_t *labels = labels_of_views(t->train);
    double start = cli_seconds();
    mopd_status st = text_banks(b, t, bank);
    if (st == MOPD_OK)
        st = mopd_gda_create(
            &head[0], bank[0], t->train->features, labels, t->train->n * t->train->n_views, -1);
    for (size_t i = 1; i < t->n_tests && st == MOPD_OK; i++)
        st = mopd_gda_create_classes(&head[i], head[0], bank[i]);
    out->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = score_all(b, t, &(scorer){cli_gda_logits, {head[0], head[1], head[2]}}, out);
    for (size_t i = 0; i < BENCH_MOST_TESTS; i++) mopd_gda_free(head[i]);
    free_banks(bank);
    free(labels);
    return st;
}

static mopd_status run_fit(const bench *b, const bench_task *t, bool views, bench_score *out)
{
    mopd_recognizer *head[BENCH_MOST_TESTS] = {0};
    mopd_recognizer_options o;
    const bench_set *train = t->train;
    const float *fixed = views ? train->fixed : NULL;
    int32_t *labels = labels_of_views(train);
    double start = cli_seconds();
    mopd_status st = mopd_recognizer_options_init(&o, sizeof o);
    o.templates = (const char *const *)b->prompts.templates.item;
    o.n_templates = b->prompts.templates.n;
    o.n_views = fixed ? train->n_fixed : 1;
    if (st == MOPD_OK)
        st = mopd_recognizer_create(&head[0], b->encoder, t->tests[0]->classes, t->tests[0]->n_classes,
            fixed ? fixed : train->features, labels, train->n * train->n_views, &o);
    for (size_t i = 1; i < t->n_tests && st == MOPD_OK; i++)
        st = mopd_recognizer_with_classes(
            &head[i], head[0], b->encoder, t->tests[i]->classes, t->tests[i]->n_classes);
    out->seconds = cli_seconds() - start;
    if (st == MOPD_OK)
        st = score_all(b, t, &(scorer){cli_recognizer_logits, {head[0], head[1], head[2]}}, out);
    for (size_t i = 0; i < BENCH_MOST_TESTS; i++) mopd_recognizer_close(head[i]);
    free(labels);
    return st;
}

static int on_stop(void *context)
{
    (void)context;
    return cli_interrupted();
}

/* The options of a training; those of the released runs are w 0.8, w2 0.1, K 2, 100 epochs in batches of 128. */
static mopd_trainer_options options_of(const bench *b, int32_t method, uint64_t seed)
{
    mopd_trainer_options o = b->options;
    o.method = method == BENCH_PAPER ? MOPD_METHOD_MOPD : method;
    o.seed = seed;
    o.teachers = b->teachers;
    if (method != BENCH_PAPER) return o;
    o.w = 0.8f;
    o.w2 = 0.1f;
    o.top_k = o.n_templates < 2 ? 1 : 2;
    o.epochs = 100;
    o.steps = 0;
    o.batch = 128;
    return o;
}

static void note_chosen(const bench *b, uint64_t seed, const mopd_trainer_options *o)
{
    char whose[32];
    snprintf(whose, sizeof whose, "seed %llu: ", (unsigned long long)seed);
    cli_note_chosen(&b->common, whose, o, !b->options.epochs && !b->options.steps);
}

static mopd_status learn(const bench *b, int32_t method, const bench_task *t, mopd_trainer **trainer)
{
    const bench_set *train = t->train;
    mopd_trainer_options o = options_of(b, method, t->seed);
    mopd_run run;
    mopd_run_init(&run, sizeof run);
    run.n = train->n;
    run.n_views = train->n_views;
    run.features = train->features;
    run.labels = train->labels;
    run.stop = on_stop;
    mopd_status st = MOPD_OK;
    if (b->automatic && method == MOPD_METHOD_MOPD)
        st = mopd_trainer_options_choose(&o, b->encoder, train->classes, train->n_classes, &run, NULL);
    if (st == MOPD_OK && b->automatic && method == MOPD_METHOD_MOPD) note_chosen(b, t->seed, &o);
    if (st == MOPD_OK) st = mopd_trainer_create(trainer, b->encoder, train->classes, train->n_classes, &o);
    return st == MOPD_OK ? mopd_trainer_run(*trainer, &run) : st;
}

static mopd_status run_learned(const bench *b, int32_t method, const bench_task *t, bench_score *out)
{
    const float unseen = method == BENCH_PAPER ? 1 : (float)b->unseen;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_bank *bank[BENCH_MOST_TESTS] = {0};
    double start = cli_seconds();
    mopd_status st = learn(b, method, t, &trainer);
    out->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&prompt, trainer);
    for (size_t i = 0; i < t->n_tests && st == MOPD_OK; i++)
        st = mopd_bank_create_prompt_unseen(
            &bank[i], b->encoder, t->tests[i]->classes, t->tests[i]->n_classes, prompt, unseen);
    if (st == MOPD_OK) st = score_all(b, t, &(scorer){cli_bank_logits, {bank[0], bank[1], bank[2]}}, out);
    free_banks(bank);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    return st;
}

mopd_status bench_run_method(const bench *b, int32_t method, const bench_task *task, bench_score *score)
{
    if (cli_interrupted()) return MOPD_E_CANCELLED;
    if (method == BENCH_ZERO_SHOT) return run_zero_shot(b, task, score);
    if (method == BENCH_GDA) return run_gda(b, task, score);
    if (method == BENCH_FIT || method == BENCH_FIT_ONE) return run_fit(b, task, method == BENCH_FIT, score);
    return run_learned(b, method, task, score);
}

/* One text: the template with the class in the place of each "{}". */
static char *fill_template(const char *template, const char *name)
{
    size_t n = strlen(template) * (strlen(name) + 1) + 1, at = 0;
    char *text = cli_alloc(n, 1);
    for (; *template; template ++) {
        if (template[0] != '{' || template[1] != '}') {
            text[at++] = *template;
            continue;
        }
        for (const char *c = name; *c; c++) text[at++] = *c == '_' ? ' ' : *c;
        template ++;
    }
    return text;
}

static bool needs_teachers(int32_t method)
{
    return method == BENCH_PAPER || (method >= 0 && method != MOPD_METHOD_COOP);
}

int bench_encode_teachers(bench *b, const char *const *classes, size_t n_classes)
{
    bool any = false;
    for (size_t m = 0; m < b->n_methods; m++) any |= needs_teachers(b->method[m]);
    if (!any) return -1;
    size_t n = (size_t)b->options.n_templates * n_classes;
    char **text = cli_alloc(n, sizeof *text);
    for (size_t i = 0; i < n; i++)
        text[i] = fill_template(b->options.templates[i / n_classes], classes[i % n_classes]);
    free(b->teachers);
    b->teachers = cli_alloc(n * b->dim, sizeof *b->teachers);
    cli_interrupt_ends(true);
    mopd_status st = mopd_encoder_encode_texts(b->encoder, (const char *const *)text, n, b->teachers);
    cli_interrupt_ends(false);
    for (size_t i = 0; i < n; i++) free(text[i]);
    free(text);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}
