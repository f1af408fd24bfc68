/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane_fixture.h"

#include "control-plane/interior.h"
#include "tests/faults/fault_vfs.h"

#include <CUnit/CUnit.h>

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the clock ---- */

static int64_t virtual_ms(const struct clock *clock)
{
	return ((const struct fixture *)clock)->now;
}

static bool always_sane(const struct clock *clock)
{
	(void)clock;
	return true;
}

/* ---- the agent ---- */

static struct fixture *scripted; /* the fixture of the running test */

static enum cg_status script_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	(void)host;
	(void)options;
	(void)err;
	*ret_self = scripted;
	return CG_OK;
}

static void script_destroy(void *self)
{
	struct fixture *fixture = self;

	for (size_t i = 0; i < FIXTURE_TURNS; i++)
		fixture->turns[i].live = false;
}

static void note_files(struct agent_turn *turn, const struct agent_prompt *prompt)
{
	char bytes[32];
	size_t used = 0;

	for (size_t i = 0; i < prompt->file_count; i++) {
		const struct agent_file *file = &prompt->files[i];
		FILE *stream = fopen(file->path, "r");

		memset(bytes, 0, sizeof(bytes));
		if (stream != NULL) {
			CU_ASSERT_TRUE(fread(bytes, 1, sizeof(bytes) - 1, stream) > 0);
			fclose(stream);
		}
		used += (size_t)snprintf(turn->files + used, sizeof(turn->files) - used,
			"%s:%s:%u:%s|", file->filename, file->mime_type,
			(unsigned)file->bytes, stream == NULL ? "(gone)" : bytes);
	}
}

static enum cg_status script_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct fixture *fixture = self;
	struct agent_turn *turn = &fixture->turns[fixture->turn_count % FIXTURE_TURNS];
	size_t used = 0;

	if (fixture->refuse_start)
		return cg_error_set(err, CG_BUSY, "the agent is out");
	fixture->turn_count++;
	memset(turn, 0, sizeof(*turn));
	turn->live = true;
	note_files(turn, prompt);
	cg_text_copy(turn->agent, sizeof(turn->agent), prompt->agent);
	turn->sink = *sink;
	turn->arg = arg;
	turn->attempt = prompt->attempt;
	cg_text_copy(turn->text, sizeof(turn->text), prompt->text);
	cg_text_copy(turn->command_id, sizeof(turn->command_id), prompt->command_id);
	cg_text_copy(turn->session_id, sizeof(turn->session_id), prompt->session_id);
	cg_text_copy(turn->runtime_session_id, sizeof(turn->runtime_session_id),
		prompt->runtime_session_id);
	for (size_t i = 0; i < prompt->history_count && used < sizeof(turn->history); i++)
		used += (size_t)snprintf(turn->history + used,
			sizeof(turn->history) - used, "%c:%.20s|",
			prompt->history[i].role == AGENT_ROLE_USER ? 'u' : 'a',
			prompt->history[i].text);
	*ret = turn;
	return CG_OK;
}

static void script_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	turn->cancelled = true;
}

static enum cg_status script_permission(void *self, struct agent_turn *turn,
	const char *permission_id, const char *reply, const char *message)
{
	(void)self;
	snprintf(turn->permission, sizeof(turn->permission), "%s=%s%s%.80s",
		permission_id, reply, message == NULL ? "" : ": ",
		message == NULL ? "" : message);
	return CG_OK;
}

static enum cg_status script_question(void *self, struct agent_turn *turn,
	const char *request_id, struct json_object *answers)
{
	(void)self;
	snprintf(turn->question, sizeof(turn->question), "%s=%s", request_id,
		answers == NULL ? "rejected" : cg_json_text(answers, NULL));
	return CG_OK;
}

static enum cg_status script_steer(
	void *self, struct agent_turn *turn, const struct agent_prompt *prompt)
{
	if (!((struct fixture *)self)->steers)
		return CG_BUSY;
	cg_text_copy(turn->steered, sizeof(turn->steered), prompt->text);
	return CG_OK;
}

