/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-beanstalk: how many jobs a second beanstalkd takes through put, reserve and delete, asked by the quickest client that
 * was found for it. Exits 0 when every job was done exactly once, 1 when it could not, 2 on wrong use.
 *
 * One thread, one epoll loop. Each connection keeps up to a window of commands in flight, and its reserves come after as many puts of
 * its own: so there is a ready job for each of them, and no reserve ever holds up what was sent after it. A job's number is
 * in its body; what was reserved is counted by that, what is deleted by the server's ids.
 *
 * What was tried, with Debian's beanstalkd 1.12 on two cores (thousand jobs a second over a Unix socket and over TCP, the best of
 * four runs of 50,000 jobs of 32 bytes, its log on a disk with -f50; the server's core is full, it takes 16 and 25 us a job):
 * - Window: 1 takes 5.7 and 5.0, 8 30.7 and 24.7, 32 45 and 31.5, 128 59.9 and 38.1, 512 59.6 and 38.4. Beyond that the
 *   server gets slower by what it holds reserved for one connection. So 128 it is.
 * - Clients: with 2 it is 59.2 and 39.4, with 8 59.9 and 38.9.
 * - A pause before each look at the sockets lets replies gather, and spares the server a wake-up for each: 16 and 25 %
 *   more. Looking all the time instead takes 4 % less than with the pause, and the other core; SO_RCVLOWAT half as much
 *   over TCP.
 * - All puts first: the same up to 40,000 jobs, 2 to 4 % less with 200,000.
 * - reserve-with-timeout: 7 % less over a Unix socket, the same over TCP. Some connections for puts and the others for
 *   the rest: 5 % less, and the same.
 * - Deletes in the order of the reserves, each program on a core of its own, log files of 1 MB: the same. No fsync: 2 %
 *   more. Log files of 100 MB: a third less.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 1000,
    WINDOW_MAX = 10000,
    BYTES_MAX = 65535, /* beanstalkd's own limit, unless told otherwise */
    LINE_BYTES = 64,   /* any command or reply, without the body */
    READ_BYTES = 65536,
    NUMBER_DIGITS = 10, /* of a job, at the start of its body */
    PAUSE_US = 100,
    PAUSE_COMMANDS = 64, /* with fewer in flight the server would run dry in a pause */
    SILENCE_MS = 30000,
    EVENTS = 64
};
#define JOBS_MAX UINT64_C(100000000)

enum command { PUT, RESERVE, DELETE, NONE };

struct link {
    int fd;
    char *out;
    size_t out_from, out_to;
    bool waits_to_write;
    char *in;
    size_t in_bytes;
    unsigned char *expected; /* a ring: the commands whose replies are awaited */
    uint64_t first, in_flight;
    uint64_t *held; /* ids of jobs that are reserved and not yet to be deleted */
    uint64_t held_count;
    uint64_t reserves_due; /* puts that no reserve was sent for */
};

struct run {
    uint64_t port, jobs, clients, window, bytes;
    const char *socket;
    char *filling;       /* of a body, after its number */
    unsigned char *seen; /* a flag a job: it was reserved */
    uint64_t put, inserted, reserved, deleted;
    int epoll;
    struct link *link;
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-beanstalk: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static _Noreturn void fail_reply(const char *wanted, const char *reply, size_t bytes)
{
    fprintf(stderr, "bench-beanstalk: got '%.*s' in place of %s\n", (int)bytes, reply, wanted);
    exit(EXIT_FAILURE);
}

static void *room(size_t count, size_t bytes)
{
    void *found = calloc(count, bytes);
    if (!found)
        fail("memory", strerror(ENOMEM));
    return found;
}

/* ---- commands ---- */

static void put_write(struct run *run, struct link *link)
{
    char *out = link->out + link->out_to;
    int head = sprintf(out, "put 0 0 60 %" PRIu64 "\r\n%0*" PRIu64, run->bytes, NUMBER_DIGITS, run->put++);
    size_t rest = run->bytes - NUMBER_DIGITS;
    memcpy(out + head, run->filling, rest);
    memcpy(out + head + rest, "\r\n", 2);
    link->out_to += (size_t)head + rest + 2;
    link->reserves_due++;
}

static enum command command_next(const struct run *run, const struct link *link)
{
    if (link->held_count)
        return DELETE;
    if (link->reserves_due)
        return RESERVE;
    return run->put < run->jobs ? PUT : NONE;
}

static void command_write(struct run *run, struct link *link, enum command command)
{
    char *out = link->out + link->out_to;
    if (command == PUT) {
        put_write(run, link);
    } else if (command == RESERVE) {
        link->out_to += (size_t)sprintf(out, "reserve\r\n");
        link->reserves_due--;
    } else {
        link->out_to += (size_t)sprintf(out, "delete %" PRIu64 "\r\n", link->held[--link->held_count]);
    }
    link->expected[(link->first + link->in_flight++) % run->window] = (unsigned char)command;
}

static void wait_to_write(struct run *run, struct link *link, bool waits)
{
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = link};
    if (waits != link->waits_to_write && epoll_ctl(run->epoll, EPOLL_CTL_MOD, link->fd, &event))
        fail("epoll", strerror(errno));
    link->waits_to_write = waits;
}

