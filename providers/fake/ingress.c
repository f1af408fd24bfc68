/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over HTTP, unchecked: whoever reaches this port is believed. */
#include "fake.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_CHAT "fake-chat"
#define FAKE_USER "fake-user"
#define ID_BYTES 12

/* A request that waits for its commit. */
struct fake_arrival {
	LIST_ENTRY(fake_arrival) link;
	struct cg_webhook_request *request;
};

static void answer(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *body)
{
	request->answer(request, &(struct cg_webhook_answer){
					 .size = sizeof(struct cg_webhook_answer),
					 .result = result,
					 .body = body,
				 });
}

static void submitted(void *arg, enum cg_verdict verdict)
{
	struct fake_arrival *arrival = arg;
	struct cg_webhook_request *request = arrival->request;

	LIST_REMOVE(arrival, link);
	free(arrival);
	switch (verdict) {
	case CG_VERDICT_COMMITTED:
	case CG_VERDICT_DUPLICATE:
		answer(request, CG_WEBHOOK_ACCEPTED, NULL);
		break;
	case CG_VERDICT_CONFLICT:
		answer(request, CG_WEBHOOK_CONFLICT, NULL);
		break;
	case CG_VERDICT_INVALID:
		answer(request, CG_WEBHOOK_BAD, "the message is too large to be stored");
		break;
	case CG_VERDICT_UNAVAILABLE:
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	}
}

static void submit(
	struct fake *fake, struct cg_webhook_request *request, struct cg_inbound *inbound)
{
	struct fake_arrival *arrival = malloc(sizeof(*arrival));
	char id[sizeof("fake-") + CG_RANDOM_ID_SIZE(ID_BYTES)] = "fake-";

	if (arrival == NULL) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	arrival->request = request;
	LIST_INSERT_HEAD(&fake->arrivals, arrival, link);
	if (inbound->event_id == NULL) {
		cg_random_id(id + strlen(id), ID_BYTES);
		inbound->event_id = id;
	}
	inbound->message_id = inbound->event_id;
	inbound->raw = request->body;
	inbound->raw_length = request->body_length;
	inbound->received_at_ms = request->received_at_ms;
	fake->host->submit(fake->host, inbound, submitted, arrival);
}

static void accept_message(struct fake *fake, struct cg_webhook_request *request)
{
	struct cg_inbound_parts parts;
	struct cg_inbound inbound;
	struct json_object *body = NULL;
	struct cg_error err;
	enum cg_status status =
		cg_json_parse(request->body, request->body_length, &body, &err);

	if (status == CG_OK)
		status = cg_inbound_read_flat(
			body, FAKE_CHAT, FAKE_USER, &parts, &inbound, &err);
	if (status != CG_OK)
		answer(request, CG_WEBHOOK_BAD, err.text);
	else
		submit(fake, request, &inbound);
	cg_json_free(body);
}

void fake_webhook(void *self, struct cg_webhook_request *request)
{
	struct fake *fake = self;
	struct cg_buffer outbox;

	if (!fake->started) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	} else if (strcmp(request->method, "POST") == 0) {
		accept_message(fake, request);
	} else if (strcmp(request->method, "GET") == 0) {
		fake_outbox_write(fake, &outbox);
		answer(request, CG_WEBHOOK_ACCEPTED, cg_buffer_string(&outbox));
		cg_buffer_finish(&outbox);
	} else {
		answer(request, CG_WEBHOOK_BAD, "only GET and POST are understood here");
	}
}

void fake_webhook_finish(struct fake *fake)
{
	struct fake_arrival *arrival;

	while ((arrival = LIST_FIRST(&fake->arrivals)) != NULL) {
		LIST_REMOVE(arrival, link);
		free(arrival);
	}
}
