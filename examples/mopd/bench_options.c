/* SPDX-License-Identifier: MIT
 * bench_options.c - the options that bench-new and bench-shots share, and means over seeds. */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The methods that no trainer has. */
static const char *const other_names[] = {"zero-shot", "fit", "fit-1-view", "gda", "mopd-paper"};
static const int32_t others[] = {BENCH_ZERO_SHOT, BENCH_FIT, BENCH_FIT_ONE, BENCH_GDA, BENCH_PAPER};
enum { N_OTHERS = sizeof others / sizeof *others };

const char *bench_method_name(int32_t method)
{
    for (size_t i = 0; i < N_OTHERS; i++)
        if (others[i] == method) return other_names[i];
    return mopd_method_name(method);
}

static int find_method(int32_t *method, const char *name, const char *command)
{
    for (size_t i = 0; i < N_OTHERS; i++) {
        if (strcmp(name, other_names[i])) continue;
        *method = others[i];
        return -1;
    }
    if (mopd_method_find(name, method) == MOPD_OK) return -1;
    return cli_usage(command, "--methods: %s; zero-shot, fit, fit-1-view, gda and mopd-paper too%s",
        mopd_last_error(), cli_method_hint(name));
}

static int take_methods(bench *b, const char *text, const char *command)
{
    cli_list names = {0};
    int status = -1;
    cli_list_split(&names, text);
    b->method = cli_alloc(names.n, sizeof *b->method);
    for (size_t i = 0; i < names.n && status < 0; i++)
        status = find_method(b->method + b->n_methods++, names.item[i], command);
    cli_list_free(&names);
    return status;
}

int bench_take_counts(uint64_t **out, size_t *n, const char *text, const char *option, const char *command)
{
    cli_list numbers = {0};
    int status = -1;
    cli_list_split(&numbers, text);
    *out = cli_alloc(numbers.n, sizeof **out);
    *n = numbers.n;
    for (size_t i = 0; i < numbers.n && status < 0; i++) {
        const char *word = numbers.item[i];
        char *end;
        errno = 0;
        (*out)[i] = strtoull(word, &end, 10);
        if (errno || *end || *word < '0' || *word > '9')
            status = cli_usage(command, "--%s: '%s' is not a whole number", option, word);
    }
    cli_list_free(&numbers);
    return status;
}

bench_numbers bench_numbers_init(bench *b, const char *methods)
{
    const mopd_trainer_options *o = &b->options;
    mopd_trainer_options_init(&b->options, sizeof b->options);
    b->unseen = CLI_UNSEEN;
    return (bench_numbers){{0}, o->batch, o->top_k, (double)o->lr, (double)o->w, (double)o->w2,
        (double)o->temperature, methods, "1,2,3", NULL, false, false};
}

int bench_take_options(bench *b, const bench_numbers *n, const char *command)
{
    mopd_trainer_options *o = &b->options;
    if (b->n_views > CLI_MOST_VIEWS)
        return cli_usage(command, "--views %llu: at most %d", (unsigned long long)b->n_views, CLI_MOST_VIEWS);
    if (b->automatic && (n->w2_given || n->top_k_given))
        return cli_usage(command, "--auto chooses w2 and top-k: do not give them beside it");
    int status = cli_take_length(o, &n->length, command);
    if (status < 0) status = cli_check_unseen(b->unseen, command);
    o->batch = (uint32_t)n->batch;
    o->top_k = (uint32_t)n->top_k;
    o->lr = (float)n->lr;
    o->w = (float)n->w;
    o->w2 = (float)n->w2;
    o->temperature = (float)n->temperature;
    if (n->context) o->context = *n->context ? n->context : NULL;
    if (!b->prompts.templates.n && !b->prompts.template_file && !b->prompts.templates_for)
        b->prompts.templates_for = "imagenet"; /* the general ones */
    if (status < 0) status = cli_prompts_templates(&b->prompts);
    cli_take_templates(o, &b->prompts.templates, n->top_k_given);
    if (status < 0) status = take_methods(b, n->methods, command);
    if (status < 0) status = bench_take_counts(&b->seed, &b->n_seeds, n->seeds, "seeds", command);
    return status;
}

bench_mean bench_mean_of(const double *x, size_t n)
{
    bench_mean m = {0, 0};
    for (size_t i = 0; i < n; i++) m.mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) m.deviation += (x[i] - m.mean) * (x[i] - m.mean);
    m.deviation = n > 1 ? sqrt(m.deviation / (double)(n - 1)) : 0;
    return m;
}
