/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between their request and their commit.
 *
 * A name that is not known is asked for, which may take most of a second; files are fetched, which
 * may take longer than Slack waits.  Slack then sends the event again, which joins the one that is
 * under way, as does the twin that a mention has.  Messages of one conversation are submitted in
 * the order in which they came.
 */
#include "slack.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME_TIMEOUT_MS 800
#define JOINED_MAX 4 /* requests that bring the same message at once */
#define FILES_TIMEOUT_MS 60000 /* all files of one message; the rest is named only */

struct slack_arrival {
	TAILQ_ENTRY(slack_arrival) link;
	struct slack *slack;
	struct cg_webhook_request *requests[JOINED_MAX]; /* all are answered alike */
	size_t request_count;
	enum slack_reply reply;
	struct slack_message *message; /* owned */
	struct json_object *document; /* owned; NULL: a form */
	struct cg_http_call *name_call;
	struct cg_download *download;
	size_t next_file; /* the first that is not settled */
	int64_t files_until_ms;
	char paths[SLACK_FILES][CG_SPOOL_PATH]; /* of what was fetched */
	bool saves_threads; /* the list of threads goes with it */
	bool submitted;
};

static void go_on(struct slack_arrival *arrival);

static void arrival_free(struct slack_arrival *arrival)
{
	TAILQ_REMOVE(&arrival->slack->arrivals, arrival, link);
	arrival->slack->arrival_count--;
	slack_message_finish(arrival->message);
	free(arrival->message);
	cg_json_free(arrival->document);
	free(arrival);
}

static void answer(struct cg_webhook_request *request, enum slack_reply reply,
	enum cg_verdict verdict)
{
	switch (verdict) {
	case CG_VERDICT_COMMITTED:
	case CG_VERDICT_DUPLICATE:
		slack_reply(request, reply);
		break;
	case CG_VERDICT_CONFLICT:
		slack_refuse(request, CG_WEBHOOK_CONFLICT, NULL);
		break;
	case CG_VERDICT_INVALID:
		slack_refuse(
			request, CG_WEBHOOK_BAD, "the message is too large to be stored");
		break;
	case CG_VERDICT_UNAVAILABLE:
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	}
}

static void answer_all(struct slack_arrival *arrival, enum cg_verdict verdict)
{
	for (size_t i = 0; i < arrival->request_count; i++)
		answer(arrival->requests[i], arrival->reply, verdict);
	arrival->request_count = 0;
}

/* Nothing was stored: what was fetched goes, and Slack sends it again. */
static void give_back(struct slack_arrival *arrival)
{
	const struct cg_host *host = arrival->slack->host;

	if (arrival->name_call != NULL)
		host->http_cancel(host, arrival->name_call);
	cg_download_cancel(arrival->download);
	for (size_t i = 0; i < SLACK_FILES; i++) {
		if (arrival->paths[i][0] != '\0')
			unlink(arrival->paths[i]);
	}
	answer_all(arrival, CG_VERDICT_UNAVAILABLE);
	arrival_free(arrival);
}

/* ---- Submitting ---- */

static bool is_ready(const struct slack_arrival *arrival)
{
	return arrival->name_call == NULL && arrival->download == NULL &&
	       arrival->next_file == arrival->message->inbound.attachment_count;
}

static bool same_chat(const struct slack_arrival *a, const struct slack_arrival *b)
{
	return strcmp(a->message->inbound.target.chat_id,
		       b->message->inbound.target.chat_id) == 0;
}

/* An earlier one of its conversation still waits for something. */
static bool is_behind(const struct slack_arrival *arrival)
{
	const struct slack_arrival *other;

	TAILQ_FOREACH (other, &arrival->slack->arrivals, link) {
		if (other == arrival)
			return false;
		if (!other->submitted && same_chat(other, arrival))
			return true;
	}
	return false;
}

static void submitted(void *arg, enum cg_verdict verdict)
{
	struct slack_arrival *arrival = arg;
	struct slack *slack = arrival->slack;

	if (verdict == CG_VERDICT_COMMITTED && arrival->saves_threads)
		slack_threads_saved(&slack->threads);
	if (verdict == CG_VERDICT_INVALID)
		slack->host->log(slack->host, CG_LOG_WARN,
			"a message was too large to be stored and is lost");
	answer_all(arrival, verdict);
	arrival_free(arrival);
}

