/* SPDX-License-Identifier: MIT
 * bench_new.c - base-to-new: learn from a few pictures of the base classes, then classify test pictures of base
 * classes among base classes, of new ones among new ones, and of both among all (mixed).  Features are encoded
 * once for all methods and seeds.  The text classifier of zero-shot and gda is the first template. */
#include "bench_new.h"

#include <stdlib.h>
#include <string.h>

static int encode_into(
    mopd_dataset **out, bench *b, mopd_dataset *part, const mopd_dataset *known, uint32_t n_views)
{
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    o.n_views = n_views;
    o.seed = b->seed[0];
    double start = cli_seconds();
    int status = cli_data_encode(out, part, known, b->encoder, &o, &b->common, &b->data);
    b->encode_seconds += cli_seconds() - start;
    return status;
}

static void set_fill(bench_set *s, mopd_dataset *data, size_t n_views)
{
    mopd_dataset_info info = cli_data_info(data);
    *s = (bench_set){data, cli_data_features(data, 0, n_views), NULL, (size_t)info.n_items, n_views,
        info.n_classes, mopd_dataset_class_names(data), NULL};
    s->labels = cli_alloc(s->n, sizeof *s->labels);
    memcpy(s->labels, mopd_dataset_labels(data), s->n * sizeof *s->labels);
}

static void set_free(bench_set *s)
{
    mopd_dataset_close(s->data);
    free(s->features);
    free(s->labels);
    free(s->owned);
}

/* Base pictures, then new ones; new classes are numbered behind the base ones. */
static void set_join(bench_set *s, const bench_set *base, const bench_set *fresh, size_t dim)
{
    *s = (bench_set){.n = base->n + fresh->n, .n_views = 1, .n_classes = base->n_classes + fresh->n_classes};
    s->features = cli_alloc(s->n * dim, sizeof *s->features);
    s->labels = cli_alloc(s->n, sizeof *s->labels);
    s->classes = s->owned = cli_alloc(s->n_classes, sizeof *s->owned);
    memcpy(s->features, base->features, base->n * dim * sizeof(float));
    memcpy(s->features + base->n * dim, fresh->features, fresh->n * dim * sizeof(float));
    for (size_t i = 0; i < s->n; i++)
        s->labels[i] = i < base->n ? base->labels[i] : fresh->labels[i - base->n] + (int32_t)base->n_classes;
    for (size_t c = 0; c < s->n_classes; c++)
        s->owned[c] = c < base->n_classes ? base->classes[c] : fresh->classes[c - base->n_classes];
}

static int select_part(mopd_dataset **out, const bench *b, int32_t split, int32_t subset, uint64_t seed)
{
    mopd_selection s;
    mopd_selection_init(&s, sizeof s);
    s.split = split;
    s.subset = subset;
    s.shots = split == MOPD_SPLIT_TRAIN ? (uint32_t)b->shots : 0;
    s.seed = seed;
    return cli_data_select(out, b->all, &s);
}

static int open_test(bench *b, bench_set *set, int32_t subset)
{
    mopd_dataset *part = NULL, *data = NULL;
    int status = select_part(&part, b, MOPD_SPLIT_TEST, subset, 1);
    if (status < 0) status = encode_into(&data, b, part, NULL, 0);
    mopd_dataset_close(part);
    if (status < 0) set_fill(set, data, 1);
    return status;
}

/* b->train: the pictures that any seed draws. */
static int open_train(bench *b)
{
    int status = -1;
    for (size_t i = 0; i < b->n_seeds && status < 0; i++) {
        mopd_dataset *part = NULL, *joined = NULL;
        status = select_part(&part, b, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, b->seed[i]);
        if (status < 0) status = encode_into(&joined, b, part, b->train, (uint32_t)b->n_views);
        mopd_dataset_close(part);
        if (status >= 0) {
            mopd_dataset_close(joined);
            break;
        }
        mopd_dataset_close(b->train);
        b->train = joined;
    }
    return status;
}

static const char *path_of(const mopd_dataset *data, size_t i)
{
    mopd_item item = {.struct_size = sizeof item};
    return mopd_dataset_get_item(data, i, &item) == MOPD_OK ? item.path : "";
}

/* The pictures of one seed's draw among those encoded: both lists stand in the same order. */
static int open_seed(const bench *b, uint64_t seed, bench_set *set)
{
    mopd_dataset *part = NULL, *data = NULL;
    int status = select_part(&part, b, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, seed);
    if (status >= 0) return status;
    size_t n = (size_t)cli_data_info(b->train).n_items, n_part = (size_t)cli_data_info(part).n_items, at = 0,
           found = 0;
    size_t *index = cli_alloc(n, sizeof *index);
    for (size_t i = 0; i < n && at < n_part; i++) {
        for (size_t skip = at; skip < n_part;
             skip++) { /* a picture that --skip-bad left out is passed over */
            if (strcmp(path_of(b->train, i), path_of(part, skip))) continue;
            index[found++] = i;
            at = skip + 1;
            break;
        }
    }
    mopd_status st = mopd_dataset_pick(&data, b->train, index, found, MOPD_PICK_RELABEL);
    free(index);
    mopd_dataset_close(part);
    if (st != MOPD_OK) return cli_fail_status(st);
    set_fill(set, data, b->n_views ? (size_t)b->n_views : 1);
    return -1;
}

