/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/rig.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/text.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct rig *rig_of(const struct cg_host *host)
{
	union {
		const struct cg_host *host;
		struct rig *rig;
	} pun = {.host = host};

	return pun.rig;
}

static void *must(void *pointer)
{
	if (pointer == NULL)
		abort();
	return pointer;
}

static void copy(char *ret, size_t size, const char *text)
{
	cg_text_copy(ret, size, text == NULL ? "" : text);
}
#define COPY(field, text) copy(field, sizeof(field), text)

/* ---- Settings ---- */

static const struct rig *rig_of_settings(const struct cg_settings *settings)
{
	return (const struct rig *)(const void *)((const char *)settings -
						  offsetof(struct rig, settings));
}

static const struct cg_option *find_option(const struct rig *rig, const char *name)
{
	for (uint32_t i = 0; i < rig->provider->option_count; i++) {
		if (strcmp(rig->provider->options[i].name, name) == 0)
			return &rig->provider->options[i];
	}
	CU_FAIL("a setting is read that was not declared");
	return NULL;
}

static const char *raw(const struct cg_settings *settings, const char *name)
{
	const struct rig *rig = rig_of_settings(settings);
	const struct cg_option *option = find_option(rig, name);

	for (const struct rig_pair *pair = rig->pairs; pair->name != NULL; pair++) {
		if (strcmp(pair->name, name) == 0)
			return pair->value;
	}
	return option == NULL ? NULL : option->fallback;
}

static int64_t get_integer(const struct cg_settings *settings, const char *name)
{
	int64_t number = 0;
	const char *text = raw(settings, name);

	CU_ASSERT_TRUE(text == NULL || cg_parse_int(text, &number));
	return number;
}

static bool get_boolean(const struct cg_settings *settings, const char *name)
{
	const char *text = raw(settings, name);

	return text != NULL && strcmp(text, "true") == 0;
}

static size_t get_count(const struct cg_settings *settings, const char *name)
{
	const char *text = raw(settings, name);
	size_t count = text != NULL;

	for (; text != NULL && *text != '\0'; text++)
		count += *text == ',';
	return count;
}

static const char *get_item(
	const struct cg_settings *settings, const char *name, size_t index)
{
	static char item[256];
	const char *text = raw(settings, name);

	for (; index > 0; index--)
		text = strchr(text, ',') + 1;
	snprintf(item, sizeof(item), "%.*s", (int)strcspn(text, ","), text);
	return item;
}

static const char *get_secret(
	const struct cg_settings *settings, const char *name, size_t *length)
{
	const char *text = raw(settings, name);

	*length = text == NULL ? 0 : strlen(text);
	return text;
}

bool rig_leaks(const struct rig *rig, const char *text)
{
	for (const struct rig_pair *pair = rig->pairs; pair->name != NULL; pair++) {
		const struct cg_option *option = find_option(rig, pair->name);

		if (option != NULL && option->kind == CG_OPTION_SECRET && text != NULL &&
			pair->value[0] != '\0' && strstr(text, pair->value) != NULL)
			return true;
	}
	return false;
}

/* ---- The host ---- */

static int64_t host_wall(const struct cg_host *host)
{
	return rig_of(host)->wall_ms;
}

static int64_t host_mono(const struct cg_host *host)
{
	return rig_of(host)->mono_ms;
}

static bool host_sane(const struct cg_host *host)
{
	return !rig_of(host)->clock_unset;
}

static struct cg_timer *host_timer_start(
	const struct cg_host *host, int64_t delay_ms, cg_callback fire, void *arg)
{
	struct rig *rig = rig_of(host);
	struct cg_timer *timer = &rig->timers[rig->timer_count++ % RIG_SLOTS];

	CU_ASSERT_FALSE(timer->open);
	CU_ASSERT_TRUE(delay_ms >= 0);
	*timer = (struct cg_timer){
		.open = true, .at_ms = rig->mono_ms + delay_ms, .fire = fire, .arg = arg};
	return timer;
}

