/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/opencode_server_fake.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct opencode_server_fake opencode_server_fake;

/* One that waits; newest first. */
struct pending {
	struct opencode_call call; /* first */
	char path[256];
};

enum cg_status opencode_server_init(struct opencode *opencode, struct cg_error *err)
{
	(void)err;
	LIST_INIT(&opencode->calls);
	opencode_server_fake = (struct opencode_server_fake){.opencode = opencode};
	cg_buffer_init(&opencode_server_fake.asked, 1u << 20);
	return CG_OK;
}

void opencode_drop(struct opencode_call *call)
{
	if (call == NULL)
		return;
	LIST_REMOVE(call, entry);
	free(call);
}

void opencode_server_finish(struct opencode *opencode)
{
	while (!LIST_EMPTY(&opencode->calls))
		opencode_drop(LIST_FIRST(&opencode->calls));
	cg_buffer_finish(&opencode_server_fake.asked);
}

enum cg_status opencode_call(struct opencode *opencode, const char *method,
	const char *path, struct json_object *body, opencode_done done, void *arg,
	struct opencode_call **ret)
{
	struct pending *pending = NULL;
	enum cg_status status = opencode_server_fake.full ? CG_LIMIT : CG_OK;

	if (status == CG_OK && !opencode->ready)
		status = CG_NETWORK;
	if (status == CG_OK)
		pending = calloc(1, sizeof(*pending));
	if (pending != NULL) {
		pending->call = (struct opencode_call){
			.opencode = opencode, .done = done, .arg = arg};
		snprintf(pending->path, sizeof(pending->path), "%s", path);
		LIST_INSERT_HEAD(&opencode->calls, &pending->call, entry);
		cg_buffer_format(&opencode_server_fake.asked, "%s %s %s\n", method, path,
			body == NULL ? "" : cg_json_text(body, NULL));
		*ret = &pending->call;
	}
	cg_json_free(body);
	return status;
}

static bool answer(
	const char *path, enum cg_status status, const char *json, const char *text)
{
	struct json_object *parsed = NULL;
	struct opencode_call *call, *oldest = NULL;
	struct opencode_call taken;

	LIST_FOREACH (call, &opencode_server_fake.opencode->calls, entry) {
		if (strstr(((struct pending *)(void *)call)->path, path) != NULL)
			oldest = call;
	}
	if (oldest == NULL)
		return false;
	taken = *oldest;
	opencode_drop(oldest);
	if (json != NULL)
		cg_json_parse(json, strlen(json), &parsed, NULL);
	taken.done(taken.arg, status, parsed, text);
	cg_json_free(parsed);
	return true;
}

bool opencode_server_fake_answer(const char *path, const char *json)
{
	return answer(path, CG_OK, json, "");
}

bool opencode_server_fake_refuse(const char *path, enum cg_status status)
{
	return answer(path, status, NULL, "it refused");
}

void opencode_server_fake_up(void)
{
	opencode_server_fake.opencode->ready = true;
	opencode_turns_ready(opencode_server_fake.opencode);
}

void opencode_server_fake_down(void)
{
	struct opencode *opencode = opencode_server_fake.opencode;

	opencode->ready = false;
	snprintf(opencode->why, sizeof(opencode->why), "it went away");
	while (answer("", CG_NETWORK, NULL, "gone"))
		;
	opencode_turns_gone(opencode);
}

void opencode_server_fake_event(const char *type, const char *properties)
{
	struct json_object *frame = cg_json_new_object(), *parsed = NULL;
	struct opencode_event event;

	cg_json_parse(properties, strlen(properties), &parsed, NULL);
	cg_json_put_string(frame, "type", type);
	cg_json_put(frame, "properties", parsed);
	opencode_event_read(frame, &event);
	opencode_turns_event(opencode_server_fake.opencode, &event);
	cg_json_free(frame);
}
