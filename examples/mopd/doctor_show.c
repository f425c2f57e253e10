/* SPDX-License-Identifier: MIT
 * doctor_show.c - the findings as text and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

enum { MOST_LINES = 20, MOST_PAIRS = 10 };

static const char *name_of(const doctor *d, size_t c)
{
    return mopd_dataset_class_name(d->all, c);
}

/* -- text ---------------------------------------------------------------------------------------------------- */

static void title(const char *text, size_t n)
{
    printf("\n%s: ", text);
    if (n)
        printf("%zu\n", n);
    else
        puts("none");
}

static void rest(size_t n)
{
    if (n > MOST_LINES) printf("  ... and %zu more; --format json has all\n", n - MOST_LINES);
}

static void show_accuracy(const doctor *d)
{
    printf("%zu pictures of %zu classes\n", d->n, d->n_classes);
    if (d->unjudged) {
        printf("labels are not judged: %s\n", d->unjudged);
        return;
    }
    printf("accuracy by leaving one out %.1f%% (95 %% interval %.1f to %.1f)\n", 100 * d->info.loo_accuracy,
        100 * d->info.loo_low, 100 * d->info.loo_high);
    if (d->has_more)
        printf("twice the pictures of each class would add about %.0f to %.0f points\n", 100 * d->more_low,
            100 * d->more_high);
    else
        puts("what more pictures would add can be told from four pictures a class on");
}

static void show_suspects(const doctor *d)
{
    if (d->unjudged) return;
    title("labels that look wrong", d->n_suspects);
    if (!d->n_suspects) return;
    printf("  (where all labels are right up to %.0f are to be expected)\n", d->alarms * (double)d->n);
    for (size_t i = 0; i < d->n_suspects && i < MOST_LINES; i++) {
        const doctor_suspect *s = d->suspect + i;
        printf("  %s: %s (%.2g%%), likelier %s (%.1f%%)\n", cli_shown(doctor_item(d, s->index).path),
            cli_shown(name_of(d, (size_t)s->label)), 100 * s->probability,
            cli_shown(name_of(d, (size_t)s->other)), 100 * s->other_probability);
    }
    rest(d->n_suspects);
}

/* "in two splits, with two labels", or nothing. */
static void show_conflict(const doctor *d, const doctor_copy *c)
{
    const char *join = "";
    if (doctor_item(d, c->first).split != doctor_item(d, c->second).split) {
        printf(" [%s and %s]", doctor_split_name(doctor_item(d, c->first).split),
            doctor_split_name(doctor_item(d, c->second).split));
        join = " ";
    }
    if (d->label[c->first] != d->label[c->second])
        printf("%s[%s and %s]", *join ? join : " ", cli_shown(name_of(d, (size_t)d->label[c->first])),
            cli_shown(name_of(d, (size_t)d->label[c->second])));
}

static void show_copies(const doctor *d)
{
    title("pictures that are there twice", d->n_copies);
    for (size_t i = 0; i < d->n_copies && i < MOST_LINES; i++) {
        const doctor_copy *c = d->copy + i;
        printf(
            "  %s = %s", cli_shown(doctor_item(d, c->first).path), cli_shown(doctor_item(d, c->second).path));
        if (!c->exact) printf(" (nearly: %.1f%% alike)", 100 * c->likeness);
        show_conflict(d, c);
        putchar('\n');
    }
    rest(d->n_copies);
}

static void show_confusions(const doctor *d)
{
    size_t n;
    const cli_score score = {.n_classes = d->n_classes, .confusion = d->confusion};
    if (d->unjudged) return;
    cli_pair *pair = cli_score_pairs(&score, MOST_PAIRS, &n);
    title("classes taken for each other", n);
    for (size_t i = 0; i < n; i++)
        printf("  %s taken for %s: %u\n", cli_shown(name_of(d, pair[i].is)),
            cli_shown(name_of(d, pair[i].said)), pair[i].n);
    free(pair);
}

static void show_names(const doctor *d)
{
    title("classes with nearly the same name", d->n_names);
    for (size_t i = 0; i < d->n_names && i < MOST_LINES; i++)
        printf("  %s, %s (cosine of their texts %.3f)\n", cli_shown(name_of(d, d->names[i].first)),
            cli_shown(name_of(d, d->names[i].second)), d->names[i].cosine);
    rest(d->n_names);
}

static void show_few(const doctor *d)
{
    size_t n = 0, shown = 0;
    for (size_t c = 0; c < d->n_classes; c++) n += doctor_is_few(d, c);
    title("classes with fewer than four pictures to learn from", n);
    for (size_t c = 0; c < d->n_classes && shown < MOST_LINES; c++) {
        if (!doctor_is_few(d, c)) continue;
        printf("  %s: %zu\n", cli_shown(name_of(d, c)), d->class[c].n);
        shown++;
    }
    rest(n);
}

static void show_looks(const doctor *d)
{
    size_t shown = 0;
    if (!d->n_looked) {
        puts(
            "\nnearly the same, blurred and tiny pictures: the pictures are not at hand, only their features "
            "(--pictures DIR tells where they are)");
        return;
    }
    title("tiny or blurred pictures", d->n_tiny + d->n_blurred);
    for (size_t i = 0; i < d->n && shown < MOST_LINES; i++) {
        const doctor_look *l = d->look + i;
        if (!l->tiny && !l->blurred) continue;
        printf("  %s: %zu x %zu%s\n", cli_shown(doctor_item(d, i).path), l->width, l->height,
            l->blurred ? ", blurred" : "");
        shown++;
    }
    rest(d->n_tiny + d->n_blurred);
}

