/* SPDX-License-Identifier: MIT
 * doctor_csv.c - the findings as lines: kind, what it is about, the other one, a number. */
#include "doctor.h"

static void row(const char *kind, const char *about, const char *other, double number)
{
    cli_csv_field(kind, false);
    cli_csv_field(about, false);
    cli_csv_field(other, false);
    printf("%.6g\r\n", number);
}

static const char *path_of(const doctor *d, size_t i)
{
    return doctor_item(d, i).path;
}

static const char *name_of(const doctor *d, size_t c)
{
    return mopd_dataset_class_name(d->all, c);
}

void doctor_show_csv(const doctor *d)
{
    fputs("kind,about,other,number\r\n", stdout);
    for (size_t i = 0; i < d->n_suspects; i++)
        row("label", path_of(d, d->suspect[i].index), name_of(d, (size_t)d->suspect[i].other),
            d->suspect[i].probability);
    for (size_t i = 0; i < d->n_copies; i++)
        row(d->copy[i].exact ? "copy" : "near", path_of(d, d->copy[i].first), path_of(d, d->copy[i].second),
            d->copy[i].likeness);
    for (size_t i = 0; i < d->bad.n; i++) row("unreadable", d->bad.item[i], "", 0);
    for (size_t i = 0; i < d->n; i++) {
        if (d->look[i].tiny)
            row("tiny", path_of(d, i), "",
                (double)(d->look[i].width < d->look[i].height ? d->look[i].width : d->look[i].height));
        if (d->look[i].blurred) row("blurred", path_of(d, i), "", d->look[i].sharpness);
    }
    for (size_t c = 0; c < d->n_classes; c++)
        if (doctor_is_few(d, c)) row("few", name_of(d, c), "", (double)d->class[c].n);
    for (size_t i = 0; i < d->n_names; i++)
        row("names", name_of(d, d->names[i].first), name_of(d, d->names[i].second), d->names[i].cosine);
}