static void link_send(struct run *run, struct link *link)
{
    while (link->out_from < link->out_to) {
        ssize_t sent =
            send(link->fd, link->out + link->out_from, link->out_to - link->out_from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            wait_to_write(run, link, true);
            return;
        }
        if (sent < 0)
            fail("send", strerror(errno));
        link->out_from += (size_t)sent;
    }
    link->out_from = link->out_to = 0;
    wait_to_write(run, link, false);
}

/* Sends what the window has room for; what was written before goes first, alone. */
static void link_fill(struct run *run, struct link *link)
{
    enum command command;
    if (link->out_to == 0)
        while (link->in_flight < run->window && (command = command_next(run, link)) != NONE)
            command_write(run, link, command);
    link_send(run, link);
}

/* ---- replies ---- */

/* The number of a job, by its body. */
static uint64_t body_number(const struct run *run, const char *body)
{
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        if (body[i] < '0' || body[i] > '9')
            fail_reply("the number of a job", body, NUMBER_DIGITS);
        number = number * 10 + (uint64_t)(body[i] - '0');
    }
    if (number >= run->put || memcmp(body + NUMBER_DIGITS, run->filling, run->bytes - NUMBER_DIGITS) != 0)
        fail_reply("the body of a job", body, run->bytes);
    return number;
}

/* Bytes of the reply to a reserve, 0 when not all of it is there. */
static size_t reserved_read(struct run *run, struct link *link, const char *reply, size_t line, size_t there)
{
    char *end;
    if (line < 10 || memcmp(reply, "RESERVED ", 9) != 0)
        fail_reply("RESERVED", reply, line - 1);
    uint64_t id = strtoull(reply + 9, &end, 10);
    if (*end != ' ' || strtoull(end, &end, 10) != run->bytes || *end != '\r')
        fail_reply("RESERVED with a job of this run", reply, line - 1);
    if (there < line + run->bytes + 2)
        return 0;
    uint64_t number = body_number(run, reply + line);
    if (run->seen[number])
        fail_reply("a job that was not reserved before", reply + line, NUMBER_DIGITS);
    run->seen[number] = 1;
    run->reserved++;
    link->held[link->held_count++] = id;
    return line + run->bytes + 2;
}

/* Bytes of the reply to the oldest command, 0 when not all of it is there. */
static size_t reply_read(struct run *run, struct link *link, const char *reply, size_t there)
{
    const char *end = memchr(reply, '\n', there);
    if (!end)
        return 0;
    size_t line = (size_t)(end - reply) + 1;
    if (link->in_flight == 0)
        fail_reply("nothing", reply, line - 1);
    switch (link->expected[link->first]) {
    case PUT:
        if (line < 10 || memcmp(reply, "INSERTED ", 9) != 0)
            fail_reply("INSERTED", reply, line - 1);
        run->inserted++;
        return line;
    case RESERVE: return reserved_read(run, link, reply, line, there);
    default:
        if (line != 9 || memcmp(reply, "DELETED\r", 8) != 0)
            fail_reply("DELETED", reply, line - 1);
        run->deleted++;
        return line;
    }
}

static void link_receive(struct run *run, struct link *link)
{
    ssize_t got = recv(link->fd, link->in + link->in_bytes, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("receive", got ? strerror(errno) : "the server closed the connection");
    link->in_bytes += (size_t)got;
    size_t from = 0, bytes;
    while ((bytes = reply_read(run, link, link->in + from, link->in_bytes - from)) > 0) {
        from += bytes;
        link->first = (link->first + 1) % run->window;
        link->in_flight--;
    }
    link->in_bytes -= from;
    memmove(link->in, link->in + from, link->in_bytes);
}

/* ---- the run ---- */

static int socket_open(const struct run *run)
{
    struct sockaddr_in port = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)run->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    if (run->socket && strlen(run->socket) >= sizeof path.sun_path)
        fail(run->socket, strerror(ENAMETOOLONG));
    if (run->socket)
        memcpy(path.sun_path, run->socket, strlen(run->socket));
    int at_once = 1;
    int fd = socket(run->socket ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (run->socket ? connect(fd, (struct sockaddr *)&path, sizeof path)
                               : connect(fd, (struct sockaddr *)&port, sizeof port)))
        fail("connect", strerror(errno));
    if (!run->socket && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once))
        fail("TCP_NODELAY", strerror(errno));
    return fd;
}