static void show_bad(const doctor *d)
{
    title("pictures that cannot be read", d->bad.n);
    for (size_t i = 0; i < d->bad.n && i < MOST_LINES; i++) printf("  %s\n", cli_shown(d->bad.item[i]));
    rest(d->bad.n);
}

void doctor_show_text(const doctor *d)
{
    show_accuracy(d);
    show_suspects(d);
    show_copies(d);
    show_bad(d);
    show_looks(d);
    show_few(d);
    show_names(d);
    show_confusions(d);
}

/* -- JSON ---------------------------------------------------------------------------------------------------- */

static json_t *path_json(const doctor *d, size_t i)
{
    return cli_json_text(doctor_item(d, i).path);
}

static json_t *class_json(const doctor *d, size_t c)
{
    return cli_json_text(name_of(d, c));
}

static json_t *loo_json(const doctor *d)
{
    const mopd_recognizer_info *i = &d->info;
    if (i->loo_accuracy < 0) return json_null();
    return json_pack("{s:f, s:f, s:f, s:f}", "accuracy", 100 * i->loo_accuracy, "low", 100 * i->loo_low,
        "high", 100 * i->loo_high, "ece", 100 * i->loo_ece);
}

static json_t *suspects_json(const doctor *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n_suspects; i++) {
        const doctor_suspect *s = d->suspect + i;
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:f, s:f}", "path", path_json(d, s->index), "label",
                      class_json(d, (size_t)s->label), "other", class_json(d, (size_t)s->other),
                      "probability", s->probability, "other_probability", s->other_probability));
    }
    return list;
}

static json_t *copies_json(const doctor *d, bool near)
{
    json_t *list = json_array();
    for (size_t i = near ? d->n_exact : 0; i < d->n_copies; i++) {
        const doctor_copy *c = d->copy + i;
        json_t *paths = json_pack("[o, o]", path_json(d, c->first), path_json(d, c->second));
        if (near) paths = json_pack("{s:o, s:f}", "paths", paths, "likeness", c->likeness);
        json_array_append_new(list, paths);
    }
    return list;
}

static json_t *classes_json(const doctor *d)
{
    json_t *list = json_array();
    for (size_t c = 0; c < d->n_classes; c++) {
        const doctor_class *k = d->class + c;
        json_t *loo = k->n_judged ? json_real(100.0 * (double)k->correct / (double)k->n_judged) : json_null();
        json_array_append_new(list, json_pack("{s:o, s:I, s:o, s:b}", "name", class_json(d, c), "n",
                                        (json_int_t)k->n, "loo", loo, "few", doctor_is_few(d, c)));
    }
    return list;
}

static json_t *confusions_json(const doctor *d)
{
    size_t n;
    const cli_score score = {.n_classes = d->n_classes, .confusion = d->confusion};
    cli_pair *pair = cli_score_pairs(&score, SIZE_MAX, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:i}", "class", class_json(d, pair[i].is), "other",
                                        class_json(d, pair[i].said), "n", (int)pair[i].n));
    free(pair);
    return list;
}

static json_t *names_json(const doctor *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n_names; i++)
        json_array_append_new(list, json_pack("{s:[o, o], s:f}", "classes", class_json(d, d->names[i].first),
                                        class_json(d, d->names[i].second), "cosine", d->names[i].cosine));
    return list;
}

/* null where no picture was at hand. */
static json_t *looks_json(const doctor *d, bool blurred)
{
    if (!d->n_looked) return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const doctor_look *l = d->look + i;
        if (!(blurred ? l->blurred : l->tiny)) continue;
        json_array_append_new(
            list, json_pack("{s:o, s:I, s:I, s:f}", "path", path_json(d, i), "width", (json_int_t)l->width,
                      "height", (json_int_t)l->height, "sharpness", l->sharpness));
    }
    return list;
}

static json_t *bad_json(const doctor *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->bad.n; i++) json_array_append_new(list, cli_json_text(d->bad.item[i]));
    return list;
}

static json_t *more_json(const doctor *d)
{
    if (!d->has_more) return json_null();
    return json_pack("{s:i, s:f, s:f}", "pictures", 2, "low", 100 * d->more_low, "high", 100 * d->more_high);
}

void doctor_show_json(const doctor *d)
{
    json_t *document = json_pack("{s:I, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "n", (json_int_t)d->n, "loo",
        loo_json(d), "suspects", suspects_json(d), "alarms", d->alarms * (double)d->n, "duplicates",
        copies_json(d, false), "near", copies_json(d, true), "classes", classes_json(d), "more",
        more_json(d));
    json_object_set_new(document, "confusions", confusions_json(d));
    json_object_set_new(document, "names", names_json(d));
    json_object_set_new(document, "tiny", looks_json(d, false));
    json_object_set_new(document, "blurred", looks_json(d, true));
    json_object_set_new(document, "unreadable", bad_json(d));
    cli_print_json(document);
}
