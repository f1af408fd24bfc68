/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Slack app in its workspace: events, presses and commands come in by ops->webhook(), messages
 * go out by calls of the Web API.
 */
#ifndef PROVIDERS_SLACK_H
#define PROVIDERS_SLACK_H

#include "options.h"
#include "people.h"
#include "threads.h"
#include "wire.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/download.h>
#include <cowgate/sdk/send.h>

#define SLACK_ARRIVALS 256 /* requests that wait for a name, a file or their commit */

struct slack_arrival;
struct slack_query;

struct slack {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct slack_settings settings;
	struct slack_bot bot;
	struct slack_reader reader;
	struct slack_people people;
	struct slack_threads threads;
	struct cg_sends sends;
	struct cg_downloads downloads;
	TAILQ_HEAD(slack_arrivals, slack_arrival) arrivals; /* in the order they came */
	size_t arrival_count;
	LIST_HEAD(slack_queries, slack_query) queries;
	/* Asking who we are. */
	struct cg_http_call *auth;
	struct cg_timer *auth_timer;
	unsigned auth_failures;
	bool started;
	bool marks_refused; /* reactions are not allowed: do not ask again */
	unsigned unsigned_requests; /* with a wrong signature, since the last right one */
	enum cg_health_state outbound;
	char outbound_detail[CG_ERROR_TEXT]; /* "" when all is well */
	struct cg_health told; /* as told last */
	char told_detail[CG_ERROR_TEXT];
};

/* ---- Calls (api.c) ---- */

enum slack_body {
	SLACK_JSON,
	SLACK_FORM, /* methods that only read know no JSON */
};

struct slack_call {
	const char *method;
	enum slack_body type;
	const struct cg_buffer *body;
	int64_t timeout_ms;
	cg_http_done done;
	void *arg;
};
enum cg_status slack_call(struct slack *slack, const struct slack_call *call,
	struct cg_http_call **ret_call, struct cg_error *err);

/* An exchange that carries the token, to a URL that slack_settings_trust(). */
#define SLACK_BEARER (CG_SECRET_MAX + 16)
void slack_bearer(const struct slack *slack, char ret[SLACK_BEARER]);
void slack_route(const struct slack *slack, struct cg_http_request *request);

/* ops->send(). */
void slack_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);

/* What a send's own mark holds: its step, and when it has to have ended. */
uint64_t slack_mark(const struct slack *slack, const struct cg_outbound *outbound);
unsigned slack_mark_step(const struct cg_send *send);
int64_t slack_mark_left_ms(const struct cg_send *send);

/* Tell what an exchange means for @send. */
void slack_conclude(struct cg_send *send, const struct slack_answer *answer,
	const struct slack_verdict *verdict);
/* It could not begin, from inside ops->send(). */
void slack_not_begun(struct cg_send *send, enum cg_status status, const char *detail);

/* ---- Files out (upload.c) ---- */

void slack_upload(struct cg_send *send);

/* ---- Did it arrive? (query.c) ---- */

void slack_ask(
	void *self, const struct cg_outbound *outbound, cg_query_done done, void *arg);
/* False: @arg is no query. */
bool slack_ask_cancel(struct slack *slack, const void *arg);
void slack_ask_finish(struct slack *slack);

/* ---- The way in (ingress.c, arrival.c) ---- */

/* ops->webhook(). */
void slack_ingress(void *self, struct cg_webhook_request *request);

enum slack_reply {
	SLACK_REPLY_EVENT, /* {"ok":true} */
	SLACK_REPLY_EMPTY, /* nothing, which shows nothing */
};
void slack_reply(struct cg_webhook_request *request, enum slack_reply reply);
void slack_refuse(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *sentence);

/* A message: names and files are fetched, then it is submitted, then @request is answered.  Takes
 * @message and the @document that it borrows from. */
void slack_arrive(struct slack *slack, struct cg_webhook_request *request,
	enum slack_reply reply, struct slack_message *message,
	struct json_object *document);
/* What is not submitted yet is given back to Slack. */
void slack_arrivals_stop(struct slack *slack);
/* Forget what waits; the daemon answers it. */
void slack_arrivals_finish(struct slack *slack);

/* ---- Who we are, and how (account.c) ---- */

void slack_account_start(struct slack *slack);
void slack_account_stop(struct slack *slack);
/* @detail NULL: all is well. */
void slack_outbound(struct slack *slack, enum cg_health_state state, const char *detail);
/* A request came whose signature was right or wrong. */
void slack_signature_seen(struct slack *slack, bool right);

#endif
