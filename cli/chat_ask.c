/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chat_ask.h"

#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAT_LABEL 400 /* bytes of a line that the agent wrote */

static void ask_free(struct chat_ask *ask)
{
	free(ask->id);
	cg_json_free(ask->payload);
	cg_json_free(ask->answers);
}

void chat_asks_finish(struct chat_asks *asks)
{
	for (size_t i = 0; i < asks->count; i++)
		ask_free(&asks->items[i]);
	asks->count = 0;
}

/* ---- showing ---- */

/* One line and no control characters, whatever the agent wrote. */
static void print_line(const char *before, const char *text)
{
	char line[CHAT_LABEL];

	cg_text_copy(line, sizeof(line), text);
	for (char *at = line; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	printf("%s%s\n", before, line);
}

/* The question that is to be answered next. */
static struct json_object *question_of(const struct chat_ask *ask)
{
	return cg_json_at(
		cg_json_array(ask->payload, "questions"), cg_json_count(ask->answers));
}

static void show_question(const struct chat_ask *ask)
{
	struct json_object *question = question_of(ask);
	struct json_object *options = cg_json_array(question, "options");
	char number[32];

	print_line("? ", cg_json_string_or(question, "question", "The agent asks."));
	for (size_t i = 0; i < cg_json_count(options); i++) {
		snprintf(number, sizeof(number), "  %zu  ", i + 1);
		print_line(
			number, cg_json_string_or(cg_json_at(options, i), "label", ""));
	}
	puts(cg_json_bool(question, "multiple", false)
			? "  answer with words or numbers, commas between, or /reject"
			: "  answer with words or a number, or /reject");
}

static void show_permission(const struct chat_ask *ask)
{
	struct json_object *input = cg_json_object(ask->payload, "input");
	const char *what = cg_json_string_or(ask->payload, "description", "");

	if (cg_text_blank(what))
		what = cg_json_string_or(input, "command",
			cg_json_string_or(ask->payload, "tool", "something"));
	print_line("? The agent asks for leave: ", what);
	puts("  /approve, /always, or /deny and why");
}

/* What is to be answered now, if there is something. */
static void show_first(const struct chat_asks *asks)
{
	if (asks->count == 0)
		return;
	if (asks->items[0].question)
		show_question(&asks->items[0]);
	else
		show_permission(&asks->items[0]);
	fflush(stdout);
}

/* ---- coming and going ---- */

static const char *id_of(bool question, struct json_object *payload)
{
	return cg_json_string_or(payload, question ? "requestId" : "permissionId",
		cg_json_string_or(payload, "id", ""));
}

static void forget(struct chat_asks *asks, const char *id)
{
	for (size_t i = 0; i < asks->count; i++) {
		if (strcmp(asks->items[i].id, id) != 0)
			continue;
		ask_free(&asks->items[i]);
		asks->count--;
		memmove(&asks->items[i], &asks->items[i + 1],
			(asks->count - i) * sizeof(asks->items[0]));
		if (i == 0)
			show_first(asks);
		return;
	}
}

static void add(struct chat_asks *asks, bool question, struct json_object *payload)
{
	struct chat_ask *ask = &asks->items[asks->count];

	for (size_t i = 0; i < asks->count; i++) {
		if (strcmp(asks->items[i].id, id_of(question, payload)) == 0)
			return; /* known already */
	}
	if (asks->count == CHAT_ASKS ||
		(question && cg_json_count(cg_json_array(payload, "questions")) == 0))
		return;
	*ask = (struct chat_ask){
		.id = strdup(id_of(question, payload)), .question = question};
	if (ask->id == NULL)
		return;
	ask->payload = cg_json_copy(payload);
	ask->answers = cg_json_new_array();
	asks->count++;
	if (asks->count == 1)
		show_first(asks);
}

static void add_all(struct chat_asks *asks, bool question, struct json_object *list)
{
	for (size_t i = 0; i < cg_json_count(list); i++)
		add(asks, question, cg_json_at(list, i));
}

void chat_asks_begin(struct chat_asks *asks, struct json_object *view)
{
	add_all(asks, false, cg_json_array(view, "pendingApprovals"));
	add_all(asks, true, cg_json_array(view, "pendingQuestions"));
}

void chat_asks_event(
	struct chat_asks *asks, const char *type, struct json_object *payload)
{
	if (strcmp(type, "permission.requested") == 0)
		add(asks, false, payload);
	else if (strcmp(type, "question.asked") == 0)
		add(asks, true, payload);
	else if (strcmp(type, "permission.resolved") == 0)
		forget(asks, id_of(false, payload));
	else if (strcmp(type, "question.resolved") == 0)
		forget(asks, id_of(true, payload));
}

/* ---- answering ---- */

/* A token for the oldest one, and then the answer with it.  Adopts @answer. */
static void send_answer(struct chat_asks *asks, const struct chat_place *place,
	struct json_object *answer)
{
	const struct chat_ask *ask = &asks->items[0];
	struct json_object *body = cg_json_new_object(), *made = NULL, *reply = NULL;
	char id[300];

	cg_text_copy(id, sizeof(id), ask->id);
	cg_json_put_string(body, "sessionId", place->session);
	cg_json_put_string(body, "sessionBindingId", place->binding);
	cg_json_put_string(body, "kind", ask->question ? "question" : "permission");
	cg_json_put_string(body, "targetId", ask->id);
	if (operator_call(place->word, "POST", "/api/channels/interactions", body,
		    &made) == CLI_OK) {
		cg_json_put_string(
			answer, "token", cg_json_string_or(made, "plaintextToken", ""));
		cg_json_put_string(answer, "provider", place->provider);
		cg_json_put_string(answer, "externalUserId", place->user);
		cg_json_put_string(answer, "externalChatId", place->chat);
		cg_json_put_string(answer, "externalThreadId", place->chat);
		operator_call(place->word, "POST", "/api/channels/interactions/resolve",
			answer, &reply);
	}
	cg_json_free(reply);
	cg_json_free(made);
	cg_json_free(body);
	cg_json_free(answer);
	forget(asks, id); /* open still, if that failed: the next start shows it again */
}

static void decide(struct chat_asks *asks, const struct chat_place *place,
	const char *response, const char *why)
{
	struct json_object *answer = cg_json_new_object();

	if (asks->items[0].question)
		cg_json_put_bool(answer, "reject", true);
	else
		cg_json_put_string(answer, "response", response);
	if (!cg_text_blank(why))
		cg_json_put_string(answer, "message", why);
	send_answer(asks, place, answer);
}

/* One choice: the label that a number stands for, else the words themselves. */
static void choose(struct json_object *chosen, struct json_object *options, char *words)
{
	int64_t number;
	char *end;

	words += strspn(words, " ");
	end = words + strlen(words);
	while (end > words && end[-1] == ' ')
		*--end = '\0';
	if (*words == '\0')
		return;
	if (cg_parse_int(words, &number) && number >= 1 &&
		(size_t)number <= cg_json_count(options))
		cg_json_append(chosen,
			cg_json_new_string(cg_json_string_or(
				cg_json_at(options, (size_t)number - 1), "label", "")));
	else
		cg_json_append(chosen, cg_json_new_string(words));
}

/* The line answers the next question; the last one sends them all. */
static void answer_question(
	struct chat_asks *asks, const struct chat_place *place, const char *line)
{
	struct chat_ask *ask = &asks->items[0];
	struct json_object *question = question_of(ask), *answer;
	struct json_object *chosen = cg_json_new_array();
	bool multiple = cg_json_bool(question, "multiple", false);
	char *words = strdup(line), *rest = words, *next;

	while (rest != NULL) {
		next = multiple ? strchr(rest, ',') : NULL;
		if (next != NULL)
			*next++ = '\0';
		choose(chosen, cg_json_array(question, "options"), rest);
		rest = next;
	}
	free(words);
	cg_json_append(ask->answers, chosen);
	if (question_of(ask) != NULL) {
		show_first(asks);
		return;
	}
	answer = cg_json_new_object();
	cg_json_put(answer, "answers", cg_json_ref(ask->answers));
	send_answer(asks, place, answer);
}

/* What follows the word on the line; NULL: it is another one. */
static const char *after_word(const char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0 ||
		(line[length] != ' ' && line[length] != '\0'))
		return NULL;
	return line + length;
}

bool chat_asks_answer(
	struct chat_asks *asks, const struct chat_place *place, const char *line)
{
	static const struct {
		const char *word, *response;
		bool question; /* answers one */
	} words[] = {
		{"/approve", "allow", false},
		{"/always", "always", false},
		{"/deny", "reject", false},
		{"/reject", "reject", true},
	};
	bool question = asks->count > 0 && asks->items[0].question;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *why = after_word(line, words[i].word);

		if (why == NULL)
			continue;
		if (asks->count == 0 || words[i].question != question)
			puts("The agent is not waiting for that.");
		else
			decide(asks, place, words[i].response, why + strspn(why, " "));
		return true;
	}
	if (question)
		answer_question(asks, place, line);
	return question;
}

void chat_asks_refuse(struct chat_asks *asks, const struct chat_place *place)
{
	while (asks->count > 0)
		decide(asks, place, "reject", "nobody is left to answer");
}
