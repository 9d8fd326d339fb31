/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The command line: one table of commands. Errors go to stderr with what to do; results to stdout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/account.h"
#include "coordinator/ctl/backup.h"
#include "coordinator/ctl/calendar.h"
#include "coordinator/ctl/duplicates.h"
#include "coordinator/ctl/events.h"
#include "coordinator/ctl/get.h"
#include "coordinator/ctl/history.h"
#include "coordinator/ctl/key.h"
#include "coordinator/ctl/ledger.h"
#include "coordinator/ctl/list.h"
#include "coordinator/ctl/manual.h"
#include "coordinator/ctl/notify.h"
#include "coordinator/ctl/order.h"
#include "coordinator/ctl/package.h"
#include "coordinator/ctl/plan.h"
#include "coordinator/ctl/quarantine.h"
#include "coordinator/ctl/rebuild.h"
#include "coordinator/ctl/records.h"
#include "coordinator/ctl/reorganise.h"
#include "coordinator/ctl/reports.h"
#include "coordinator/ctl/rerun.h"
#include "coordinator/ctl/review.h"
#include "coordinator/ctl/run.h"
#include "coordinator/ctl/status.h"
#include "coordinator/ctl/submit.h"
#include "coordinator/ctl/targets.h"
#include "coordinator/ctl/top.h"
#include "coordinator/ctl/trace.h"
#include "coordinator/ctl/unit.h"
#include "coordinator/ctl/why.h"
#include "coordinator/ctl/withdraw.h"

#define API_PRESET "127.0.0.1:7780"

static const struct command command_row[] = {
    {"run",        "PATH... --out DIR",                                             "Reads folders, files or manifests on this machine; results go to DIR.", run_main       },
    {"submit",     "MANIFEST|FOLDER",                                               "Admits a batch to a cluster; --check only looks whether it could be.",  submit_main    },
    {"status",     "[BATCH]",                                                       "Shows where the cluster, or one batch, is.",                            status_main    },
    {"top",        "",                                                              "Shows it live, in a terminal.",                                         top_main       },
    {"units",      "[--verdict V] ...",                                             "Lists units: progress, forecast, what they need.",                      units_main     },
    {"unit",       "CODE|NAME",                                                     "Tells what it is or was, until when, and what it became.",              unit_main      },
    {"batches",    "[--state S] ...",                                               "Lists batches, the last admitted first.",                               batches_main   },
    {"failures",   "[--unit U] [--batch B]",                                        "Lists what failed, by its reason.",                                     failures_main  },
    {"duplicates", "[BATCH] [--unit U] [--kind K]",
     "Lists documents that are the same: by bytes, scanned twice, or by text.",                                                                              duplicates_main},
    {"workers",    "",                                                              "Lists workers.",                                                        workers_main   },
    {"why",        "BATCH|BATCH/N|UNIT",                                            "Says why it, or its document N, waits, is late or failed.",             why_main       },
    {"trace",      "BATCH/N[/PAGE]",                                                "Tells what the logs of coordinator and workers say of a page.",         trace_main     },
    {"events",     "[-f]",                                                          "Tells what was ordered and what stands; with -f what happens.",         events_main    },
    {"get",        "BATCH --out DIR",                                               "Brings a batch's results into DIR.",                                    get_main       },
    {"package",    "BATCH --profile P --out DIR | --check ZIP...",
     "Packs files for hand-over (E-ARK), or looks whether packages are whole.",                                                                              package_main   },
    {"records",    "BATCH [--csv] [--out FILE]",                                    "Prints what is known of each document: CSV or lines of JSON.",
     records_main                                                                                                                                                           },
    {"rerun",      "[BATCH] --where EXPR | BATCH --document N | --list | --undo N",
     "Reads pages again; the old results stay until then.",                                                                                                  rerun_main     },
    {"review",     "list|show|accept|correct|reject|round|close [BATCH[/N]] ...",
     "Tells what waits for people, and what they say: right, corrected, rejected.",                                                                          review_main    },
    {"quarantine", "list|stop|release|purge [BATCH/N ...]",
     "Tells what may be secret and is stopped, and what a person decides.",                                                                                  quarantine_main},
    {"withdraw",   "BATCH",                                                         "Gives up what of a batch is not done yet.",                             withdraw_main  },
    {"plan",       "[--add-cores N] ... | --size [--pages N] ...",
     "Says what will be on time or would be if; --size: what a cluster takes.",                                                                              plan_main      },
    {"targets",    "[PLAN.csv]",                                                    "Shows or imports what is planned: unit, priority, deadline, pages.",    targets_main   },
    {"calendar",   "[FILE.csv]",                                                    "Shows or sets which cores are expected when: nights, holidays.",        calendar_main  },
    {"pause",      "BATCH|UNIT...",                                                 "Grants nothing new of them.",                                           pause_main     },
    {"resume",     "BATCH|UNIT...",                                                 "Goes on with what was paused, by a person or by the breaker.",          resume_main    },
    {"deadline",   "BATCH|UNIT[/N]=DAY...",                                         "Moves deadlines (YYYY-MM-DD or none); /N: of documents of priority N.",
     deadline_main                                                                                                                                                          },
    {"priority",   "BATCH=N...",                                                    "Changes what is given up first when not all can be on time: 5 is.",     priority_main  },
    {"drain",      "WORKER...",                                                     "Gives workers nothing new; what they have they finish.",                drain_main     },
    {"undrain",    "WORKER...",                                                     "Gives drained workers jobs again.",                                     undrain_main   },
    {"report",     "[--week DAY] [--html FILE] ...",
     "Tells what came out in some days, by unit: pages, A4, grades, rejects.",                                                                               reports_main   },
    {"reorganise", "FILE.csv --day DAY [--preview] | --list | --undo N",
     "Ends and begins communes; tells before what that changes.",                                                                                            reorganise_main},
    {"history",    "[BATCH|UNIT|WORKER]",                                           "Shows what was ordered, when, and what stood afterwards.",              history_main   },
    {"ledger",     "verify|checkpoint|key|show ...",                                "Shows what was decided, and whether anybody altered it since.",
     ledger_main                                                                                                                                                            },
    {"prove",      "BATCH/N [--out FILE]",                                          "Writes what proves to anybody what became of a document.",              prove_main     },
    {"account",    "[NAME [--role ROLE] ...]",                                      "Shows who may do what, or makes or changes an account.",                account_main   },
    {"notify",     "--test",                                                        "Tries the receiver of alerts (the coordinator's notify_url).",          notify_main    },
    {"key",        "NAME [--out DIR]",                                              "Makes the key that a coordinator or worker is known by.",               key_main       },
    {"backup",     "FROM TO [--records] | --check TO",
     "Copies what is new in a store to another one, or looks whether a back-up is whole.",                                                                   backup_main    },
    {"restore",    "FROM TO",                                                       "Brings a back-up to an empty store, which coordinators then open.",     restore_main   },
    {"rebuild",    "",                                                              "Rewrites the coordinator's Redis from the store.",                      rebuild_main   },
};