static enum cg_status script_settle(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct fixture *fixture = self;
	enum cg_status status = fixture->settles;

	if (status == CG_OK)
		status = script_start(self, prompt, sink, arg, ret, err);
	if (status == CG_OK)
		(*ret)->settled = true;
	return status;
}

static enum cg_status other_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	enum cg_status status = script_start(self, prompt, sink, arg, ret, err);

	if (status == CG_OK)
		(*ret)->other = true;
	return status;
}

static bool script_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)prompt;
	return ((struct fixture *)self)->repeatable;
}

static enum cg_status script_health(void *self, struct cg_error *err)
{
	(void)self;
	(void)err;
	return CG_OK;
}

static const struct agent_ops script_agent = {
	.name = "script",
	.create = script_create,
	.destroy = script_destroy,
	.start = script_start,
	.cancel = script_cancel,
	.permission = script_permission,
	.question = script_question,
	.steer = script_steer,
	.settle = script_settle,
	.repeatable = script_repeatable,
	.health = script_health,
};

/* Has agents of its own, and remembers. */
static const struct agent_ops other_agent = {
	.name = "other-backend",
	.remembers = true,
	.has_agents = true,
	.create = script_create,
	.destroy = script_destroy,
	.start = other_start,
	.cancel = script_cancel,
	.repeatable = script_repeatable,
	.health = script_health,
};

/* ---- the plane ---- */

static void noticed(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	struct fixture *fixture = arg;
	size_t used = strlen(fixture->notices);

	(void)level;
	(void)key;
	(void)value;
	snprintf(fixture->notices + used, sizeof(fixture->notices) - used, "%s ", event);
}

static enum cg_status open_plane(struct fixture *fixture)
{
	const struct plane_agent others[] = {
		{.name = "other", .ops = &other_agent, .options = {.model = "o-2"}}};
	struct plane_options options = {
		.path = fixture->path,
		.vfs = fixture->faulty ? FAULT_VFS : NULL,
		.channels = fixture->channels,
		.channel_count = fixture->channel_count,
		.agent = &script_agent,
		.agent_options = {.model = "script-1",
			.daily_tokens_per_chat = fixture->daily_tokens_per_chat,
			.daily_tokens = fixture->daily_tokens},
		.agents = others,
		.agent_count = 1,
		.ask_ms = fixture->ask_ms,
		.on_notice = noticed,
		.arg = fixture,
	};
	struct cg_error err = {0};
	enum cg_status status;

	scripted = fixture;
	status = plane_create(fixture->loop, NULL, NULL, &options, &fixture->plane, &err);
	if (status == CG_OK)
		fixture_settle(fixture);
	return status;
}

