/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in over HTTP: a relay that knows the secret posts JSON, a form, or the mail as it is.
 */
#include "email.h"
#include "mail_json.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ingress_wait {
	LIST_ENTRY(ingress_wait) link;
	struct cg_webhook_request *request;
};

static void answer(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *sentence)
{
	request->answer(request, &(struct cg_webhook_answer){
					 .size = sizeof(struct cg_webhook_answer),
					 .result = result,
					 .body = sentence,
				 });
}

static void arrived(void *arg, enum arrival_end end, const char *why)
{
	static const enum cg_webhook_result results[] = {
		[ARRIVAL_STORED] = CG_WEBHOOK_ACCEPTED,
		[ARRIVAL_IGNORED] = CG_WEBHOOK_ACCEPTED,
		[ARRIVAL_BAD] = CG_WEBHOOK_BAD,
		[ARRIVAL_CONFLICT] = CG_WEBHOOK_CONFLICT,
		[ARRIVAL_TOO_FAST] = CG_WEBHOOK_UNAVAILABLE,
		[ARRIVAL_UNAVAILABLE] = CG_WEBHOOK_UNAVAILABLE,
	};
	struct ingress_wait *wait = arg;
	struct cg_webhook_request *request = wait->request;

	LIST_REMOVE(wait, link);
	free(wait);
	answer(request, results[end], why);
}

/* The secret stands in a header of its own, or as a bearer token. */
static bool is_known(struct email *email, const struct cg_webhook_request *request)
{
	const struct cg_secret *secret = &email->settings.inbound_secret;
	const char *own = request->header(request, "x-open-cowork-gateway-email-secret");
	const char *bearer = request->header(request, "authorization");

	if (own != NULL && cg_secret_equals(secret, own, strlen(own)))
		return true;
	if (bearer == NULL || strncasecmp(bearer, "Bearer ", 7) != 0)
		return false;
	bearer += 7 + strspn(bearer + 7, " ");
	return cg_secret_equals(secret, bearer, strlen(bearer));
}

static bool is_raw(const char *type)
{
	static const char raw[] = "message/rfc822";

	return type != NULL && strncasecmp(type, raw, sizeof(raw) - 1) == 0 &&
	       strchr(" ;", type[sizeof(raw) - 1]) != NULL;
}

static bool begin_raw(struct email *email, const struct cg_webhook_request *request,
	const struct arrival_origin *origin)
{
	char *bytes = malloc(request->body_length + 1);

	if (bytes == NULL)
		return false;
	memcpy(bytes, request->body, request->body_length);
	return arrival_begin_raw(&email->arrivals, bytes, request->body_length, origin);
}

static enum cg_status read_mail(struct email *email,
	const struct cg_webhook_request *request, struct mail *ret, struct cg_error *err)
{
	const struct mail_json_reading reading = {
		.domain = email->settings.domain,
		.own_address = email->settings.from,
		.authserv_id = email->settings.authserv_id,
		.max_file = email->settings.max_attachment,
	};
	const char *body = request->body;
	struct json_object *object = NULL;
	enum cg_status status;

	/* Many senders leave curl's default type on a JSON body, which a form never looks like. */
	if (cg_form_is(request->header(request, "content-type")) && body[0] != '{')
		return mail_form_read(body, request->body_length, &reading, ret, err);
	status = cg_json_parse(body, request->body_length, &object, err);
	if (status == CG_OK)
		status = mail_json_read(object, &reading, ret, err);
	cg_json_free(object);
	return status;
}

static void take(struct email *email, struct cg_webhook_request *request)
{
	struct ingress_wait *wait = malloc(sizeof(*wait));
	const struct arrival_origin origin = {
		.received_at_ms = request->received_at_ms, .done = arrived, .arg = wait};
	struct cg_error err = {.text = ""};
	enum cg_status status = CG_OK;
	struct mail mail;
	bool begun = false;

	if (wait == NULL) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	wait->request = request;
	LIST_INSERT_HEAD(&email->waits, wait, link);
	if (is_raw(request->header(request, "content-type"))) {
		begun = begin_raw(email, request, &origin);
	} else {
		status = read_mail(email, request, &mail, &err);
		if (status == CG_OK)
			begun = arrival_begin_mail(&email->arrivals, &mail, &origin);
	}
	if (begun)
		return;
	LIST_REMOVE(wait, link);
	free(wait);
	if (status == CG_OK || status == CG_NOMEM)
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	else
		answer(request, CG_WEBHOOK_BAD, err.text);
}

void email_ingress(void *self, struct cg_webhook_request *request)
{
	struct email *email = self;

	if (!email->started)
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	else if (!is_known(email, request))
		answer(request, CG_WEBHOOK_DENIED, NULL);
	else if (strcmp(request->method, "POST") != 0)
		answer(request, CG_WEBHOOK_BAD, "only POST is understood here");
	else if (request->body_length == 0)
		answer(request, CG_WEBHOOK_BAD, "the body is empty");
	else
		take(email, request);
}

void email_ingress_finish(struct email *email)
{
	struct ingress_wait *wait;

	while ((wait = LIST_FIRST(&email->waits)) != NULL) {
		LIST_REMOVE(wait, link);
		free(wait);
	}
}