static void host_timer_cancel(const struct cg_host *host, struct cg_timer *timer)
{
	(void)host;
	if (timer == NULL)
		return;
	CU_ASSERT_TRUE(timer->open); /* a fired timer is gone */
	timer->open = false;
}

static enum cg_status host_offload(
	const struct cg_host *host, cg_callback work, cg_callback done, void *arg)
{
	work(arg);
	return host_timer_start(host, 0, done, arg) == NULL ? CG_NOMEM : CG_OK;
}

static void append(struct cg_http_call *call, const void *bytes, size_t length)
{
	call->body = must(realloc(call->body, call->body_length + length + 1));
	if (length > 0)
		memcpy(call->body + call->body_length, bytes, length);
	call->body_length += length;
	call->body[call->body_length] = '\0';
}

/* What goes over the wire: body, the bytes of the file, tail. */
static void keep_body(struct cg_http_call *call, const struct cg_http_request *request)
{
	char piece[4096];
	size_t length;
	FILE *file;

	append(call, request->body, request->body_length);
	if (request->body_file != NULL) {
		file = must(fopen(request->body_file, "rb"));
		while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
			append(call, piece, length);
		fclose(file);
	}
	append(call, request->body_tail, request->body_tail_length);
}

static enum cg_status host_http_start(const struct cg_host *host,
	const struct cg_http_request *request, struct cg_http_call **ret_call,
	struct cg_error *err)
{
	struct rig *rig = rig_of(host);
	struct cg_http_call *call = &rig->calls[rig->call_count % RIG_SLOTS];

	if (rig->refuse_http) {
		if (err != NULL)
			COPY(err->text, "too many exchanges are under way");
		return CG_LIMIT;
	}
	rig->call_count++;
	CU_ASSERT_FALSE(call->open);
	CU_ASSERT_TRUE(request->size == sizeof(*request));
	CU_ASSERT_TRUE(request->timeout_ms > 0);
	free(call->body);
	*call = (struct cg_http_call){.open = true,
		.flags = request->flags,
		.reach = request->reach,
		.response_limit = request->response_limit,
		.header_count = request->header_count,
		.timeout_ms = request->timeout_ms,
		.data = request->on_data,
		.done = request->on_done,
		.arg = request->arg};
	COPY(call->url, request->url);
	COPY(call->method, request->method);
	COPY(call->pool, request->pool);
	for (size_t i = 0; i < request->header_count && i < 16; i++) {
		COPY(call->names[i], request->headers[i].name);
		COPY(call->values[i], request->headers[i].value);
	}
	COPY(call->proxy, request->proxy);
	COPY(call->ca_file, request->ca_file);
	keep_body(call, request);
	*ret_call = call;
	return CG_OK;
}

static void host_http_cancel(const struct cg_host *host, struct cg_http_call *call)
{
	(void)host;
	CU_ASSERT_TRUE(call->open);
	call->open = false;
	call->cancelled = true;
}

static void host_log(
	const struct cg_host *host, enum cg_log_level level, const char *text)
{
	(void)level;
	rig_of(host)->log_count++;
	CU_ASSERT_FALSE(rig_leaks(rig_of(host), text));
}

static struct rig_submission *new_submission(
	struct rig *rig, cg_submit_done done, void *arg)
{
	struct rig_submission *submission =
		&rig->submissions[rig->submission_count++ % RIG_SLOTS];

	CU_ASSERT_FALSE(submission->open);
	*submission =
		(struct rig_submission){.open = done != NULL, .done = done, .arg = arg};
	return submission;
}

