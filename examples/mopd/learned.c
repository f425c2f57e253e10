/* SPDX-License-Identifier: MIT
 * learned.c - options about learned prompts that several subcommands have: how long one is learned, and how far it
 * serves classes that it was not trained on. */
#include "data.h"

int cli_take_length(mopd_trainer_options *o, const cli_length *length, const char *command)
{
    if (length->epochs_given && length->steps_given)
        return cli_usage(command, "--epochs and --steps exclude each other");
    if ((length->epochs_given && !length->epochs) || (length->steps_given && !length->steps))
        return cli_usage(command, "--%s 0: from 1 to 1048576", length->epochs_given ? "epochs" : "steps");
    o->epochs = (uint32_t)length->epochs;
    o->steps = length->steps;
    return -1;
}

void cli_take_templates(mopd_trainer_options *o, const cli_list *templates, bool top_k_given)
{
    o->templates = (const char *const *)templates->item;
    o->n_templates = templates->n;
    if (templates->n && templates->n < o->top_k && !top_k_given) o->top_k = (uint32_t)templates->n;
}

void cli_note_chosen(const cli_common *common, const char *whose, const mopd_trainer_options *o, bool length)
{
    char epochs[32] = "";
    if (length) snprintf(epochs, sizeof epochs, ", epochs %u", (unsigned)o->epochs);
    cli_note(common, "%s--auto chose w %g, w2 %g, top-k %u%s", whose, (double)o->w, (double)o->w2, o->top_k,
        epochs);
}

int cli_check_unseen(double share, const char *command)
{
    if (share >= 0 && share <= 1) return -1;
    return cli_usage(command, "--unseen %g: from 0 to 1", share);
}
