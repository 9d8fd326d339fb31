/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The lines of a page as rules look at them: upright, from top to bottom, each with its words, its text, and that text by bare
 * letters (bare.h). What the recogniser took for one line is parted where a wide gap or a rule stands in it: boxes side by side. */
#ifndef SOHOA_LINES_H
#define SOHOA_LINES_H

#include <stdbool.h>

#include "worker/page.h"

struct line {
    const Sohoa__Word **word; /* the page's */
    size_t words;
    int32_t x, y, right, bottom; /* upright, in pixels of the view's size: what skew and rotation did is undone */
    char *text;                  /* words joined by a blank */
    char *bare;
    uint32_t *at;    /* at[i]: byte of text where bare[i] begins; at[length]: where it ends */
    uint16_t *owner; /* owner[i]: which word bare[i] is of, the blank behind a word included */
    size_t length;   /* of bare */
    uint32_t letters, capitals;
    uint32_t confidence_cpct; /* mean of its words, each weighing as many letters as it has */
};

struct lines {
    const Sohoa__Page *page;
    uint32_t page_no;
    int32_t width, height; /* of the upright page */
    int32_t em;            /* usual height of a line */
    struct line *at;
    size_t count;
};

/* page must outlive lines. */
void lines_take(const Sohoa__Page *page, struct lines *lines);
void lines_clear(struct lines *lines);

int32_t line_centre(const struct line *line);
bool line_in_capitals(const struct line *line); /* nearly all its letters are */

/* Where its first letter or digit is, and behind its last one. */
void line_core(const struct line *line, size_t *ret_from, size_t *ret_to);

/* Where bare has what, from `from` on, at the beginning of a word; SIZE_MAX: nowhere. */
size_t line_find(const struct line *line, size_t from, const char *what);
/* Whether the line begins with what, as whole words. */
bool line_begins(const struct line *line, const char *what);

#endif