static void submit(struct slack_arrival *arrival)
{
	struct slack *slack = arrival->slack;
	struct cg_inbound *inbound = &arrival->message->inbound;
	struct cg_checkpoint checkpoint;

	arrival->submitted = true;
	inbound->received_at_ms = arrival->requests[0]->received_at_ms;
	/* Not sooner: what is kept of people changes while others wait. */
	if (inbound->type != CG_EVENT_INTERACTION)
		inbound->sender.display_name =
			slack_people_name(&slack->people, inbound->sender.user_id);
	if (arrival->message->continues &&
		slack->settings.channels == SLACK_CHANNELS_MENTIONS) {
		slack_threads_add(&slack->threads, inbound->target.chat_id,
			inbound->target.thread_id);
		arrival->saves_threads = slack_threads_save(&slack->threads, &checkpoint);
		inbound->checkpoint = arrival->saves_threads ? &checkpoint : NULL;
	}
	slack->host->submit(slack->host, inbound, submitted, arrival);
}

/* Whatever is ready and not behind another. */
static void advance(struct slack *slack)
{
	struct slack_arrival *arrival;

	/* Verdicts come later, so nothing leaves the list meanwhile. */
	TAILQ_FOREACH (arrival, &slack->arrivals, link) {
		if (!arrival->submitted && is_ready(arrival) && !is_behind(arrival))
			submit(arrival);
	}
}

/* ---- Names ---- */

static void name_came(void *arg, const struct cg_http_response *response)
{
	struct slack_arrival *arrival = arg;
	struct slack *slack = arrival->slack;
	struct slack_answer told;

	arrival->name_call = NULL;
	slack_answer_init(&told, response);
	/* A limit or a fault says nothing: the next message asks again. */
	if (told.document != NULL && response->status < 300)
		slack_people_put(&slack->people, arrival->message->inbound.sender.user_id,
			told.ok ? slack_wire_read_name(told.document) : NULL,
			slack->host->mono_ms(slack->host));
	slack_answer_finish(&told);
	go_on(arrival);
}

static void ask_name(struct slack_arrival *arrival)
{
	struct slack *slack = arrival->slack;
	const char *user = arrival->message->inbound.sender.user_id;
	struct slack_call call = {
		.method = "users.info",
		.type = SLACK_FORM,
		.timeout_ms = NAME_TIMEOUT_MS,
		.done = name_came,
		.arg = arrival,
	};
	struct cg_buffer form;
	char id[SLACK_ID];

	if (arrival->message->inbound.type == CG_EVENT_INTERACTION ||
		!slack_people_wants(
			&slack->people, user, slack->host->mono_ms(slack->host)))
		return;
	/* A guest's team stands behind the id. */
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(user, "@"), user);
	cg_buffer_init(&form, 512);
	slack_form_add(&form, "user", id);
	call.body = &form;
	if (cg_buffer_status(&form) != CG_OK ||
		slack_call(slack, &call, &arrival->name_call, NULL) != CG_OK)
		arrival->name_call = NULL;
	cg_buffer_finish(&form);
}

/* ---- Files ---- */

/* A token without the scope for files gets the page that asks people to sign in. */
static bool is_a_page(const struct cg_download_result *result, const char *mime_type)
{
	static const char *const begins[] = {"<!doctype html", "<html"};

	if (mime_type != NULL && strstr(mime_type, "html") != NULL)
		return false;
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		size_t length = strlen(begins[i]);

		if (result->bytes >= length &&
			strncasecmp((const char *)result->head, begins[i], length) == 0)
			return true;
	}
	return false;
}

static void log_unfetched(struct slack_arrival *arrival, const char *why)
{
	const struct cg_host *host = arrival->slack->host;
	char text[CG_ERROR_TEXT];

	snprintf(text, sizeof(text), "a person's file was not fetched: %s", why);
	host->log(host, CG_LOG_WARN, text);
}

