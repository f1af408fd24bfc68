/* SPDX-License-Identifier: Apache-2.0 */
/* What Slack posts into messages: events, presses of buttons, slash commands. */
#include "wire.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define FIELDS_MAX (1u << 17) /* bytes of a slash command's fields */

static const char *string_or_null(struct json_object *object, const char *key)
{
	const char *text = cg_json_string(object, key);

	return cg_text_blank(text) ? NULL : text;
}

static void message_init(struct slack_message *ret, enum cg_event_type type)
{
	*ret = (struct slack_message){
		.inbound = {.size = sizeof(ret->inbound), .type = type}};
	cg_buffer_init(&ret->text, SLACK_TEXT_MAX);
	cg_buffer_init(&ret->rest, SLACK_TEXT_MAX);
	cg_buffer_init(&ret->fields, FIELDS_MAX);
}

void slack_message_finish(struct slack_message *message)
{
	cg_buffer_finish(&message->text);
	cg_buffer_finish(&message->rest);
	cg_buffer_finish(&message->fields);
}

/* Our user id: as auth.test told, else as the event says for whom it was sent. */
static const char *own_id(const struct slack_reader *reader, struct json_object *envelope)
{
	struct json_object *first;

	if (reader->bot->user_id[0] != '\0')
		return reader->bot->user_id;
	first = cg_json_at(cg_json_array(envelope, "authorizations"), 0);
	return cg_json_string_or(first, "user_id", "");
}

/* ---- People ---- */

/*
 * Ids of people are unique within a workspace, and within an organisation that has several.  A
 * guest of another one, in a shared channel, gets its team behind the id.
 */
static enum cg_status read_person(struct slack_message *ret, const char *user,
	const char *team, const char *own_team, const char *enterprise)
{
	bool foreign = team != NULL && own_team != NULL && enterprise == NULL &&
		       strcmp(team, own_team) != 0;

	/* Half an id might be somebody else's. */
	if (strlen(user) >= SLACK_ID || (foreign && strlen(team) >= SLACK_ID))
		return CG_INVALID;
	snprintf(ret->user_id, sizeof(ret->user_id), "%s%s%s", user, foreign ? "@" : "",
		foreign ? team : "");
	ret->inbound.sender.user_id = ret->user_id;
	ret->inbound.target.user_id = ret->user_id;
	return CG_OK;
}

/* ---- Messages ---- */

/* Joins, topics, edits and the like are no messages to us. */
static bool is_said(const char *subtype)
{
	static const char *const said[] = {
		"file_share", "thread_broadcast", "me_message"};

	if (subtype == NULL)
		return true;
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		if (strcmp(subtype, said[i]) == 0)
			return true;
	}
	return false;
}

static bool is_from_a_person(struct json_object *event, const char *own)
{
	const char *user = string_or_null(event, "user");

	return user != NULL && strcmp(user, own) != 0 && strcmp(user, "USLACKBOT") != 0 &&
	       string_or_null(event, "bot_id") == NULL &&
	       cg_json_object(event, "bot_profile") == NULL &&
	       !cg_json_bool(event, "hidden", false);
}

static bool is_direct(struct json_object *event, const char *channel)
{
	const char *type = string_or_null(event, "channel_type");

	/* app_mention does not say; direct messages have ids of their own. */
	return type != NULL ? strcmp(type, "im") == 0 || strcmp(type, "app_home") == 0
			    : channel[0] == 'D';
}

static void read_file(
	struct json_object *file, struct cg_attachment *ret, const char **ret_url)
{
	const char *url = string_or_null(file, "url_private_download");
	const char *name = string_or_null(file, "name");

	if (url == NULL)
		url = string_or_null(file, "url_private");
	if (name == NULL)
		name = string_or_null(file, "title");
	*ret = (struct cg_attachment){
		.size = sizeof(*ret),
		.file_id = string_or_null(file, "id"),
		.filename = name == NULL ? "file" : name,
		.mime_type = string_or_null(file, "mimetype"),
		.bytes = cg_json_int(file, "size", -1),
	};
	/* Somebody else's server, for which our token is not meant. */
	*ret_url = cg_json_bool(file, "is_external", false) ? NULL : url;
}

