/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the body of a reply to the typed callback of the call.  Private to this floor.
 */
#ifndef COWGATE_CLOUD_CLIENT_REPLY_H
#define COWGATE_CLOUD_CLIENT_REPLY_H

#include "cloud-client/delivery.h"
#include "cloud-client/session.h"

enum reply_kind {
#define CLOUD_REPLY(reply, done, record) REPLY_##reply,
#include "cloud-client/reply.def"
#undef CLOUD_REPLY
};

/* The callback of a call; the member is that of its kind. */
union reply_done {
#define CLOUD_REPLY(reply, done, record) cloud_##done##_done reply;
#include "cloud-client/reply.def"
#undef CLOUD_REPLY
};

/*
 * Read @body as @kind and call @done (which may hold NULL) with @result and the record.  A
 * success whose body lacks the record becomes CLOUD_PROTOCOL; a probe that meets a Cloud
 * without extensions becomes CLOUD_OK.
 */
void reply_deliver(enum reply_kind kind, union reply_done done, void *arg,
	struct cloud_result *result, struct json_object *body);

#endif