static void keep_message(struct rig_submission *ret, const struct cg_inbound *inbound)
{
	COPY(ret->event_id, inbound->event_id);
	COPY(ret->fallback_key, inbound->fallback_key);
	COPY(ret->message_id, inbound->message_id);
	COPY(ret->chat_id, inbound->target.chat_id);
	COPY(ret->thread_id, inbound->target.thread_id);
	COPY(ret->user_id, inbound->target.user_id);
	COPY(ret->sender_id, inbound->sender.user_id);
	COPY(ret->username, inbound->sender.username);
	COPY(ret->name, inbound->sender.display_name);
	COPY(ret->text, inbound->text);
	COPY(ret->command, inbound->command);
	COPY(ret->args, inbound->command_args);
	ret->type = inbound->type;
	ret->has_raw = inbound->raw != NULL;
	ret->is_direct = inbound->target.is_direct;
	ret->is_bot = inbound->sender.is_bot;
	ret->attachments = inbound->attachment_count;
	if (inbound->attachment_count > 0) {
		COPY(ret->filename, inbound->attachments[0].filename);
		ret->file_bytes = inbound->attachments[0].bytes;
	}
	for (size_t i = 0; i < inbound->attachment_count && i < RIG_FILES; i++) {
		const struct cg_attachment *attachment = &inbound->attachments[i];

		CU_ASSERT_EQUAL(attachment->size, sizeof(*attachment));
		COPY(ret->files[i].filename, attachment->filename);
		COPY(ret->files[i].mime_type, attachment->mime_type);
		COPY(ret->files[i].file_id, attachment->file_id);
		COPY(ret->files[i].spool_path, attachment->spool_path);
		ret->files[i].bytes = attachment->bytes;
	}
	if (inbound->interaction != NULL) {
		COPY(ret->press, inbound->interaction->id);
		COPY(ret->token, inbound->interaction->token);
		ret->pressed_by_command = inbound->interaction->is_command;
	}
	if (inbound->checkpoint != NULL) {
		COPY(ret->checkpoint_key, inbound->checkpoint->key);
		COPY(ret->checkpoint, inbound->checkpoint->value);
	}
}

static void host_submit(const struct cg_host *host, const struct cg_inbound *inbound,
	cg_submit_done done, void *arg)
{
	CU_ASSERT_EQUAL(inbound->size, sizeof(*inbound));
	CU_ASSERT_PTR_NOT_NULL(inbound->target.chat_id);
	CU_ASSERT_PTR_NOT_NULL(inbound->sender.user_id);
	CU_ASSERT_TRUE(inbound->event_id != NULL || inbound->fallback_key != NULL);
	keep_message(new_submission(rig_of(host), done, arg), inbound);
}

const char *rig_kept(const struct rig *rig, const char *key)
{
	for (size_t i = 0; i < rig->kept_count; i++) {
		if (strcmp(rig->kept[i].key, key) == 0)
			return rig->kept[i].value;
	}
	return NULL;
}

void rig_keep(struct rig *rig, const char *key, const char *value)
{
	size_t at = 0;

	while (at < rig->kept_count && strcmp(rig->kept[at].key, key) != 0)
		at++;
	if (at == RIG_KEPT)
		abort();
	if (at == rig->kept_count)
		rig->kept_count++;
	COPY(rig->kept[at].key, key);
	COPY(rig->kept[at].value, value);
	COPY(rig->stored_key, key);
	COPY(rig->stored, value);
}

static void host_checkpoint(const struct cg_host *host,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg)
{
	struct rig *rig = rig_of(host);

	rig->checkpoints++;
	rig_keep(rig, checkpoint->key, checkpoint->value);
	if (done != NULL)
		new_submission(rig, done, arg);
}

static bool host_checkpoint_load(
	const struct cg_host *host, const char *key, char *ret_value, size_t size)
{
	const char *value = rig_kept(rig_of(host), key);

	if (value == NULL)
		return false;
	copy(ret_value, size, value);
	return true;
}

static void host_health(const struct cg_host *host, const struct cg_health *health)
{
	struct rig *rig = rig_of(host);

	rig->health = *health;
	rig->health_count++;
	COPY(rig->health_detail, health->detail);
	CU_ASSERT_FALSE(rig_leaks(rig, health->detail));
}

static void host_random(const struct cg_host *host, void *bytes, size_t length)
{
	(void)host;
	memset(bytes, 7, length);
}

