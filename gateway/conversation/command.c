/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/command.h"

#include "gateway/conversation/decision.h"
#include "gateway/conversation/forgetting.h"
#include "gateway/conversation/standing.h"

#include <stdio.h>
#include <string.h>

static void reply(struct errand *errand, const char *text)
{
	errand_say(errand, "reply", text);
	errand_finish(errand, INBOX_HANDED, "command");
}

static void run_help(struct errand *errand)
{
	reply(errand, words_text(WORDS_HELP));
}

/* /stop */

static void aborted(
	void *arg, const struct cloud_result *result, const struct cloud_abort *abort)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->error == CLOUD_OK)
		reply(errand, words_text(abort->aborted ? WORDS_STOPPED
							: WORDS_NOTHING_TO_STOP));
	else if (result->error == CLOUD_NOT_FOUND)
		reply(errand, words_text(WORDS_NOTHING_TO_STOP));
	else
		errand_failed(errand, result);
}

static void step_abort(struct errand *errand)
{
	struct cloud_session_params params = {.binding_id = errand->binding_id};

	if (errand->binding_id[0] == '\0')
		reply(errand, words_text(WORDS_NOTHING_TO_STOP));
	else if (!errand->conversation->can_abort)
		reply(errand, words_text(WORDS_CANNOT_STOP));
	else
		errand_begun(
			errand, cloud_abort_session(errand->conversation->parts.client,
					&params, aborted, errand, &errand->call));
}

static void run_stop(struct errand *errand)
{
	errand_find_session(errand, step_abort);
}

static void tell_new(struct errand *errand)
{
	reply(errand, words_text(WORDS_NEW));
}

static void run_new(struct errand *errand)
{
	errand_renew(errand, tell_new);
}

/* /approve and /deny CODE */

static void decided(void *arg, const struct cloud_result *result, enum words words)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->error == CLOUD_OK)
		reply(errand, words_text(words));
	else if (result->retryable)
		errand_failed(errand, result);
	else
		reply(errand, words_text(WORDS_CODE_UNKNOWN));
}

static void approved(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	(void)identity;
	decided(arg, result, WORDS_APPROVED);
}

static void denied(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	(void)identity;
	decided(arg, result, WORDS_DENIED);
}

static void decide_person(struct errand *errand, bool approve)
{
	struct cloud_client *client = errand->conversation->parts.client;
	const char *args = errand->message->command_args;
	const char *from = args == NULL ? "" : args + strspn(args, " \t\n");
	struct cloud_actor actor;
	struct cloud_pairing_params params = {.actor = &actor};
	char code[32];
	enum cg_status status;

	snprintf(code, sizeof(code), "%.*s", (int)strcspn(from, " \t\n"), from);
	params.code = code;
	errand_actor(errand, &actor);
	status = approve ? cloud_approve_person(
				   client, &params, approved, errand, &errand->call)
			 : cloud_deny_person(
				   client, &params, denied, errand, &errand->call);
	if (status == CG_INVALID)
		reply(errand,
			words_text(WORDS_CODE_UNKNOWN)); /* no code looks like that */
	else
		errand_begun(errand, status);
}

static void approve_person(struct errand *errand)
{
	decide_person(errand, true);
}

static void deny_person(struct errand *errand)
{
	decide_person(errand, false);
}

/* What the agent asks comes first; a code that it does not know may be a person's. */

static void run_approve(struct errand *errand)
{
	decision_command(errand, CHOICE_APPROVE,
		errand->conversation->can_people ? approve_person : NULL);
}

static void run_deny(struct errand *errand)
{
	decision_command(errand, CHOICE_DENY,
		errand->conversation->can_people ? deny_person : NULL);
}

static void run_answer(struct errand *errand)
{
	decision_command(errand, CHOICE_ANSWER, NULL);
}

static void run_reject(struct errand *errand)
{
	decision_command(errand, CHOICE_REJECT, NULL);
}

chat_command_run chat_command_find(const struct inbox_message *message)
{
	static const struct {
		const char *name;
		chat_command_run run;
	} commands[] = {
		{"help", run_help},
		{"start", run_help},
		{"new", run_new},
		{"forget", forgetting_run},
		{"stop", run_stop},
		{"status", standing_tell},
		{"agent", standing_agent},
		{"approve", run_approve},
		{"allow", run_approve},
		{"deny", run_deny},
		{"answer", run_answer},
		{"reject", run_reject},
	};

	if (message->type != CG_EVENT_COMMAND || message->command == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(message->command, commands[i].name) == 0)
			return commands[i].run;
	}
	return NULL;
}

bool chat_command_waits(const struct inbox_message *message)
{
	return chat_command_find(message) == forgetting_run;
}

bool chat_command_decides(const struct inbox_message *message)
{
	chat_command_run run = chat_command_find(message);

	return run == run_approve || run == run_deny || run == run_answer ||
	       run == run_reject;
}
