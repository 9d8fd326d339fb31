/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each command is asked to tell its options instead of doing anything (enum telling). */
#include "coordinator/ctl/manual.h"

#include <stdio.h>

#include "proto/manual.h"

static void options_tell(const struct command *command, enum telling how)
{
    struct ctl ctl = {.api = "", .telling = how};
    struct err err;
    char name[64], *argv[] = {name, NULL};
    snprintf(name, sizeof name, "%s", command->name);
    command->main(command, &ctl, 1, argv, &err);
}

void manual_print(const struct command *commands, size_t count)
{
    puts("sohoa(1)\n\n# NAME\n\nsohoa - operates a mass-digitisation cluster\n\n# SYNOPSIS\n\n"
         "*sohoa* [--api WHERE] [--ca FILE] [--token-file FILE] [--json] COMMAND ...\n\n# DESCRIPTION\n\n"
         "Admits scans to a Sohoa cluster, tells where they are and what stands in their way, and brings the results. "
         "*sohoa run* is the whole system on one machine.\n\n# OPTIONS\n\n"
         "*--api* WHERE\n\tThe coordinator: ADDRESS:PORT, https://ADDRESS:PORT or unix:PATH.\n\n"
         "*--ca* FILE\n\tThe certificate (PEM) that https is checked with.\n\n"
         "*--token-file* FILE\n\tHolds the token of your account.\n\n"
         "*--json*\n\tJSON on stdout, where the HTTP API's answers are described by /api/v1/openapi.json.\n\n"
         "# COMMANDS\n");
    for (size_t i = 0; i < count; i++) {
        printf("## ");
        manual_text(commands[i].name);
        putchar(' ');
        manual_text(commands[i].operands);
        puts("\n");
        manual_text(commands[i].doc);
        puts("\n");
        options_tell(&commands[i], TELL_MANUAL);
    }
    puts("# ENVIRONMENT\n\n*SOHOA\\_API*\n\tThe coordinator, where --api does not say it.\n\n"
         "*SOHOA\\_CA*\n\tThat certificate, where --ca does not say it; else those of the system.\n\n"
         "*SOHOA\\_TOKEN*\n\tThe token, where --token-file does not say it.\n\n"
         "# EXIT STATUS\n\n*0*\n\tAll is well.\n\n*1*\n\tIt failed.\n\n*2*\n\tWrong use.\n\n*3*\n\t"
         "It ended with dead, quarantined or refused documents, or a check found something.\n\n"
         "# SEE ALSO\n\n*sohoa-coordinator*(8), *sohoa-worker*(8)");
}

/* Names are completed, and behind a command its options; anything else is a file. */
void completion_print(const struct command *commands, size_t count)
{
    puts("_sohoa() {\n  local word=${COMP_WORDS[COMP_CWORD]} command= i options\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n"
         "      --api | --ca | --token-file) ((i++)) ;;\n      -*) ;;\n      *) command=${COMP_WORDS[i]} && break ;;\n"
         "    esac\n  done\n  case $command in");
    printf("    '') options='--api --ca --token-file --json --help --version");
    for (size_t i = 0; i < count; i++)
        printf(" %s", commands[i].name);
    puts("' ;;");
    for (size_t i = 0; i < count; i++) {
        printf("    %s) options='", commands[i].name);
        options_tell(&commands[i], TELL_WORDS);
        puts("' ;;");
    }
    puts("  esac\n  COMPREPLY=()\n  if [[ -z $command || $word == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
         "  else\n    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n  fi\n}\n"
         "complete -o filenames -F _sohoa sohoa");
}