enum { COMMANDS = sizeof command_row / sizeof command_row[0] };

static void help_print(FILE *to)
{
    fputs(
        "usage: sohoa [--api ADDRESS:PORT|https://ADDRESS:PORT|unix:PATH] [--ca FILE] [--token-file FILE] [--json] COMMAND ...\n\n",
        to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %-34s %s\n", command_row[i].name, command_row[i].operands, command_row[i].doc);
    fputs(
        "\nsohoa COMMAND --help shows a command's options; sohoa --completion prints what bash completes by, sohoa --manual\n"
        "the manual page for scdoc.\n"
        "The coordinator is found by --api, else SOHOA_API, else at " API_PRESET ".\n"
        "A coordinator at https://... proves itself with a certificate that --ca, SOHOA_CA or the system vouches for.\n"
        "Who asks is said by the token in --token-file, else in SOHOA_TOKEN; on the coordinator's unix socket nobody is asked.\n"
        "Exit codes: 0 all is well, 1 it failed, 2 wrong use, 3 it ended with dead, quarantined or refused documents (files\n"
        "that are no scans by their type don't count), or a check found something.\n",
        to);
}

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(command_row[i].name, name))
            return &command_row[i];
    return NULL;
}

/* The options before the command. Returns where it is; 0: wrong use, or the end. */
static int command_at(struct ctl *ctl, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **text;
    } option[] = {
        {"--api",        &ctl->api       },
        {"--ca",         &ctl->ca_file   },
        {"--token-file", &ctl->token_file}
    };
    for (int at = 1; at < argc; at++) {
        size_t i = 0, bytes = 0;
        for (; i < sizeof option / sizeof option[0]; i++) /* its name, and then its end or the value */
            if (!strncmp(argv[at], option[i].name, bytes = strlen(option[i].name)) && strchr("=", argv[at][bytes]))
                break;
        if (!strcmp(argv[at], "--json"))
            ctl->json = true;
        else if (i == sizeof option / sizeof option[0])
            return at;
        else if (argv[at][bytes] == '=')
            *option[i].text = argv[at] + bytes + 1;
        else if (at + 1 < argc)
            *option[i].text = argv[++at];
        else
            return at;
    }
    return 0;
}

static int fail(const struct command *command, const struct err *err)
{
    fprintf(stderr, "sohoa %s: %s (%s)\n", command->name, err->text, err_name(err->code));
    if (err->code == E_LOGIN)
        fputs("the token in --token-file, or in SOHOA_TOKEN, says who asks\n", stderr);
    if (err->code != E_USAGE)
        return EXIT_FAILURE;
    fprintf(stderr, "usage: sohoa %s %s; sohoa %s --help says more\n", command->name, command->operands, command->name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    const char *api = getenv("SOHOA_API");
    struct ctl ctl = {.api = api && *api ? api : API_PRESET};
    int at = command_at(&ctl, argc, argv);
    if (at && (!strcmp(argv[at], "--help") || !strcmp(argv[at], "help"))) {
        help_print(stdout);
        return EXIT_SUCCESS;
    }
    if (at && !strcmp(argv[at], "--version")) {
        puts("sohoa " SOHOA_VERSION);
        return EXIT_SUCCESS;
    }
    if (at && !strcmp(argv[at], "--completion")) {
        completion_print(command_row, COMMANDS);
        return EXIT_SUCCESS;
    }
    if (at && !strcmp(argv[at], "--manual")) {
        manual_print(command_row, COMMANDS);
        return EXIT_SUCCESS;
    }
    const struct command *command = at ? command_find(argv[at]) : NULL;
    if (!command) {
        fprintf(stderr, at ? "sohoa: there is no command '%.60s'\n" : "sohoa: which command?\n", at ? argv[at] : "");
        help_print(stderr);
        return EXIT_USAGE;
    }
    int rc = command->main(command, &ctl, argc - at, argv + at, &err);
    return rc < 0 ? fail(command, &err) : rc;
}