/* -- methods
 * ------------------------------------------------------------------------------------------------ */

typedef struct scorer {
    cli_logits_fn logits;
    const void *base, *fresh, *mixed;
} scorer;

static mopd_status accuracy(
    const bench *b, const bench_set *set, cli_logits_fn logits, const void *context, double *out)
{
    cli_score score = {0};
    cli_samples samples = {set->features, set->labels, set->n, b->dim, set->n_classes};
    mopd_status st = cli_score_run(&score, logits, context, &samples, NULL);
    *out = score.metrics.accuracy;
    cli_score_free(&score);
    return st;
}

static mopd_status score_all(const bench *b, const scorer *s, bench_cell *cell)
{
    mopd_status st = accuracy(b, &b->base, s->logits, s->base, &cell->base);
    if (st == MOPD_OK) st = accuracy(b, &b->fresh, s->logits, s->fresh, &cell->fresh);
    if (st == MOPD_OK) st = accuracy(b, &b->mixed, s->logits, s->mixed, &cell->mixed);
    cell->h = mopd_harmonic_mean(cell->base, cell->fresh);
    cell->done = st == MOPD_OK;
    return st;
}

/* The zero-shot classifiers of the three class lists. */
static mopd_status text_banks(const bench *b, mopd_bank *bank[3])
{
    const bench_set *set[3] = {&b->base, &b->fresh, &b->mixed};
    const char *const *templates = (const char *const *)b->prompts.templates.item;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < 3 && st == MOPD_OK; i++)
        st = mopd_bank_create(&bank[i], b->encoder, set[i]->classes, set[i]->n_classes, templates, 1);
    return st;
}

static mopd_status run_zero_shot(const bench *b, bench_cell *cell)
{
    mopd_bank *bank[3] = {NULL, NULL, NULL};
    double start = cli_seconds();
    mopd_status st = text_banks(b, bank);
    cell->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = score_all(b, &(scorer){cli_bank_logits, bank[0], bank[1], bank[2]}, cell);
    for (size_t i = 0; i < 3; i++) mopd_bank_free(bank[i]);
    return st;
}

/* Every view counts as a picture of its own, as the authors' random crops do. */
static mopd_status run_gda(const bench *b, const bench_set *train, bench_cell *cell)
{
    mopd_bank *bank[3] = {NULL, NULL, NULL};
    mopd_gda *head[3] = {NULL, NULL, NULL};
    size_t n = train->n * train->n_views;
    int32_t *labels = cli_alloc(n, sizeof *labels);
    for (size_t i = 0; i < n; i++) labels[i] = train->labels[i / train->n_views];
    double start = cli_seconds();
    mopd_status st = text_banks(b, bank);
    if (st == MOPD_OK) st = mopd_gda_create(&head[0], bank[0], train->features, labels, n, -1);
    if (st == MOPD_OK) st = mopd_gda_create_classes(&head[1], head[0], bank[1]);
    if (st == MOPD_OK) st = mopd_gda_create_classes(&head[2], head[0], bank[2]);
    cell->seconds = cli_seconds() - start;
    if (st == MOPD_OK) st = score_all(b, &(scorer){cli_gda_logits, head[0], head[1], head[2]}, cell);
    for (size_t i = 0; i < 3; i++) {
        mopd_gda_free(head[i]);
        mopd_bank_free(bank[i]);
    }
    free(labels);
    return st;
}

static int on_stop(void *context)
{
    (void)context;
    return cli_interrupted();
}

static mopd_status learn(
    const bench *b, const bench_set *train, int32_t method, uint64_t seed, mopd_trainer **trainer)
{
    mopd_trainer_options o = b->options;
    mopd_run run;
    mopd_run_init(&run, sizeof run);
    o.method = method;
    o.seed = seed;
    o.teachers = b->teachers;
    run.n = train->n;
    run.n_views = train->n_views;
    run.features = train->features;
    run.labels = train->labels;
    run.stop = on_stop;
    mopd_status st = MOPD_OK;
    if (b->automatic && method == MOPD_METHOD_MOPD)
        st = mopd_trainer_options_choose(&o, b->encoder, train->classes, train->n_classes, &run, NULL);
    if (st == MOPD_OK && b->automatic && method == MOPD_METHOD_MOPD)
        cli_note(&b->common, "seed %llu: --auto chose w %g, w2 %g, top-k %u", (unsigned long long)seed,
            (double)o.w, (double)o.w2, o.top_k);
    if (st == MOPD_OK) st = mopd_trainer_create(trainer, b->encoder, train->classes, train->n_classes, &o);
    return st == MOPD_OK ? mopd_trainer_run(*trainer, &run) : st;
}