static void prepare(struct fixture *fixture, bool faulty)
{
	static const char *const telegram[] = {"1", "2"};
	static const char *const everyone[] = {"*"};
	char name[17];

	memset(fixture, 0, sizeof(*fixture));
	fixture->clock = (struct clock){
		.wall_ms = virtual_ms, .mono_ms = virtual_ms, .sane = always_sane};
	fixture->now = 1800000000000;
	fixture->settles = CG_UNSUPPORTED;
	fixture->channels[0] = (struct plane_channel){.binding_id = "telegram-binding",
		.provider = "telegram",
		.display_name = "Telegram",
		.allow_from = telegram,
		.allow_count = 2};
	fixture->channels[1] = (struct plane_channel){.binding_id = "webhook-binding",
		.provider = "webhook",
		.display_name = "Webhook",
		.allow_from = everyone,
		.allow_count = 1};
	fixture->channels[2] = (struct plane_channel){.binding_id = "cli-binding",
		.provider = "cli",
		.display_name = "Terminal"};
	fixture->channel_count = 3;
	cg_random_id(name, 12);
	snprintf(fixture->path, sizeof(fixture->path), "/tmp/plane-test-%s.db", name);
	fixture->faulty = faulty;
	if (faulty)
		fault_vfs_install();
	CU_ASSERT_EQUAL_FATAL(loop_create(&fixture->clock, &fixture->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(open_plane(fixture), CG_OK);
}

void fixture_start(struct fixture *fixture)
{
	prepare(fixture, false);
}

void fixture_start_faulty(struct fixture *fixture)
{
	prepare(fixture, true);
}

void fixture_crash(struct fixture *fixture)
{
	fault_vfs_power_off();
	plane_destroy(fixture->plane);
	fixture->plane = NULL;
	CU_ASSERT_EQUAL_FATAL(fault_vfs_lose(FAULT_LOSE, 0), 0);
	CU_ASSERT_EQUAL_FATAL(open_plane(fixture), CG_OK);
}

bool fixture_try_restart(struct fixture *fixture)
{
	plane_destroy(fixture->plane);
	fixture->plane = NULL;
	return open_plane(fixture) == CG_OK;
}

void fixture_restart(struct fixture *fixture)
{
	plane_destroy(fixture->plane);
	fixture->plane = NULL;
	CU_ASSERT_EQUAL_FATAL(open_plane(fixture), CG_OK);
}

void fixture_settle(struct fixture *fixture)
{
	int quiet = 0;

	/* A few turns without any job under way: nothing is left but timers. */
	while (quiet < 8) {
		loop_turn(fixture->loop);
		if (database_pending(fixture->plane->database) > 0) {
			quiet = 0;
			poll(NULL, 0, 1);
		} else {
			quiet++;
		}
	}
}

struct query {
	struct database_job job;
	struct change change;
	const char *sql;
	int64_t number;
	bool done;
};

static enum cg_status query_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct query *query = arg;

	query->change.tx = tx;
	query->change.err = err;
	return change_number(&query->change, query->sql, NO_VALUES, &query->number);
}

static void query_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct query *query = arg;

	(void)err;
	CU_ASSERT_EQUAL(status, CG_OK);
	query->done = true;
}

int64_t fixture_sql(struct fixture *fixture, const char *literal)
{
	struct query query = {.sql = literal};

	query.job.work = query_work;
	query.job.done = query_done;
	query.job.arg = &query;
	CU_ASSERT_EQUAL_FATAL(
		database_submit(fixture->plane->database, &query.job), CG_OK);
	while (!query.done) {
		loop_turn(fixture->loop);
		poll(NULL, 0, 1);
	}
	return query.number;
}

static bool nobody(void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return false;
}

/* The files that the plane kept, and their directory. */
static void remove_files(const char *path)
{
	char directory[80];
	struct file_store store;

	snprintf(directory, sizeof(directory), "%s.files", path);
	CU_ASSERT_EQUAL(file_store_init(&store, directory, NULL), CG_OK);
	file_store_sweep(&store, nobody, NULL);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

void fixture_finish(struct fixture *fixture)
{
	static const char *const ends[] = {
		"", "-wal", "-shm", "-journal", ".lock", "-lock"};
	char path[96];

	plane_destroy(fixture->plane);
	loop_destroy(fixture->loop);
	cg_json_free(fixture->reply);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", fixture->path, ends[i]);
		unlink(path);
	}
	remove_files(fixture->path);
}

static bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(text), size = 0;
	char *bytes = malloc(FIXTURE_FILE);
	bool found = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	if (file != NULL) {
		size = fread(bytes, 1, FIXTURE_FILE, file);
		fclose(file);
	}
	CU_ASSERT_TRUE(size < FIXTURE_FILE);
	for (size_t i = 0; !found && i + length <= size; i++)
		found = memcmp(bytes + i, text, length) == 0;
	free(bytes);
	return found;
}

bool fixture_stored(struct fixture *fixture, const char *text)
{
	char log[80];

	snprintf(log, sizeof(log), "%s-wal", fixture->path);
	return file_has(fixture->path, text) || file_has(log, text);
}

/* ---- requests ---- */

static void answered(void *arg, const struct plane_reply *reply)
{
	struct fixture *fixture = arg;

	fixture->status = reply->status;
	fixture->retry_after_ms = reply->retry_after_ms;
	fixture->reply = cg_json_copy(reply->body);
}