static void link_open(struct run *run, struct link *link)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    link->fd = socket_open(run);
    link->out = room(run->window, LINE_BYTES + run->bytes);
    link->in = room(1, LINE_BYTES + run->bytes + READ_BYTES);
    link->expected = room(run->window, sizeof *link->expected);
    link->held = room(run->window, sizeof *link->held);
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, link->fd, &event))
        fail("epoll", strerror(errno));
}

static void link_close(struct link *link)
{
    close(link->fd);
    free(link->out);
    free(link->in);
    free(link->expected);
    free(link->held);
}

static void run_open(struct run *run)
{
    run->filling = room(run->bytes, 1);
    memset(run->filling, 'x', run->bytes);
    run->seen = room(run->jobs, sizeof *run->seen);
    run->link = room(run->clients, sizeof *run->link);
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll < 0)
        fail("epoll", strerror(errno));
    for (uint64_t i = 0; i < run->clients; i++)
        link_open(run, &run->link[i]);
}

static void run_close(struct run *run)
{
    for (uint64_t i = 0; i < run->clients; i++)
        link_close(&run->link[i]);
    close(run->epoll);
    free(run->link);
    free(run->seen);
    free(run->filling);
}

static void run_step(struct run *run)
{
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
    struct epoll_event event[EVENTS];
    if (run->clients * run->window >= PAUSE_COMMANDS)
        nanosleep(&pause, NULL);
    int events = epoll_wait(run->epoll, event, EVENTS, SILENCE_MS);
    if (events < 0 && errno != EINTR)
        fail("epoll", strerror(errno));
    if (events == 0)
        fail("the server", "it has been silent for 30 s");
    for (int i = 0; i < events; i++) {
        struct link *link = event[i].data.ptr;
        link_receive(run, link);
        link_fill(run, link);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds from the first put to the last DELETED. */
static double run_jobs(struct run *run)
{
    double start_s = now_s();
    for (uint64_t i = 0; i < run->clients; i++)
        link_fill(run, &run->link[i]);
    while (run->deleted < run->jobs)
        run_step(run);
    double seconds = now_s() - start_s;
    if (run->inserted != run->jobs || run->reserved != run->jobs)
        fail("the server", "jobs are missing");
    return seconds;
}

/* ---- options ---- */

static const char usage[] = "Usage: bench-beanstalk --port N | --socket PATH [option...]\n"
                            "Puts, reserves and deletes jobs at a beanstalkd that has none; prints one line of JSON.\n"
                            "\n"
                            "  --port N      of 127.0.0.1, 1-65535\n"
                            "  --socket PATH a Unix socket instead\n"
                            "  --jobs N      1-100000000 (100000)\n"
                            "  --clients N   connections, 1-1000 (1)\n"
                            "  --window N    commands in flight on each, 1-10000 (128)\n"
                            "  --bytes N     of a job, 10-65535 (32)\n"
                            "  --help\n";

static const struct option options[] = {
    {"port",    required_argument, NULL, 'p'},
    {"socket",  required_argument, NULL, 's'},
    {"jobs",    required_argument, NULL, 'j'},
    {"clients", required_argument, NULL, 'c'},
    {"window",  required_argument, NULL, 'w'},
    {"bytes",   required_argument, NULL, 'b'},
    {"help",    no_argument,       NULL, 'h'},
    {NULL,      0,                 NULL, 0  },
};

static _Noreturn void fail_usage(const char *what)
{
    fprintf(stderr, "bench-beanstalk: %s; see --help\n", what);
    exit(2);
}

static uint64_t whole(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number < least || number > most) {
        fprintf(stderr, "bench-beanstalk: '%.40s' is not a whole number from %" PRIu64 " to %" PRIu64 "\n", text, least,
                most);
        exit(2);
    }
    return number;
}

static void options_read(int argc, char **argv, struct run *run)
{
    int key;
    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (key) {
        case 'p': run->port = whole(optarg, 1, UINT16_MAX); break;
        case 's': run->socket = optarg; break;
        case 'j': run->jobs = whole(optarg, 1, JOBS_MAX); break;
        case 'c': run->clients = whole(optarg, 1, CLIENTS_MAX); break;
        case 'w': run->window = whole(optarg, 1, WINDOW_MAX); break;
        case 'b': run->bytes = whole(optarg, NUMBER_DIGITS, BYTES_MAX); break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fail_usage("wrong option");
        }
    if (optind < argc)
        fail_usage("one argument too many");
    if ((run->port != 0) == (run->socket != NULL))
        fail_usage("either --port or --socket");
}

int main(int argc, char **argv)
{
    struct run run = {.jobs = 100000, .clients = 1, .window = 128, .bytes = 32};
    options_read(argc, argv, &run);
    run_open(&run);
    double seconds = run_jobs(&run);
    run_close(&run);
    printf("{\"jobs\":%" PRIu64 ",\"clients\":%" PRIu64 ",\"seconds\":%.3f,\"jobs_per_s\":%.0f}\n", run.jobs,
           run.clients, seconds, (double)run.jobs / seconds);
    return 0;
}
