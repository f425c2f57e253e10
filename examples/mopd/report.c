/* SPDX-License-Identifier: MIT
 * report.c - the page around the sections: head, style, summary, table of classes. */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1a1c20;--page:#fff;--faint:#697080;--line:#d9dce3;--bar:#2f6fb5}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--page:#16181c;--faint:#9aa1ae;--line:#343941;--"
    "bar:#5b9be0}}\n"
    "body{margin:0 auto;padding:1rem;max-width:60rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--page)}\n"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
    "p,figcaption{color:var(--faint);margin:.25rem 0}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem "
    "0;padding:0}\n"
    ".facts div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .75rem}\n"
    ".facts b{display:block;font-size:1.25rem}.facts span{color:var(--faint);font-size:.85rem}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%}th,td{padding:.25rem .5rem;text-align:right;"
    "border-bottom:1px solid var(--line)}th:first-child,td:first-child{text-align:left}\n"
    ".bar{display:inline-block;height:.6em;background:var(--bar);border-radius:2px}\n"
    "svg{display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg "
    ".axis{stroke:var(--line)}\n"
    ".curve{width:100%;height:auto;max-width:40rem}\n"
    "@media(max-width:30rem){#classes th:last-child,#classes td:last-child{display:none}}\n"
    ".pair{border-top:1px solid var(--line);padding:.5rem 0}\n"
    ".shots{display:flex;flex-wrap:wrap;gap:.5rem}\n"
    "figure{margin:0;width:8rem}figure "
    "img{width:100%;height:8rem;object-fit:contain;background:var(--line)}\n"
    "figcaption{font-size:.75rem;overflow-wrap:anywhere}\n";

static size_t utf8_length(const unsigned char *s)
{
    if (*s < 0x80) return 1;
    size_t n = *s >= 0xf0 && *s < 0xf5 ? 4 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xc2 && *s < 0xe0 ? 2 : 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    return n;
}

void report_text(FILE *f, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = utf8_length(s);
        if (*s == '<')
            fputs("&lt;", f);
        else if (*s == '>')
            fputs("&gt;", f);
        else if (*s == '&')
            fputs("&amp;", f);
        else if (*s == '"')
            fputs("&quot;", f);
        else if (*s == '\'')
            fputs("&#39;", f);
        else if (!n || *s < 32)
            fputs("\xef\xbf\xbd", f);
        else
            fwrite(s, 1, n, f);
        s += n ? n : 1;
    }
}

static void fact(FILE *f, const char *name, const char *format, double value)
{
    fputs("<div><b>", f);
    fprintf(f, format, value);
    fprintf(f, "</b><span>%s</span></div>\n", name);
}

static void summary(FILE *f, const report *r)
{
    mopd_prompt_info info = {.struct_size = sizeof info};
    mopd_prompt_get_info(r->prompt, &info);
    const mopd_metrics *m = &r->score->metrics;
    fputs("<div class=\"facts\">\n<div><b>", f);
    report_text(f, mopd_method_name(info.method));
    fputs("</b><span>method</span></div>\n", f);
    fact(f, "accuracy", "%.2f&nbsp;%%", m->accuracy);
    fact(f, "macro F1", "%.2f&nbsp;%%", m->macro_f1);
    fact(f, "pictures", "%.0f", (double)m->n);
    fact(f, "classes", "%.0f", (double)r->score->n_classes);
    fact(f, "epochs", "%.0f", (double)info.epoch);
    fact(f, "training time", "%.1f&nbsp;s", r->seconds);
    fputs("</div>\n<p>Accuracy, classes and confusions are measured on the ", f);
    report_text(f, r->scored_on);
    fputs(".</p>\n", f);
}

static void class_table(FILE *f, const report *r)
{
    fputs("<h2>Classes</h2>\n<div class=\"scroll\"><table "
          "id=\"classes\">\n<thead><tr><th>class</th><th>pictures</th>"
          "<th>right</th><th>accuracy</th><th></th></tr></thead>\n<tbody>\n",
        f);
    for (size_t c = 0; c < r->score->n_classes; c++) {
        uint64_t correct, n = cli_score_class(r->score, c, &correct);
        double percent = n ? 100.0 * (double)correct / (double)n : 0;
        fputs("<tr><td>", f);
        report_text(f, mopd_dataset_class_name(r->data, c));
        fprintf(f, "</td><td>%llu</td><td>%llu</td>", (unsigned long long)n, (unsigned long long)correct);
        if (n)
            fprintf(f, "<td>%.1f&nbsp;%%</td>", percent);
        else
            fputs("<td>-</td>", f);
        fprintf(f,
            "<td style=\"width:25%%;text-align:left\"><span class=\"bar\" "
            "style=\"width:%.1f%%\"></span></td></tr>\n",
            percent);
    }
    fputs("</tbody></table></div>\n", f);
}

static void write_page(FILE *f, const report *r)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
        f);
    report_text(f, r->title);
    fprintf(f, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    report_text(f, r->title);
    fputs("</h1>\n", f);
    summary(f, r);
    report_curves(f, r);
    class_table(f, r);
    report_gate(f, r);
    report_confusions(f, r);
    fprintf(f, "<p>Made by mopd %s.</p>\n</body></html>\n", mopd_version_string());
}

int report_write(const char *path, const report *r)
{
    size_t n = strlen(path) + 8;
    char *temp = cli_alloc(n, 1);
    snprintf(temp, n, "%s.part", path);
    FILE *f = fopen(temp, "wbe");
    bool good = f != NULL;
    if (f) {
        write_page(f, r);
        good = !ferror(f);
        good = !fclose(f) && good;
        if (good) good = !rename(temp, path);
    }
    int status = good ? -1 : cli_fail("%s: cannot write the report: %s", path, strerror(errno));
    if (!good) remove(temp);
    free(temp);
    return status;
}