static void read_files(struct json_object *event, struct slack_message *ret)
{
	struct json_object *files = cg_json_array(event, "files");
	size_t count = 0;

	for (size_t i = 0; i < cg_json_count(files) && count < SLACK_FILES; i++) {
		struct json_object *file = cg_json_at(files, i);

		if (!cg_json_is_object(file) ||
			strcmp(cg_json_string_or(file, "mode", ""), "tombstone") == 0)
			continue;
		read_file(file, &ret->attachments[count], &ret->urls[count]);
		count++;
	}
	ret->inbound.attachments = ret->attachments;
	ret->inbound.attachment_count = count;
}

/* The text as a person reads it, and what of it is a command behind a mention of us. */
static enum cg_status read_text(const struct slack_reader *reader, const char *raw,
	const char *own, struct slack_message *ret)
{
	const char *text;

	slack_unescape(&ret->text, raw, reader->name, reader->arg);
	slack_unescape(
		&ret->rest, slack_after_mention(raw, own), reader->name, reader->arg);
	if (cg_buffer_status(&ret->text) != CG_OK)
		return cg_buffer_status(&ret->text);
	ret->inbound.text = cg_buffer_string(&ret->text);
	text = cg_buffer_string(&ret->rest);
	text += strspn(text, " \t\n");
	if (!cg_command_parse(text, &ret->command) || ret->command.mention[0] != '\0')
		return CG_OK;
	ret->inbound.type = CG_EVENT_COMMAND;
	ret->inbound.command = ret->command.name;
	ret->inbound.command_args = ret->command.args;
	return CG_OK;
}

/* In a thread of ours no mention is needed, unless somebody else is meant. */
static bool goes_on(
	const struct slack_reader *reader, struct json_object *event, const char *own)
{
	const char *thread = string_or_null(event, "thread_ts");
	const char *parent = string_or_null(event, "parent_user_id");

	if (thread == NULL || slack_mentions_anyone(cg_json_string_or(event, "text", "")))
		return false;
	if (parent != NULL && strcmp(parent, own) == 0)
		return true;
	return reader->knows != NULL &&
	       reader->knows(reader->arg, cg_json_string(event, "channel"), thread);
}

static bool is_for_us(const struct slack_reader *reader, struct json_object *event,
	const char *own, const struct slack_message *message)
{
	const char *channel = message->inbound.target.chat_id;
	bool addressed =
		strcmp(cg_json_string_or(event, "type", ""), "app_mention") == 0 ||
		slack_mentions(cg_json_string_or(event, "text", ""), own);

	if (message->inbound.target.is_direct)
		return true;
	if (reader->allows != NULL && !reader->allows(reader->arg, channel))
		return false;
	switch (reader->channels) {
	case SLACK_CHANNELS_ALL:
		return true;
	case SLACK_CHANNELS_MENTIONS:
		return addressed || goes_on(reader, event, own);
	case SLACK_CHANNELS_COMMANDS:
		break;
	}
	return addressed && message->inbound.type == CG_EVENT_COMMAND;
}

/* Where it was said.  A message in a channel opens a thread, in which we answer. */
static enum cg_status read_place(struct json_object *event, struct slack_message *ret)
{
	struct cg_target *target = &ret->inbound.target;
	const char *channel = string_or_null(event, "channel");
	const char *ts = string_or_null(event, "ts");

	if (channel == NULL || ts == NULL ||
		strlen(channel) + strlen(ts) + 1 >= sizeof(ret->event_id))
		return CG_INVALID;
	target->chat_id = channel;
	target->is_direct = is_direct(event, channel);
	target->message_id = ts;
	target->thread_id = string_or_null(event, "thread_ts");
	if (target->thread_id == NULL && !target->is_direct)
		target->thread_id = ts;
	ret->continues = !target->is_direct;
	ret->inbound.message_id = ts;
	/* One message may come as two events, message and app_mention, and each again: they have
	 * this in common. */
	snprintf(ret->event_id, sizeof(ret->event_id), "%s:%s", channel, ts);
	ret->inbound.event_id = ret->event_id;
	return CG_OK;
}

static enum cg_status read_message(const struct slack_reader *reader,
	struct json_object *envelope, struct json_object *event,
	struct slack_message *ret)
{
	const char *own = own_id(reader, envelope);
	const char *team = string_or_null(event, "user_team");
	enum cg_status status;

