/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/story.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

struct story {
    uint64_t number; /* 0: free */
    struct request *request;
    uint64_t until_ms;
    uint32_t *waits; /* for these workers ... */
    size_t waiting;  /* ... so many */
    struct buf lines;
};

struct stories {
    struct story story[STORIES_MOST];
    uint64_t last; /* number given */
};

struct stories *stories_new(void)
{
    struct stories *stories = calloc(1, sizeof *stories);
    if (!stories)
        abort();
    return stories;
}

static void story_clear(struct story *story)
{
    free(story->waits);
    buf_destroy(&story->lines);
    *story = (struct story){0};
}

void stories_destroy(struct stories **stories)
{
    for (size_t i = 0; *stories && i < STORIES_MOST; i++)
        story_clear(&(*stories)->story[i]);
    free(*stories);
    *stories = NULL;
}

/* ---- the end ---- */

/* Lines begin with their time, which sorts as text. */
static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *lines_json(struct buf *lines)
{
    json_t *list = json_array();
    size_t count = 0;
    char *rest = (char *)lines->data;
    for (size_t i = 0; i < lines->size; i++)
        count += lines->data[i] == '\n';
    AUTO(mem_destroy) char **line = calloc(count + 1, sizeof *line);
    if (!line)
        abort();
    for (size_t i = 0; i < count; i++)
        line[i] = strsep(&rest, "\n");
    qsort(line, count, sizeof *line, line_order);
    for (size_t i = 0; i < count; i++) {
        json_t *text = json_string(line[i]);
        json_array_append_new(list, text ? text : json_string("?")); /* a path that is no UTF-8 */
    }
    return list;
}

static void story_end(struct coordinator *c, struct story *story)
{
    json_t *silent = json_array();
    for (size_t i = 0; i < story->waiting; i++)
        json_array_append_new(silent, json_string(sched_worker(c->sched, story->waits[i])->name));
    request_answer(story->request, 200, json_pack("{s:o, s:o}", "lines", lines_json(&story->lines), "silent", silent));
    story_clear(story);
}

void stories_expire(struct coordinator *c, uint64_t now_ms)
{
    for (size_t i = 0; i < STORIES_MOST; i++) {
        struct story *story = &c->stories->story[i];
        if (story->number && (!story->waiting || now_ms >= story->until_ms))
            story_end(c, story);
    }
}

void story_told(struct coordinator *c, uint32_t worker, const Sohoa__Recalled *said)
{
    for (size_t i = 0; i < STORIES_MOST; i++) {
        struct story *story = &c->stories->story[i];
        if (!story->number || story->number != said->number)
            continue;
        for (size_t j = 0; j < story->waiting; j++)
            if (story->waits[j] == worker) {
                story->waits[j] = story->waits[--story->waiting];
                buf_puts(&story->lines, said->lines);
                break;
            }
    }
}

/* ---- the beginning ---- */

static void recall_send(struct coordinator *c, struct story *story, const struct trace_subject *subject)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Recall recall = SOHOA__RECALL__INIT;
    recall.number = story->number;
    recall.page = (char *)(uintptr_t)subject->page;
    recall.page_no = subject->page_no;
    recall.source = (char *)(uintptr_t)subject->source;
    recall.document = (char *)(uintptr_t)subject->document;
    frame.body_case = SOHOA__FRAME__BODY_RECALL;
    frame.recall = &recall;
    for (uint32_t i = 0; i < sched_workers(c->sched); i++) {
        const struct sched_worker *worker = sched_worker(c->sched, i);
        if (worker->connected && gate_send(c->gate, worker->name, &frame))
            story->waits[story->waiting++] = i;
    }
}

int story_ask(struct coordinator *c, struct request *request, const struct trace_subject *subject, struct err *err)
{
    size_t i = 0;
    while (i < STORIES_MOST && c->stories->story[i].number)
        i++;
    if (i == STORIES_MOST)
        return err_set(err, E_TRIES, "%d stories are being gathered (STORIES_MOST): try again", STORIES_MOST);
    struct story *story = &c->stories->story[i];
    *story = (struct story){.number = ++c->stories->last,
                            .request = request,
                            .until_ms = clock_mono_ms() + STORY_WAIT_MS,
                            .waits = calloc(sched_workers(c->sched) + 1u, sizeof *story->waits)};
    if (!story->waits)
        abort();
    trace_recall(subject, &story->lines);
    recall_send(c, story, subject);
    return 0;
}
