/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a turn shows.  Every part of the model's messages is a message of its own, under a name
 * that is always the same, so that telling it again changes nothing.
 */
#include "control-plane/agents/opencode_turn.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 384 /* of a message's id */

static void part_name(
	const struct agent_turn *turn, const char *part_id, char ret[NAME_MAX_BYTES])
{
	snprintf(ret, NAME_MAX_BYTES, "%.200s:answer:%.127s", turn->prompt.command_id,
		part_id);
}

void opencode_note(struct agent_turn *turn, const char *what, const char *text)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%.200s:%s", turn->prompt.command_id, what);
	turn->sink.replace(turn->arg, name, text, strlen(text));
}

/* ---- what is known ---- */

void opencode_know_message(struct agent_turn *turn, const char *message_id)
{
	for (size_t i = 0; i < OPENCODE_MESSAGES_KNOWN; i++) {
		if (strcmp(turn->messages[i], message_id) == 0)
			return;
	}
	cg_text_copy(turn->messages[turn->message_count++ % OPENCODE_MESSAGES_KNOWN],
		OPENCODE_ID, message_id);
}

const char *opencode_newest_message(const struct agent_turn *turn)
{
	if (turn->message_count == 0)
		return "";
	return turn->messages[(turn->message_count - 1) % OPENCODE_MESSAGES_KNOWN];
}

static bool knows_message(const struct agent_turn *turn, const char *message_id)
{
	for (size_t i = 0; *message_id != '\0' && i < OPENCODE_MESSAGES_KNOWN; i++) {
		if (strcmp(turn->messages[i], message_id) == 0)
			return true;
	}
	return false;
}

static struct opencode_known *find_part(struct agent_turn *turn, const char *id)
{
	for (size_t i = 0; *id != '\0' && i < OPENCODE_PARTS; i++) {
		if (strcmp(turn->parts[i].id, id) == 0)
			return &turn->parts[i];
	}
	return NULL;
}

static struct opencode_known *know_part(
	struct agent_turn *turn, const struct opencode_part *part)
{
	struct opencode_known *known = &turn->parts[turn->part_count++ % OPENCODE_PARTS];

	*known = (struct opencode_known){.kind = part->kind};
	cg_text_copy(known->id, sizeof(known->id), part->id);
	return known;
}

bool opencode_is_child(const struct agent_turn *turn, const char *session_id)
{
	for (size_t i = 0; *session_id != '\0' && i < OPENCODE_CHILDREN; i++) {
		if (strcmp(turn->children[i], session_id) == 0)
			return true;
	}
	return false;
}

void opencode_know_child(struct agent_turn *turn, const char *session_id)
{
	if (*session_id != '\0' && !opencode_is_child(turn, session_id))
		cg_text_copy(turn->children[turn->child_count++ % OPENCODE_CHILDREN],
			OPENCODE_ID, session_id);
}

/* ---- text ---- */

/* False: it has said more than can be shown, and the turn is to end. */
static bool has_room(struct agent_turn *turn, size_t length)
{
	if (length <= OPENCODE_TEXT - turn->shown) {
		turn->shown += length;
		return true;
	}
	turn->said_too_much = true;
	return false;
}

static void show_text(
	struct agent_turn *turn, const struct opencode_part *part, bool past)
{
	struct opencode_known *known = find_part(turn, part->id);
	char name[NAME_MAX_BYTES];

	if (known == NULL)
		known = know_part(turn, part);
	known->stale = past;
	if (part->text == NULL || part->length == 0 || !has_room(turn, part->length))
		return;
	part_name(turn, part->id, name);
	turn->sink.replace(turn->arg, name, part->text, part->length);
}

static bool is_shown(const struct agent_turn *turn, enum opencode_part_kind kind)
{
	return kind == OPENCODE_PART_TEXT ||
	       (kind == OPENCODE_PART_THOUGHT && turn->opencode->options->show_thoughts);
}

void opencode_show_delta(struct agent_turn *turn, const struct opencode_event *event)
{
	const struct opencode_known *known = find_part(turn, event->part_id);
	char name[NAME_MAX_BYTES];

	if (known == NULL || known->stale || !is_shown(turn, known->kind) ||
		event->length == 0 || !has_room(turn, event->length))
		return;
	part_name(turn, event->part_id, name);
	turn->sink.append(turn->arg, name, event->text, event->length);
}

/* ---- tools, files, cost ---- */

