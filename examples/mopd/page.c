/* SPDX-License-Identifier: MIT
 * page.c - the frame of a page: head, style, escaped text, bars, who made it and when. */
#include "page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1a1c20;--page:#fff;--faint:#596070;--line:#d9dce3;--bar:#2f6fb5;"
    "--span:#16365a;--track:#eef0f4}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--page:#16181c;--faint:#9aa1ae;--line:#343941;"
    "--bar:#4a86c8;--span:#d3e4f7;--track:#22262c}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:60rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--page);overflow-wrap:anywhere}\n"
    "h1{font-size:1.5rem;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
    "p,figcaption,small{color:var(--faint);margin:.25rem 0}p b{color:var(--ink)}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem 0}\n"
    ".facts div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .75rem}\n"
    ".facts b{display:block;font-size:1.25rem;overflow-wrap:normal}.facts span{color:var(--faint);"
    "font-size:.85rem}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%}th,td{padding:.25rem .5rem .25rem 0;text-align:right;"
    "border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:600;white-space:nowrap}\n"
    "th:first-child,td:first-child,.left{text-align:left}.own td{font-weight:600}\n"
    "td.bar{width:34%;padding:.55rem 0 0 .25rem}td.num{white-space:nowrap}\n"
    ".track{position:relative;display:block;height:.8em;background:var(--track);border-radius:2px}\n"
    ".track i,.track u{position:absolute;display:block}.track i{top:0;bottom:0;left:0;background:var(--bar);"
    "border-radius:2px}\n"
    ".track u{top:calc(50% - 1px);height:2px;background:var(--span)}\n"
    "svg{display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg "
    ".axis{stroke:var(--line)}\n"
    ".curve{width:100%;height:auto;max-width:40rem}\n"
    "@media(max-width:34rem){.wide{display:none}table{font-size:.85rem}td.bar{width:26%}}\n"
    ".pair{border-top:1px solid var(--line);padding:.5rem 0}\n"
    ".shots{display:flex;flex-wrap:wrap;gap:.5rem}\n"
    "figure{margin:0;width:8rem}figure img{width:100%;height:8rem;object-fit:contain;background:"
    "var(--track)}\n"
    "figcaption{font-size:.75rem}\n";

void page_text(FILE *f, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = cli_utf8_bytes((const char *)s);
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

void page_bar(FILE *f, double percent, double low, double high)
{
    fprintf(f, "<span class=\"track\"><i style=\"width:%.1f%%\"></i>", percent);
    if (low <= high) fprintf(f, "<u style=\"left:%.1f%%;width:%.1f%%\"></u>", low, high - low);
    fputs("</span>", f);
}

/* The date that the page is to carry; false when it is the clock's. */
static bool given_date(time_t *when)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    errno = 0;
    long long seconds = text ? strtoll(text, &end, 10) : 0;
    bool given = text && end != text && !*end && !errno && seconds >= 0;
    *when = given ? (time_t)seconds : time(NULL);
    return given;
}

void page_made(FILE *f, double seconds)
{
    time_t when;
    char date[64] = "";
    bool given = given_date(&when);
    const struct tm *parts = gmtime(&when);
    if (parts) strftime(date, sizeof date, " on %Y-%m-%d at %H:%M UTC", parts);
    fprintf(f, "<p>Made by mopd %s%s", mopd_version_string(), date);
    if (!given) fprintf(f, "; it took %.1f&nbsp;s", seconds);
    fputs(".</p>\n", f);
}

typedef struct page {
    const char *title;
    void (*body)(FILE *f, const void *context);
    const void *context;
} page;

static void write_all(FILE *f, const void *context)
{
    const page *p = context;
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
        f);
    page_text(f, p->title);
    fprintf(f, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    page_text(f, p->title);
    fputs("</h1>\n", f);
    p->body(f, p->context);
    fputs("</body></html>\n", f);
}

int page_write(
    const char *path, const char *title, void (*body)(FILE *f, const void *context), const void *context)
{
    const page p = {title, body, context};
    return cli_write_file(path, write_all, &p);
}