static enum cg_status host_spool(const struct cg_host *host, uint64_t limit, int *ret_fd,
	char *ret_path, size_t path_size, struct cg_error *err)
{
	struct rig *rig = rig_of(host);
	char path[128];

	(void)limit, (void)err;
	if (rig->refuse_spool)
		return CG_FULL;
	if (rig->spool[0] == '\0') {
		COPY(rig->spool, "/tmp/cowgate-rig-XXXXXX");
		must(mkdtemp(rig->spool));
	}
	snprintf(path, sizeof(path), "%s/file-XXXXXX", rig->spool);
	*ret_fd = mkstemp(path);
	copy(ret_path, path_size, path);
	return *ret_fd < 0 ? CG_IO : CG_OK;
}

static enum cg_status host_watch(
	const struct cg_host *host, int fd, cg_callback ready, void *arg)
{
	struct rig *rig = rig_of(host);

	rig->watched_fd = ready == NULL ? -1 : fd;
	rig->watched = ready;
	rig->watched_arg = arg;
	return CG_OK;
}

static void host_quit(const struct cg_host *host)
{
	rig_of(host)->quit_count++;
}

/* ---- Modules ---- */

/* The descriptor in @path if it has @kind; NULL: not that one, or no module. */
static const struct cg_plugin *open_module(const char *path, const char *kind)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct cg_plugin *plugin = NULL;

	if (module == NULL)
		fprintf(stderr, "%s\n", dlerror());
	else
		plugin = dlsym(module, "cg_plugin");
	for (uint32_t i = 0; plugin != NULL && i < plugin->provider_count; i++) {
		if (strcmp(plugin->providers[i]->kind, kind) == 0)
			return plugin;
	}
	return NULL;
}