static void show_file(struct agent_turn *turn, const char *id, struct json_object *json)
{
	struct opencode_file file;
	struct cg_buffer bytes;

	if (turn->sink.artifact == NULL)
		return;
	cg_buffer_init(&bytes, AGENT_ARTIFACT);
	if (opencode_file_read(json, &bytes, &file)) {
		const struct agent_artifact artifact = {
			.id = id,
			.filename = file.filename,
			.mime_type = file.mime_type,
			.data = bytes.bytes,
			.length = bytes.length,
		};

		turn->sink.artifact(turn->arg, &artifact);
	}
	cg_buffer_finish(&bytes);
}

static void show_attachments(struct agent_turn *turn, const struct opencode_part *part)
{
	struct json_object *list =
		cg_json_array(cg_json_object(part->body, "state"), "attachments");
	char id[2 * OPENCODE_ID];

	for (size_t i = 0; i < cg_json_count(list) && i < 16; i++) {
		snprintf(id, sizeof(id), "%s:%zu", part->id, i);
		show_file(turn, id, cg_json_at(list, i));
	}
}

static void show_tool(struct agent_turn *turn, const struct opencode_part *part)
{
	struct json_object *payload;
	bool ended = strcmp(part->status, "completed") == 0 ||
		     strcmp(part->status, "error") == 0;

	if (strcmp(part->status, "pending") == 0)
		return;
	if (strcmp(part->status, "completed") == 0)
		turn->acted = true;
	/* A call that waits for a permission runs too, as the server sees it. */
	if (!ended)
		cg_text_copy(turn->calling, sizeof(turn->calling), part->call_id);
	else if (strcmp(turn->calling, part->call_id) == 0)
		turn->calling[0] = '\0';
	payload = opencode_tool_payload(part);
	turn->sink.event(turn->arg, "tool.call", payload);
	cg_json_free(payload);
	if (ended && find_part(turn, part->id) == NULL) {
		know_part(turn, part);
		show_attachments(turn, part);
	}
}

/* Costs are added up by those who read them: each is told once. */
static void show_cost(struct agent_turn *turn, const struct opencode_part *part)
{
	struct json_object *payload;

	if (find_part(turn, part->id) != NULL)
		return;
	know_part(turn, part);
	payload = opencode_cost_payload(part);
	turn->sink.event(turn->arg, "cost.updated", payload);
	cg_json_free(payload);
}

void opencode_show_part(struct agent_turn *turn, struct json_object *json, bool past)
{
	struct opencode_part part;

	opencode_part_read(json, &part);
	if (!past && !knows_message(turn, part.message_id))
		return;
	switch (part.kind) {
	case OPENCODE_PART_TEXT:
	case OPENCODE_PART_THOUGHT:
		if (is_shown(turn, part.kind))
			show_text(turn, &part, past);
		break;
	case OPENCODE_PART_TOOL:
		show_tool(turn, &part);
		break;
	case OPENCODE_PART_COST:
		show_cost(turn, &part);
		break;
	case OPENCODE_PART_FILE:
		if (find_part(turn, part.id) == NULL) {
			know_part(turn, &part);
			show_file(turn, part.id, json);
		}
		break;
	case OPENCODE_PART_OTHER:
		break;
	}
}

bool opencode_acted(const struct agent_turn *turn)
{
	return turn->acted || turn->calling[0] != '\0';
}

/* ---- what it asks ---- */

static struct opencode_ask *find_ask(struct agent_turn *turn, const char *id)
{
	for (size_t i = 0; i < turn->ask_count; i++) {
		if (strcmp(turn->asks[i].id, id) == 0)
			return &turn->asks[i];
	}
	return NULL;
}

void opencode_show_ask(
	struct agent_turn *turn, struct json_object *properties, bool question)
{
	const char *id = cg_json_string_or(properties, "id", "");
	const char *call =
		cg_json_string_or(cg_json_object(properties, "tool"), "callID", "");
	struct json_object *payload;

	if (!opencode_id_is_plain(id) || find_ask(turn, id) != NULL ||
		turn->ask_count == OPENCODE_ASKS)
		return;
	turn->asks[turn->ask_count].question = question;
	cg_text_copy(turn->asks[turn->ask_count++].id, OPENCODE_ID, id);
	if (strcmp(turn->calling, call) == 0)
		turn->calling[0] = '\0'; /* it has not begun */
	payload = question ? opencode_question_payload(properties)
			   : opencode_permission_payload(properties);
	turn->sink.event(
		turn->arg, question ? "question.asked" : "permission.requested", payload);
	cg_json_free(payload);
}

bool opencode_forget_ask(struct agent_turn *turn, const char *id)
{
	struct opencode_ask *ask = find_ask(turn, id);

	if (ask == NULL)
		return false;
	*ask = turn->asks[--turn->ask_count];
	return true;
}