void fixture_call_as(struct fixture *fixture, enum plane_principal_kind kind,
	const char *method, const char *path, const char *body)
{
	struct plane_request request = {
		.method = method, .principal = {.kind = kind, .token = fixture->token}};
	struct plane_exchange *exchange;
	const char *question = strchr(path, '?');
	char plain[512];

	cg_json_free(fixture->reply);
	fixture->reply = NULL;
	fixture->status = 0;
	snprintf(plain, sizeof(plain), "%.*s",
		question == NULL ? (int)strlen(path) : (int)(question - path), path);
	request.path = plain;
	request.query = question == NULL ? NULL : question + 1;
	if (body != NULL)
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse(body, strlen(body), &request.body, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		plane_call(fixture->plane, &request, answered, fixture, &exchange, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(fixture->status, 0); /* never before the call returns */
	cg_json_free(request.body);
	for (int i = 0; i < 5000 && fixture->status == 0; i++) {
		loop_turn(fixture->loop);
		if (fixture->status == 0)
			poll(NULL, 0, 1);
	}
	CU_ASSERT_NOT_EQUAL(fixture->status, 0);
	fixture_settle(fixture);
}

void fixture_call(
	struct fixture *fixture, const char *method, const char *path, const char *body)
{
	fixture_call_as(fixture, PLANE_GATEWAY, method, path, body);
}

static bool find(struct json_object *value, const char *path, struct json_object **ret)
{
	char step[64];

	while (*path != '\0') {
		size_t length = strcspn(path, ".");
		int64_t index;

		snprintf(step, sizeof(step), "%.*s", (int)length, path);
		if (cg_json_is_array(value)) {
			if (!cg_parse_int(step, &index) || index < 0 ||
				(size_t)index >= cg_json_count(value))
				return false;
			value = cg_json_at(value, (size_t)index);
		} else {
			if (!cg_json_has(value, step))
				return false;
			value = cg_json_member(value, step);
		}
		path += length + (path[length] == '.');
	}
	*ret = value;
	return true;
}

const char *json_at(struct json_object *root, const char *path)
{
	struct json_object *value;
	const char *text;

	if (!find(root, path, &value))
		return "";
	text = cg_json_value_string(value, NULL);
	return text != NULL ? text : value == NULL ? "null" : cg_json_text(value, NULL);
}

const char *fixture_text(struct fixture *fixture, const char *path)
{
	return json_at(fixture->reply, path);
}

const char *fixture_keys(struct fixture *fixture, const char *path)
{
	static char keys[1024];
	struct json_object *value;
	const char *text, *begin = NULL;
	size_t used = 0;
	int depth = 0;

	keys[0] = '\0';
	if (!find(fixture->reply, path, &value) || !cg_json_is_object(value))
		return "";
	/* A text at depth 1 that a colon follows is a name. */
	for (text = cg_json_text(value, NULL); *text != '\0'; text++) {
		if (*text == '"') {
			begin = ++text;
			for (; *text != '"'; text++)
				text += *text == '\\';
			if (depth == 1 && text[1] == ':')
				used += (size_t)snprintf(keys + used, sizeof(keys) - used,
					"%s%.*s", used == 0 ? "" : " ",
					(int)(text - begin), begin);
		} else if (*text == '{' || *text == '[') {
			depth++;
		} else if (*text == '}' || *text == ']') {
			depth--;
		}
	}
	return keys;
}

const char *fixture_bind(struct fixture *fixture, const char *chat)
{
	static char ids[8][64];
	static size_t next;
	char *id = ids[next++ % 8];
	char body[512];

	snprintf(body, sizeof(body),
		"{\"channelBindingId\":\"telegram-binding\",\"provider\":\"telegram\","
		"\"externalChatId\":\"%s\",\"externalThreadId\":\"%s\","
		"\"externalUserId\":\"1\","
		"\"title\":\"a chat\"}",
		chat, chat);
	fixture_call(fixture, "POST", "/api/channels/sessions/bind", body);
	CU_ASSERT_EQUAL(fixture->status, 200);
	cg_text_copy(id, sizeof(ids[0]), fixture_text(fixture, "binding.bindingId"));
	return id;
}

void fixture_prompt(
	struct fixture *fixture, const char *binding, const char *text, const char *key)
{
	struct json_object *body = cg_json_new_object();

	cg_json_put_string(body, "bindingId", binding);
	cg_json_put_string(body, "text", text);
	if (key != NULL)
		cg_json_put_string(body, "idempotencyKey", key);
	cg_json_put_string(body, "externalUserId", "1");
	fixture_call(fixture, "POST", "/api/channels/sessions/prompt",
		cg_json_text(body, NULL));
	cg_json_free(body);
}

/* ---- streams ---- */

static void stream_opened(void *arg)
{
	struct fixture_stream *stream = arg;

	CU_ASSERT_FALSE(stream->opened);
	stream->opened = true;
}

static bool stream_event(void *arg, const struct plane_event *event)
{
	struct fixture_stream *stream = arg;

	CU_ASSERT_TRUE(stream->opened);
	if (stream->count < FIXTURE_EVENTS) {
		stream->ids[stream->count] = event->id;
		cg_text_copy(stream->types[stream->count], sizeof(stream->types[0]),
			event->type);
		stream->count++;
	}
	cg_json_free(stream->last);
	stream->last = cg_json_copy(event->data);
	return stream->pause_after == 0 || stream->count < stream->pause_after;
}

static void stream_end(void *arg, const struct plane_reply *reply)
{
	struct fixture_stream *stream = arg;

	stream->ended = true;
	stream->end_status = reply->status;
	stream->exchange = NULL;
}

void fixture_open(struct fixture *fixture, struct fixture_stream *stream,
	const char *path, const char *query)
{
	struct plane_request request = {.method = "GET",
		.path = path,
		.query = query,
		.principal = {.kind = stream->by_token ? PLANE_TOKEN : PLANE_GATEWAY,
			.token = fixture->token}};
	const struct plane_stream_handler handler = {
		stream_opened, stream_event, stream_end, stream};

	stream->fixture = fixture;
	CU_ASSERT_EQUAL_FATAL(plane_stream(fixture->plane, &request, &handler,
				      &stream->exchange, &stream->error),
		CG_OK);
	CU_ASSERT_FALSE(stream->opened);
	fixture_settle(fixture);
}

void fixture_close(struct fixture_stream *stream)
{
	if (stream->exchange != NULL)
		plane_cancel(stream->fixture->plane, stream->exchange);
	stream->exchange = NULL;
	cg_json_free(stream->last);
	stream->last = NULL;
	fixture_settle(stream->fixture);
}

const char *fixture_types(const struct fixture_stream *stream)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < stream->count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
			i == 0 ? "" : " ", stream->types[i]);
	return text;
}

const char *fixture_path(const char *binding, const char *what)
{
	static char path[320];

	snprintf(path, sizeof(path), "/api/channels/sessions/%s%s", binding, what);
	return path;
}

void agent_say(struct agent_turn *turn, const char *message_id, const char *text)
{
	turn->sink.append(turn->arg, message_id, text, strlen(text));
}

void agent_tell(struct agent_turn *turn, const char *type, const char *payload)
{
	struct json_object *value;

	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(payload, strlen(payload), &value, NULL), CG_OK);
	turn->sink.event(turn->arg, type, value);
	cg_json_free(value);
}

void agent_make(struct agent_turn *turn, const char *id, const char *name,
	const char *bytes, const char *path)
{
	const struct agent_artifact artifact = {.id = id,
		.filename = name,
		.mime_type = "text/plain",
		.data = bytes,
		.length = bytes == NULL ? 0 : strlen(bytes),
		.path = path};

	turn->sink.artifact(turn->arg, &artifact);
}

void agent_finish(struct agent_turn *turn, const char *message_id, const char *text)
{
	turn->sink.replace(turn->arg, message_id, text, strlen(text));
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
}

void agent_end(struct fixture *fixture, struct agent_turn *turn)
{
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	fixture_settle(fixture);
}