static void fetched(void *arg, const struct cg_download_result *result)
{
	struct slack_arrival *arrival = arg;
	size_t at = arrival->next_file++;
	struct cg_attachment *file = &arrival->message->attachments[at];

	arrival->download = NULL;
	if (result->status == CG_OK && is_a_page(result, file->mime_type)) {
		unlink(result->path);
		log_unfetched(arrival, "Slack asks to sign in: the app lacks files:read");
	} else if (result->status == CG_OK) {
		cg_text_copy(
			arrival->paths[at], sizeof(arrival->paths[at]), result->path);
		file->spool_path = arrival->paths[at];
		file->bytes = (int64_t)result->bytes;
	} else {
		log_unfetched(arrival, result->status == CG_LIMIT
					       ? "it is larger than maxFileBytes"
					       : "Slack did not give it");
	}
	go_on(arrival);
}

/* False: there is nothing to fetch, or it may not be. */
static bool fetch(struct slack_arrival *arrival, size_t at)
{
	struct slack *slack = arrival->slack;
	const struct cg_attachment *file = &arrival->message->attachments[at];
	const char *url = arrival->message->urls[at];
	int64_t left = arrival->files_until_ms - slack->host->mono_ms(slack->host);
	char bearer[SLACK_BEARER];
	const struct cg_http_header headers[] = {{"authorization", bearer}};
	struct cg_http_request request = {
		.flags = CG_HTTP_SECRET_URL,
		.method = "GET",
		.url = url,
		.headers = headers,
		.header_count = 1,
		.timeout_ms = left,
	};
	enum cg_status status;

	if (url == NULL || left <= 0 || !slack_settings_trust(&slack->settings, url) ||
		file->bytes > (int64_t)slack->settings.max_file)
		return false;
	slack_route(slack, &request);
	slack_bearer(slack, bearer);
	status = cg_download_start(&slack->downloads, &request, slack->settings.max_file,
		fetched, arrival, &arrival->download, NULL);
	cg_wipe(bearer, sizeof(bearer));
	return status == CG_OK;
}

static void fetch_next(struct slack_arrival *arrival)
{
	size_t count = arrival->message->inbound.attachment_count;

	while (arrival->download == NULL && arrival->next_file < count) {
		if (fetch(arrival, arrival->next_file))
			return;
		/* It is named all the same. */
		arrival->download = NULL;
		arrival->next_file++;
		log_unfetched(arrival, "it is too large, or not at Slack");
	}
}

/* ---- The whole ---- */

static void go_on(struct slack_arrival *arrival)
{
	fetch_next(arrival);
	advance(arrival->slack);
}

static struct slack_arrival *find_twin(
	const struct slack *slack, const struct slack_message *message)
{
	struct slack_arrival *arrival;

	TAILQ_FOREACH (arrival, &slack->arrivals, link) {
		if (strcmp(arrival->message->event_id, message->event_id) == 0)
			return arrival;
	}
	return NULL;
}

/* It is not kept: its twin is, or nothing. */
static void turn_away(struct slack_arrival *twin, struct cg_webhook_request *request,
	struct slack_message *message, struct json_object *document)
{
	if (twin != NULL && twin->request_count < JOINED_MAX)
		twin->requests[twin->request_count++] = request;
	else
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	slack_message_finish(message);
	free(message);
	cg_json_free(document);
}

void slack_arrive(struct slack *slack, struct cg_webhook_request *request,
	enum slack_reply reply, struct slack_message *message,
	struct json_object *document)
{
	struct slack_arrival *twin = find_twin(slack, message);
	struct slack_arrival *arrival = NULL;

	if (twin == NULL && slack->arrival_count < SLACK_ARRIVALS)
		arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL) {
		turn_away(twin, request, message, document);
		return;
	}
	arrival->slack = slack;
	arrival->requests[arrival->request_count++] = request;
	arrival->reply = reply;
	arrival->message = message;
	arrival->document = document;
	arrival->files_until_ms = slack->host->mono_ms(slack->host) + FILES_TIMEOUT_MS;
	TAILQ_INSERT_TAIL(&slack->arrivals, arrival, link);
	slack->arrival_count++;
	ask_name(arrival);
	go_on(arrival);
}

void slack_arrivals_stop(struct slack *slack)
{
	struct slack_arrival *arrival, *next;

	for (arrival = TAILQ_FIRST(&slack->arrivals); arrival != NULL; arrival = next) {
		next = TAILQ_NEXT(arrival, link);
		if (!arrival->submitted)
			give_back(arrival);
	}
}

void slack_arrivals_finish(struct slack *slack)
{
	while (!TAILQ_EMPTY(&slack->arrivals))
		arrival_free(TAILQ_FIRST(&slack->arrivals));
}
