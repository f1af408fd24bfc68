/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cloud's event stream, and every record that may be read from its JSON.
 *
 * What comes out must not depend on how the bytes are cut, and every string of a record must
 * be readable to its end.
 */
#include "cloud-client/record.h"
#include "cloud-client/sse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	size_t events;
	size_t bytes; /* of all strings that were read */
	uint64_t skipped;
	enum cg_status status;
};

static void touch(struct outcome *outcome, const char *text)
{
	outcome->bytes += text != NULL ? strlen(text) : 0;
}

static bool on_event(void *arg, const struct cloud_event *event)
{
	struct outcome *outcome = arg;
	struct cloud_session_event session;
	struct cloud_delivery delivery;
	struct cloud_identity identity;
	struct cloud_session_binding binding;
	struct cloud_artifact artifact;

	outcome->events++;
	touch(outcome, event->type);
	if (cloud_session_event_read(event->data, &session)) {
		if (session.sequence < 0)
			abort();
		touch(outcome, session.type);
		touch(outcome, session.event_id);
	}
	if (cloud_delivery_read(event->data, &delivery)) {
		touch(outcome, delivery.delivery_id);
		touch(outcome, delivery.text);
		touch(outcome, delivery.external_chat_id);
	}
	if (cloud_identity_read(event->data, &identity)) {
		touch(outcome, identity.role);
		touch(outcome, identity.pairing_code);
	}
	if (cloud_session_binding_read(event->data, &binding))
		touch(outcome, binding.session_id);
	if (cloud_artifact_read(event->data, &artifact))
		outcome->bytes += artifact.data_length;
	return true;
}

static struct outcome run(const char *bytes, size_t size, size_t step)
{
	struct outcome outcome = {0};
	struct cloud_sse sse;

	cloud_sse_init(&sse, on_event, &outcome);
	for (size_t at = 0; at < size && outcome.status == CG_OK; at += step)
		outcome.status = cloud_sse_feed(
			&sse, bytes + at, size - at < step ? size - at : step);
	outcome.skipped = sse.skipped;
	cloud_sse_finish(&sse);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct outcome whole = run(bytes, size, size > 0 ? size : 1);
	struct outcome cut = run(bytes, size, 1);

	if (whole.events != cut.events || whole.bytes != cut.bytes ||
		whole.skipped != cut.skipped || whole.status != cut.status)
		abort();
	return 0;
}
