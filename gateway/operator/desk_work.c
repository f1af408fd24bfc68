/* SPDX-License-Identifier: Apache-2.0 */
/* What operators and their programs ask to be done: tell a message's story, say something
 * through the outbox, let what is dead go again, pause a channel. */
#include "gateway/operator/desk.h"

#include "gateway/journal/forget.h"
#include "gateway/journal/outbox.h"
#include "gateway/journal/story.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 200 /* bytes of an idempotency key */
#define SAY_PREFIX "say:" /* before a key in a delivery's id */

/* A request that waits for the journal. */
struct work {
	LIST_ENTRY(work) link; /* while the request is open */
	struct http_request *request; /* NULL: it was answered when the gateway ended */
	bool pause;
	char delivery_id[sizeof(SAY_PREFIX) + KEY_MAX];
};

/* NULL: answered. */
static struct work *work_for(struct operator* operator, struct http_request * request)
{
	struct work *work = calloc(1, sizeof(*work));

	if (work == NULL) {
		http_request_fail(request, 503, "out of memory", 1000);
		return NULL;
	}
	work->request = request;
	LIST_INSERT_HEAD(&operator->works, work, link);
	return work;
}

/* The work is over: its request, NULL when nobody waits any more. */
static struct http_request *work_end(struct work *work)
{
	struct http_request *request = work->request;

	if (request != NULL)
		LIST_REMOVE(work, link);
	free(work);
	return request;
}

void work_abandon(struct operator* operator)
{
	struct work *work;

	while ((work = LIST_FIRST(&operator->works)) != NULL) {
		LIST_REMOVE(work, link);
		http_request_fail(
			work->request, 503, "the gateway is shutting down", 1000);
		work->request = NULL;
	}
}

/* The body as an object, owned; NULL: answered. */
static struct json_object *body_of(struct http_request *request)
{
	size_t length;
	const char *bytes = http_request_body(request, &length);
	struct json_object *body = NULL;

	if (cg_json_parse(bytes, length, &body, NULL) == CG_OK && cg_json_is_object(body))
		return body;
	cg_json_free(body);
	http_request_fail(request, 400, "the body must be a JSON object", -1);
	return NULL;
}

/* The story of a message. */

static void told(void *arg, enum cg_status status, struct json_object *story)
{
	struct http_request *request = work_end(arg);
	struct json_object *body;

	if (request == NULL)
		return;
	if (status != CG_OK) {
		http_request_fail(
			request, 503, "the backlog cannot be read at the moment", 1000);
	} else if (cg_json_count(cg_json_array(story, "inbound")) == 0 &&
		   cg_json_count(cg_json_array(story, "outbound")) == 0) {
		http_request_fail(request, 404,
			"nothing is known of that id: it is neither a delivery's nor a "
			"platform's, or was forgotten after the retention",
			-1);
	} else {
		body = cg_json_copy(story);
		cg_json_put_bool(body, "ok", true);
		desk_reply(request, 200, body);
	}
}

void work_explain(struct operator* operator, struct http_request * request,
	const char *encoded, size_t length)
{
	char *id = http_path_decode(encoded, length);
	struct work *work;

	if (id == NULL || id[0] == '\0')
		http_request_fail(request, 404, "there is nothing here", -1);
	else if ((work = work_for(operator, request)) != NULL)
		journal_story(operator->options.journal, id, told, work);
	free(id);
}

/* Saying something. */

static void said(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct work *work = arg;
	struct json_object *body = cg_json_new_object();
	struct http_request *request;

	(void)err;
	cg_json_put_bool(body, "ok", true);
	cg_json_put_string(body, "deliveryId", work->delivery_id);
	cg_json_put_bool(body, "repeated", status == CG_EXISTS);
	request = work_end(work);
	if (request != NULL && (status == CG_OK || status == CG_EXISTS)) {
		desk_reply(request, status == CG_OK ? 201 : 200, body);
		return;
	}
	cg_json_free(body);
	if (request == NULL)
		return;
	if (status == CG_NOT_FOUND)
		http_request_fail(request, 404, "there is no such channel", -1);
	else if (status == CG_CONFLICT)
		http_request_fail(
			request, 409, "the key has been used for another message", -1);
	else if (status == CG_INVALID)
		http_request_fail(request, 400,
			"the text or the place is missing, too long or not UTF-8", -1);
	else
		http_request_fail(
			request, 503, "nothing can be stored at the moment", 1000);
}

static bool read_key(const char *key, char ret[sizeof(SAY_PREFIX) + KEY_MAX])
{
	char random[CG_RANDOM_ID_SIZE(16)];

	if (key == NULL) {
		cg_random_id(random, 16);
		key = random;
	}
	if (key[0] == '\0' || !cg_text_clean(key, strlen(key), KEY_MAX))
		return false;
	snprintf(ret, sizeof(SAY_PREFIX) + KEY_MAX, SAY_PREFIX "%s", key);
	return true;
}

