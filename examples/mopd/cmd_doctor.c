/* SPDX-License-Identifier: MIT
 * cmd_doctor.c - mopd doctor: what is wrong with a data set.  What is looked for is in doctor_*.c. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

static const cli_command command = {"doctor", "-d DATA [options]",
    "Looks for faults in labelled pictures: wrong labels, copies, unreadable, tiny and blurred pictures, "
    "classes with too few "
    "pictures or nearly the same name.  Nothing is changed.",
    "  mopd doctor -d pictures/\n"
    "  mopd doctor -d pictures/ --report doctor.html --fix pictures.csv\n"
    "  mopd doctor -d new/ -r birds.safetensors\n"};

bool doctor_trains(const doctor *d, size_t i)
{
    const int32_t split = doctor_item(d, i).split;
    return d->recognizer_path || split == MOPD_SPLIT_NONE || split == MOPD_SPLIT_TRAIN;
}

mopd_item doctor_item(const doctor *d, size_t i)
{
    mopd_item item = {.struct_size = sizeof item};
    mopd_dataset_get_item(d->all, i, &item);
    return item;
}

const char *doctor_split_name(int32_t split)
{
    static const char *const names[] = {"train", "val", "test"};
    return split >= 0 && split < 3 ? names[split] : "";
}

static int open_all(doctor *d)
{
    d->data.bad = &d->bad;
    cli_recognizer_reading(&d->common, d->recognizer_path);
    int status = cli_data_open_encoded(&d->all, &d->encoder, &d->data, &d->common, command.name);
    if (status >= 0) return status;
    const mopd_dataset_info info = cli_data_info(d->all);
    d->n = (size_t)info.n_items;
    d->n_classes = info.n_classes;
    d->dim = info.dim;
    d->label = mopd_dataset_labels(d->all);
    d->features = cli_data_features(d->all, 0, 1);
    return d->features ? -1 : cli_fail_status(MOPD_E_ARG);
}

/* -- the run ------------------------------------------------------------------------------------------------ */

static int show(const doctor *d)
{
    int status = -1;
    if (d->report) status = doctor_write_page(d);
    if (status < 0 && d->fix) status = doctor_write_fix(d);
    if (status >= 0) return status;
    if (cli_is_json(&d->common))
        doctor_show_json(d);
    else if (cli_is_csv(&d->common))
        doctor_show_csv(d);
    else
        doctor_show_text(d);
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static void close_all(doctor *d)
{
    mopd_recognizer_close(d->recognizer);
    mopd_dataset_close(d->all);
    mopd_encoder_close(d->encoder);
    cli_list_free(&d->bad);
    free(d->features);
    free(d->best);
    free(d->own);
    free(d->row);
    free(d->confusion);
    free(d->class);
    free(d->suspect);
    free(d->copy);
    free(d->names);
    free(d->look);
    free(d->signature);
}

static int run(doctor *d)
{
    const double start = cli_seconds();
    int status = cli_check_writable(d->report);
    if (status < 0) status = cli_check_writable(d->fix);
    if (status < 0) status = open_all(d);
    if (status < 0) status = doctor_labels(d);
    if (status < 0) status = doctor_looks(d);
    if (status < 0) status = doctor_copies(d);
    if (status < 0) status = doctor_class_names(d);
    d->seconds = cli_seconds() - start;
    if (status < 0) status = show(d);
    close_all(d);
    return status;
}

int cmd_doctor(int argc, char **argv)
{
    doctor d = {0};
    const cli_option options[] = {
        {"data", 'd', CLI_IN, &d.data.path, "DATA", "folder of class folders, CSV list or feature store",
            NULL},
        {"pictures", 0, CLI_IN, &d.data.pictures, "DIR",
            "folder that the paths of a list or store start from", NULL},
        {"recognizer", 'r', CLI_IN, &d.recognizer_path, "RECOGNIZER",
            "judges the labels (mopd fit); without: one fitted to DATA, each picture left out in its turn",
            NULL},
        {"report", 0, CLI_OUT, &d.report, "FILE.html", "a page with the pictures", NULL},
        {"fix", 0, CLI_OUT, &d.fix, "FILE.csv", "a corrected list, with a remark for each change", NULL},
        CLI_TEMPLATE_OPTIONS(d.prompts, CLI_ONE_PROMPT, "prompts"),
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &d.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = cli_no_arguments(command.name, rest, n_rest, d.data.path);
    if (status < 0 && !d.data.path) status = cli_usage(command.name, "no data: give -d DATA");
    if (status < 0) status = cli_prompts_templates(&d.prompts);
    if (status < 0) status = run(&d);
    cli_prompts_free(&d.prompts);
    return status;
}