	if (!is_said(string_or_null(event, "subtype")) || !is_from_a_person(event, own))
		return CG_NOT_FOUND;
	status = read_place(event, ret);
	if (status != CG_OK)
		return status;
	if (team == NULL)
		team = string_or_null(event, "team");
	status = read_person(ret, cg_json_string(event, "user"), team,
		string_or_null(envelope, "team_id"),
		string_or_null(envelope, "enterprise_id"));
	if (status != CG_OK)
		return status;
	status = read_text(reader, cg_json_string_or(event, "text", ""), own, ret);
	if (status != CG_OK)
		return status;
	read_files(event, ret);
	if (cg_text_blank(ret->inbound.text) && ret->inbound.attachment_count == 0)
		return CG_NOT_FOUND;
	return is_for_us(reader, event, own, ret) ? CG_OK : CG_NOT_FOUND;
}

enum cg_status slack_wire_read_event(const struct slack_reader *reader,
	struct json_object *envelope, struct slack_message *ret)
{
	struct json_object *event = cg_json_object(envelope, "event");
	const char *type = cg_json_string_or(event, "type", "");

	message_init(ret, CG_EVENT_MESSAGE);
	if (event == NULL)
		return CG_INVALID;
	if (strcmp(type, "message") != 0 && strcmp(type, "app_mention") != 0)
		return CG_NOT_FOUND;
	return read_message(reader, envelope, event, ret);
}

/* ---- Presses ---- */

static enum cg_status read_press_person(
	struct json_object *payload, struct slack_message *ret)
{
	struct json_object *user = cg_json_object(payload, "user");
	struct json_object *team = cg_json_object(payload, "team");
	struct json_object *enterprise = cg_json_object(payload, "enterprise");

	ret->inbound.sender.username = string_or_null(user, "username");
	ret->inbound.sender.display_name = string_or_null(user, "name");
	return read_person(ret, cg_json_string(user, "id"),
		string_or_null(user, "team_id"), string_or_null(team, "id"),
		string_or_null(enterprise, "id"));
}

enum cg_status slack_wire_read_press(const struct slack_reader *reader,
	struct json_object *payload, struct slack_message *ret)
{
	struct json_object *action = cg_json_at(cg_json_array(payload, "actions"), 0);
	struct json_object *message = cg_json_object(payload, "message");
	struct json_object *user = cg_json_object(payload, "user");
	const char *channel = string_or_null(cg_json_object(payload, "channel"), "id");
	const char *token = string_or_null(action, "value");
	const char *press = string_or_null(payload, "trigger_id");
	struct cg_target *target = &ret->inbound.target;

	message_init(ret, CG_EVENT_INTERACTION);
	if (press == NULL)
		press = string_or_null(action, "action_ts");
	if (token == NULL || press == NULL || channel == NULL ||
		string_or_null(user, "id") == NULL)
		return CG_NOT_FOUND;
	if (strlen(press) > 200)
		return CG_INVALID;
	target->chat_id = channel;
	target->is_direct = channel[0] == 'D';
	if (!target->is_direct && reader->allows != NULL &&
		!reader->allows(reader->arg, channel))
		return CG_NOT_FOUND;
	target->thread_id = string_or_null(message, "thread_ts");
	target->message_id = string_or_null(message, "ts");
	ret->inbound.message_id = target->message_id;
	snprintf(ret->event_id, sizeof(ret->event_id), "press:%s", press);
	ret->inbound.event_id = ret->event_id;
	ret->interaction = (struct cg_interaction){.id = press, .token = token};
	ret->inbound.interaction = &ret->interaction;
	ret->inbound.text = token;
	return read_press_person(payload, ret);
}

/* ---- Slash commands ---- */

/* The named fields of a form, one behind the other, each ended with NUL. */
enum {
	FIELD_TEXT,
	FIELD_USER,
	FIELD_USER_NAME,
	FIELD_TEAM,
	FIELD_ENTERPRISE,
	FIELD_CHANNEL,
	FIELD_TRIGGER,
	FIELDS,
};