void work_say(struct operator* operator, struct http_request * request)
{
	const struct operator_host *host = &operator->options.host;
	struct json_object *body = body_of(request);
	struct json_object *target = cg_json_object(body, "target");
	struct operator_message message = {
		.instance = cg_json_string(body, "provider"),
		.chat_id = cg_json_string(target, "chatId"),
		.thread_id = cg_json_string(target, "threadId"),
		.text = cg_json_string(body, "text"),
	};
	char delivery_id[sizeof(SAY_PREFIX) + KEY_MAX];
	struct work *work;

	if (body == NULL)
		return;
	if (cg_text_blank(message.instance) || cg_text_blank(message.chat_id) ||
		cg_text_blank(message.text) ||
		!read_key(cg_json_string(body, "idempotencyKey"), delivery_id)) {
		http_request_fail(request, 400,
			"it takes provider, target.chatId, text, and perhaps "
			"target.threadId and an idempotencyKey of at most 200 bytes",
			-1);
	} else if ((work = work_for(operator, request)) != NULL) {
		cg_text_copy(work->delivery_id, sizeof(work->delivery_id), delivery_id);
		message.delivery_id = delivery_id;
		host->say(host->arg, &message, said, work);
	}
	cg_json_free(body);
}

/* The dead. */

static void revived(void *arg, enum cg_status status, struct json_object *deliveries)
{
	struct http_request *request = work_end(arg);
	struct json_object *body;

	if (request == NULL)
		return;
	if (status != CG_OK) {
		http_request_fail(request, 503,
			"the backlog cannot be written at the moment", 1000);
		return;
	}
	body = cg_json_new_object();
	cg_json_put_bool(body, "ok", true);
	cg_json_put(body, "deliveries", cg_json_ref(deliveries));
	desk_reply(request, 200, body);
}

void work_recover(struct operator* operator, struct http_request * request)
{
	struct json_object *body = body_of(request);
	struct outbox_revival revival = {
		.instance = cg_json_string(body, "provider"),
		.dry = cg_json_bool(body, "dryRun", false),
		.now_ms = clock_wall(loop_clock(operator->loop)),
	};
	const char *since = cg_json_string(body, "since");
	struct work *work;

	if (body == NULL)
		return;
	if (since == NULL || !cg_time_parse(since, &revival.since_ms))
		http_request_fail(request, 400,
			"it takes since, as 2026-01-31T12:00:00Z, and perhaps provider "
			"and dryRun",
			-1);
	else if ((work = work_for(operator, request)) != NULL)
		outbox_revive(operator->options.journal, &revival, revived, work);
	cg_json_free(body);
}

/* Channels. */

static void paused(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct work *work = arg;
	bool pause = work->pause;
	struct http_request *request = work_end(work);
	struct json_object *body;

	(void)err;
	if (request == NULL)
		return;
	if (status == CG_OK) {
		body = cg_json_new_object();
		cg_json_put_bool(body, "ok", true);
		cg_json_put_bool(body, "paused", pause);
		desk_reply(request, 200, body);
	} else if (status == CG_NOT_FOUND) {
		http_request_fail(request, 404, "there is no such channel", -1);
	} else {
		http_request_fail(
			request, 503, "nothing can be stored at the moment", 1000);
	}
}

void work_pause(struct operator* operator, struct http_request * request,
	const char *encoded, size_t length, bool pause)
{
	const struct operator_host *host = &operator->options.host;
	char *id = http_path_decode(encoded, length);
	struct work *work;

	if (id == NULL) {
		http_request_fail(request, 404, "there is no such channel", -1);
	} else if ((work = work_for(operator, request)) != NULL) {
		work->pause = pause;
		host->pause(host->arg, id, pause, paused, work);
	}
	free(id);
}

/* People. */

static void forgotten(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct http_request *request = work_end(arg);
	struct json_object *body;

	(void)err;
	if (request == NULL)
		return;
	if (status == CG_OK) {
		body = cg_json_new_object();
		cg_json_put_bool(body, "ok", true);
		desk_reply(request, 200, body);
	} else if (status == CG_BUSY) {
		http_request_fail(request, 429,
			"something is being sent to them; try again in a moment", 1000);
	} else {
		http_request_fail(
			request, 503, "nothing can be stored at the moment", 1000);
	}
}

void work_forget(struct operator* operator, struct http_request * request)
{
	struct json_object *body = body_of(request);
	const struct journal_forget person = {
		.instance = cg_json_string(body, "provider"),
		.sender_id = cg_json_string(body, "userId"),
	};
	struct work *work;

	if (body == NULL)
		return;
	if (cg_text_blank(person.instance) || cg_text_blank(person.sender_id))
		http_request_fail(request, 400, "it takes provider and userId", -1);
	else if ((work = work_for(operator, request)) != NULL)
		journal_forget(operator->options.journal, &person, forgotten, work);
	cg_json_free(body);
}