const struct cg_plugin *rig_plugin(const char *kind)
{
	const char *name = getenv("COWGATE_RIG_MODULES");
	const struct cg_plugin *plugin = NULL;
	struct dirent *entry;
	DIR *directory;
	char path[1024];

	if (name == NULL)
		name = RIG_MODULES;
	directory = must(opendir(name));
	while (plugin == NULL && (entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');

		if (end == NULL || strcmp(end, ".so") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		plugin = open_module(path, kind);
	}
	closedir(directory);
	if (plugin == NULL) {
		fprintf(stderr, "no module in %s has the kind %s\n", name, kind);
		abort();
	}
	return plugin;
}

const struct cg_provider *rig_provider(const char *kind)
{
	const struct cg_plugin *plugin = rig_plugin(kind);
	uint32_t i = 0;

	while (strcmp(plugin->providers[i]->kind, kind) != 0)
		i++;
	return plugin->providers[i];
}

struct rig *rig_new(const char *kind, const struct rig_pair *pairs)
{
	struct rig *rig = must(calloc(1, sizeof(*rig)));

	rig->provider = rig_provider(kind);
	rig->pairs = pairs;
	rig->mono_ms = 1000;
	rig->wall_ms = INT64_C(1700000000000);
	rig->watched_fd = -1;
	rig->host = (struct cg_host){.size = sizeof(struct cg_host),
		.abi = CG_PLUGIN_ABI,
		.instance_id = kind,
		.wall_ms = host_wall,
		.mono_ms = host_mono,
		.clock_sane = host_sane,
		.timer_start = host_timer_start,
		.timer_cancel = host_timer_cancel,
		.offload = host_offload,
		.http_start = host_http_start,
		.http_cancel = host_http_cancel,
		.log = host_log,
		.submit = host_submit,
		.checkpoint = host_checkpoint,
		.checkpoint_load = host_checkpoint_load,
		.health = host_health,
		.random = host_random,
		.spool_create = host_spool,
		.watch = host_watch,
		.quit = host_quit};
	rig->settings = (struct cg_settings){.size = sizeof(struct cg_settings),
		.instance_id = kind,
		.kind = kind,
		.string = raw,
		.integer = get_integer,
		.boolean = get_boolean,
		.count = get_count,
		.item = get_item,
		.secret = get_secret};
	return rig;
}

enum cg_status rig_create(struct rig *rig, struct cg_error *err)
{
	struct cg_error own = {.text = ""};
	enum cg_status status;

	if (err == NULL)
		err = &own;
	status = rig->provider->ops->create(&rig->host, &rig->settings, &rig->self, err);
	CU_ASSERT_FALSE(rig_leaks(rig, err->text));
	return status;
}

void rig_up(struct rig *rig)
{
	if (rig_create(rig, NULL) != CG_OK ||
		rig->provider->ops->start(rig->self, NULL) != CG_OK)
		abort();
}

static void remove_spool(struct rig *rig)
{
	struct dirent *entry;
	DIR *directory;

	if (rig->spool[0] == '\0')
		return;
	directory = must(opendir(rig->spool));
	while ((entry = readdir(directory)) != NULL)
		unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	rmdir(rig->spool);
}

void rig_destroy(struct rig *rig)
{
	if (rig->self != NULL) {
		rig->provider->ops->stop(rig->self);
		/* What it started is taken back before it goes. */
		for (size_t i = 0; i < RIG_SLOTS; i++) {
			rig->timers[i].open = false;
			rig->calls[i].open = false;
		}
		rig->provider->ops->destroy(rig->self);
	}
	for (size_t i = 0; i < RIG_SLOTS; i++)
		free(rig->calls[i].body);
	remove_spool(rig);
	free(rig);
}

/* ---- Time ---- */

static struct cg_timer *first_due(struct rig *rig, int64_t until_ms)
{
	struct cg_timer *first = NULL;

	for (size_t i = 0; i < RIG_SLOTS; i++) {
		struct cg_timer *timer = &rig->timers[i];

		if (timer->open && timer->at_ms <= until_ms &&
			(first == NULL || timer->at_ms < first->at_ms))
			first = timer;
	}
	return first;
}

void rig_pass(struct rig *rig, int64_t ms)
{
	int64_t until_ms = rig->mono_ms + ms;
	struct cg_timer *timer;

	while ((timer = first_due(rig, until_ms)) != NULL) {
		rig->wall_ms += timer->at_ms - rig->mono_ms;
		rig->mono_ms = timer->at_ms;
		timer->open = false;
		timer->fire(timer->arg);
	}
	rig->wall_ms += until_ms - rig->mono_ms;
	rig->mono_ms = until_ms;
}

/* ---- HTTP ---- */

static struct cg_http_call *open_call(struct rig *rig, bool own_connection)
{
	struct cg_http_call *open = NULL;

	for (size_t i = 0; i < RIG_SLOTS; i++) {
		struct cg_http_call *call = &rig->calls[i];

		if (!call->open ||
			own_connection != ((call->flags & CG_HTTP_OWN_CONNECTION) != 0))
			continue;
		CU_ASSERT_PTR_NULL(open);
		open = call;
	}
	return open;
}

struct cg_http_call *rig_open_call(struct rig *rig)
{
	return open_call(rig, false);
}

struct cg_http_call *rig_open_poll(struct rig *rig)
{
	return open_call(rig, true);
}

const char *rig_header(const struct cg_http_call *call, const char *name)
{
	for (size_t i = 0; i < call->header_count; i++) {
		if (strcasecmp(call->names[i], name) == 0)
			return call->values[i];
	}
	return NULL;
}

static void respond(struct cg_http_call *call, struct cg_http_response *response)
{
	response->size = sizeof(*response);
	call->open = false;
	call->done(call->arg, response);
}

void rig_answer(struct rig *rig, struct cg_http_call *call, int status, const char *body)
{
	(void)rig;
	respond(call, &(struct cg_http_response){.result = CG_HTTP_DONE,
			      .status = status,
			      .body = body,
			      .length = strlen(body),
			      .retry_after_ms = -1});
}

void rig_answer_later(
	struct rig *rig, struct cg_http_call *call, int status, int64_t retry_after_ms)
{
	(void)rig;
	respond(call, &(struct cg_http_response){.result = CG_HTTP_DONE,
			      .status = status,
			      .body = "",
			      .retry_after_ms = retry_after_ms});
}

void rig_fault(struct rig *rig, struct cg_http_call *call, enum cg_http_result result)
{
	(void)rig;
	respond(call, &(struct cg_http_response){.result = result,
			      .status = result == CG_HTTP_TOO_LARGE ? 200 : 0,
			      .body = "",
			      .retry_after_ms = -1,
			      .error = "as scripted"});
}

bool rig_stream(
	struct rig *rig, struct cg_http_call *call, const char *data, size_t length)
{
	if (call->data(call->arg, data, length))
		return true;
	rig_fault(rig, call, CG_HTTP_CANCELLED);
	return false;
}

struct cg_http_call *rig_nth_call(struct rig *rig, size_t n)
{
	for (size_t i = 0; i < RIG_SLOTS; i++) {
		struct cg_http_call *call =
			&rig->calls[(rig->call_count + i) % RIG_SLOTS];

		if (call->open && (call->flags & CG_HTTP_OWN_CONNECTION) == 0 && n-- == 0)
			return call;
	}
	return NULL;
}

/* ---- The journal ---- */

void rig_verdict(struct rig *rig, enum cg_verdict verdict)
{
	for (size_t i = 0; i < rig->submission_count && i < RIG_SLOTS; i++) {
		struct rig_submission *submission = &rig->submissions[i];

		if (!submission->open)
			continue;
		submission->open = false;
		if (submission->checkpoint_key[0] != '\0' &&
			(verdict == CG_VERDICT_COMMITTED ||
				verdict == CG_VERDICT_DUPLICATE)) {
			rig_keep(rig, submission->checkpoint_key, submission->checkpoint);
		}
		submission->done(submission->arg, verdict);
		return;
	}
	CU_FAIL("nothing waits for a verdict");
}

size_t rig_open_submissions(const struct rig *rig)
{
	size_t count = 0;

	for (size_t i = 0; i < RIG_SLOTS; i++)
		count += rig->submissions[i].open;
	return count;
}

struct rig_submission *rig_last(struct rig *rig)
{
	if (rig->submission_count == 0)
		abort();
	return &rig->submissions[(rig->submission_count - 1) % RIG_SLOTS];
}

/* ---- Sends ---- */

struct completion {
	struct rig *rig;
	struct rig_sent *sent;
};

static struct completion completions[RIG_SLOTS];
static size_t completion_count;

static void sent_done(void *arg, const struct cg_outcome *outcome)
{
	struct completion *completion = arg;
	struct rig_sent *sent = completion->sent;

	sent->count++;
	sent->inside = completion->rig->sending;
	sent->outcome = *outcome;
	CU_ASSERT_EQUAL(outcome->size, sizeof(*outcome));
	CU_ASSERT_FALSE(rig_leaks(completion->rig, outcome->detail));
	COPY(sent->message_id, outcome->message_id);
	COPY(sent->detail, outcome->detail);
	CU_ASSERT_TRUE(outcome->detail == NULL || strlen(outcome->detail) <= 4096);
}

void rig_send(struct rig *rig, const struct cg_outbound *outbound, struct rig_sent *sent)
{
	struct completion *completion = &completions[completion_count++ % RIG_SLOTS];

	*completion = (struct completion){.rig = rig, .sent = sent};
	*sent = (struct rig_sent){.count = 0};
	rig->sending = true;
	rig->provider->ops->send(rig->self, outbound, sent_done, completion);
	rig->sending = false;
	CU_ASSERT_EQUAL(sent->count, 0);
}

void rig_cancel(struct rig *rig, const struct rig_sent *sent)
{
	for (size_t i = 0; i < RIG_SLOTS; i++) {
		if (completions[i].sent == sent && completions[i].rig == rig)
			rig->provider->ops->cancel(rig->self, &completions[i]);
	}
}

struct cg_outbound rig_text(const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "delivery-1",
		.target = {.chat_id = "1", .user_id = "2", .is_direct = true},
		.source = text,
		.source_length = strlen(text),
		.text = text,
		.text_length = strlen(text),
		.attempt = 1,
		.timeout_ms = 20000};
}