static enum cg_status read_fields(
	const char *body, size_t length, struct cg_buffer *room, const char *ret[FIELDS])
{
	static const char *const names[FIELDS] = {"text", "user_id", "user_name",
		"team_id", "enterprise_id", "channel_id", "trigger_id"};
	size_t offsets[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		enum cg_status status;

		offsets[i] = room->length;
		status = cg_form_value(body, length, names[i], room);
		if (status != CG_OK && status != CG_NOT_FOUND)
			return status;
		cg_buffer_char(room, '\0');
	}
	if (cg_buffer_status(room) != CG_OK)
		return cg_buffer_status(room);
	if (!cg_utf8_valid(room->bytes, room->length))
		return CG_INVALID;
	for (size_t i = 0; i < FIELDS; i++)
		ret[i] = cg_text_blank(room->bytes + offsets[i])
				 ? NULL
				 : room->bytes + offsets[i];
	return CG_OK;
}

/* "/cowgate status" is our command status; "/cowgate and what now" is said as it stands. */
static enum cg_status read_command_text(
	const struct slack_reader *reader, const char *raw, struct slack_message *ret)
{
	slack_unescape(&ret->text, raw, reader->name, reader->arg);
	if (cg_buffer_string(&ret->text)[0] != '/')
		cg_buffer_char(&ret->rest, '/');
	cg_buffer_text(&ret->rest, cg_buffer_string(&ret->text));
	if (cg_buffer_status(&ret->rest) != CG_OK)
		return cg_buffer_status(&ret->rest);
	ret->inbound.text = cg_buffer_string(&ret->text);
	if (!cg_command_parse(cg_buffer_string(&ret->rest), &ret->command))
		return CG_OK;
	ret->inbound.type = CG_EVENT_COMMAND;
	ret->inbound.command = ret->command.name;
	ret->inbound.command_args = ret->command.args;
	return CG_OK;
}

enum cg_status slack_wire_read_command(const struct slack_reader *reader,
	const char *body, size_t length, struct slack_message *ret)
{
	const char *fields[FIELDS], *own_team = reader->bot->team_id;
	enum cg_status status;

	message_init(ret, CG_EVENT_MESSAGE);
	status = read_fields(body, length, &ret->fields, fields);
	if (status != CG_OK)
		return status;
	if (fields[FIELD_USER] == NULL || fields[FIELD_CHANNEL] == NULL ||
		fields[FIELD_TRIGGER] == NULL || strlen(fields[FIELD_TRIGGER]) > 200)
		return CG_INVALID;
	ret->inbound.target = (struct cg_target){
		.chat_id = fields[FIELD_CHANNEL],
		.is_direct = fields[FIELD_CHANNEL][0] == 'D',
	};
	if (!ret->inbound.target.is_direct && reader->allows != NULL &&
		!reader->allows(reader->arg, fields[FIELD_CHANNEL]))
		return CG_NOT_FOUND;
	status = read_person(ret, fields[FIELD_USER], fields[FIELD_TEAM],
		own_team[0] == '\0' ? NULL : own_team, fields[FIELD_ENTERPRISE]);
	if (status != CG_OK)
		return status;
	ret->inbound.sender.username = fields[FIELD_USER_NAME];
	snprintf(ret->event_id, sizeof(ret->event_id), "command:%s",
		fields[FIELD_TRIGGER]);
	ret->inbound.event_id = ret->event_id;
	return read_command_text(
		reader, fields[FIELD_TEXT] == NULL ? "help" : fields[FIELD_TEXT], ret);
}

/* ---- Answers that tell who somebody is ---- */

bool slack_wire_read_auth(struct json_object *answer, struct slack_bot *ret)
{
	const char *user = string_or_null(answer, "user_id");

	if (user == NULL)
		return false;
	cg_text_copy(ret->user_id, sizeof(ret->user_id), user);
	cg_text_copy(ret->bot_id, sizeof(ret->bot_id),
		cg_json_string_or(answer, "bot_id", ""));
	cg_text_copy(ret->team_id, sizeof(ret->team_id),
		cg_json_string_or(answer, "team_id", ""));
	cg_text_copy(ret->name, sizeof(ret->name), cg_json_string_or(answer, "user", ""));
	return true;
}

const char *slack_wire_read_name(struct json_object *answer)
{
	struct json_object *user = cg_json_object(answer, "user");
	struct json_object *profile = cg_json_object(user, "profile");
	const char *name = string_or_null(profile, "display_name");

	if (name == NULL)
		name = string_or_null(profile, "real_name");
	if (name == NULL)
		name = string_or_null(user, "real_name");
	return name != NULL ? name : string_or_null(user, "name");
}