static mopd_status run_learned(
    const bench *b, const bench_set *train, int32_t method, uint64_t seed, bench_cell *cell)
{
    mopd_trainer *trainer = NULL;
    mopd_bank *bank[3] = {NULL, NULL, NULL};
    const bench_set *set[3] = {&b->base, &b->fresh, &b->mixed};
    double start = cli_seconds();
    mopd_status st = learn(b, train, method, seed, &trainer);
    cell->seconds = cli_seconds() - start;
    for (size_t i = 0; i < 3 && st == MOPD_OK; i++)
        st = mopd_bank_create_trainer(&bank[i], trainer, set[i]->classes, set[i]->n_classes);
    if (st == MOPD_OK) st = score_all(b, &(scorer){cli_bank_logits, bank[0], bank[1], bank[2]}, cell);
    for (size_t i = 0; i < 3; i++) mopd_bank_free(bank[i]);
    mopd_trainer_free(trainer);
    return st;
}

static mopd_status run_cell(bench *b, const bench_set *train, size_t method, size_t seed)
{
    bench_cell *cell = b->cell + method * b->n_seeds + seed;
    if (b->method[method] == BENCH_ZERO_SHOT) {
        if (!seed) return run_zero_shot(b, cell);
        *cell = *(cell - 1); /* no seed changes it */
        return MOPD_OK;
    }
    if (b->method[method] == BENCH_GDA) return run_gda(b, train, cell);
    return run_learned(b, train, b->method[method], b->seed[seed], cell);
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

/* The teachers' features of the base classes, where a method learns. */
static int encode_teachers(bench *b)
{
    bool any = false;
    for (size_t m = 0; m < b->n_methods; m++) any |= b->method[m] >= 0 && b->method[m] != MOPD_METHOD_COOP;
    if (!any) return -1;
    size_t n = (size_t)b->options.n_templates * b->base.n_classes;
    char **text = cli_alloc(n, sizeof *text);
    for (size_t i = 0; i < n; i++)
        text[i] = fill_template(
            b->options.templates[i / b->base.n_classes], b->base.classes[i % b->base.n_classes]);
    b->teachers = cli_alloc(n * b->dim, sizeof *b->teachers);
    cli_interrupt_ends(true);
    mopd_status st = mopd_encoder_encode_texts(b->encoder, (const char *const *)text, n, b->teachers);
    cli_interrupt_ends(false);
    for (size_t i = 0; i < n; i++) free(text[i]);
    free(text);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

static int run_cells(bench *b)
{
    cli_progress progress;
    size_t done = 0;
    int status = -1;
    cli_progress_start(&progress, &b->common, "bench-new", b->n_methods * b->n_seeds);
    for (size_t s = 0; s < b->n_seeds && status < 0; s++) {
        bench_set train = {0};
        status = open_seed(b, b->seed[s], &train);
        if (status < 0 && train.n_classes != b->base.n_classes)
            status = cli_fail("%s: %zu base classes have training pictures, %zu test pictures", b->data.path,
                train.n_classes, b->base.n_classes);
        for (size_t m = 0; m < b->n_methods && status < 0; m++) {
            mopd_status st = cli_interrupted() ? MOPD_E_CANCELLED : run_cell(b, &train, m, s);
            if (st != MOPD_OK) status = cli_fail_status(st);
            cli_progress_update(&progress, ++done);
        }
        set_free(&train);
    }
    cli_progress_end(&progress);
    return status;
}

int bench_run(bench *b)
{
    int status = cli_data_open(&b->all, &b->data, "bench-new");
    if (status < 0 && !cli_open_encoder(&b->encoder, &b->common, 0)) status = EXIT_FAILED;
    if (status >= 0) return status;
    mopd_dataset_info info = cli_data_info(b->all);
    if (!b->n_views && info.augmented) b->n_views = info.n_views; /* a store says what there is */
    status = open_test(b, &b->base, MOPD_SUBSET_BASE);
    if (status < 0) status = open_test(b, &b->fresh, MOPD_SUBSET_NEW);
    if (status < 0) status = open_train(b);
    if (status >= 0) return status;
    if (!(info.n_split[0] + info.n_split[1] + info.n_split[2]))
        cli_note(&b->common, "%s has no splits: what is learned from is tested on too", b->data.path);
    b->dim = cli_data_info(b->train).dim;
    set_join(&b->mixed, &b->base, &b->fresh, b->dim);
    if ((status = encode_teachers(b)) >= 0) return status;
    b->cell = cli_alloc(b->n_methods * b->n_seeds, sizeof *b->cell);
    return run_cells(b);
}

void bench_close(bench *b)
{
    set_free(&b->base);
    set_free(&b->fresh);
    set_free(&b->mixed);
    mopd_dataset_close(b->train);
    mopd_dataset_close(b->all);
    mopd_encoder_close(b->encoder);
    free(b->cell);
    free(b->teachers);
}
