/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cloud elsewhere as a transport of the Cloud's client: calls and event streams over HTTP.
 *
 * Every request carries the service token and an id of its own, one deadline covers connect,
 * head and body, redirects are never followed, and replies are bounded in bytes and depth.  A
 * stream that its reader pauses keeps a little of what comes meanwhile; beyond that its
 * connection is given up, and it ends cleanly once the reader goes on.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_CLOUD_LINK_H
#define COWGATE_GATEWAY_CLOUD_LINK_H

#include "cloud-client/transport.h"
#include "runtime/http_client.h"

#include <cowgate/sdk/secret.h>

#define CLOUD_LINK_REPLY (8u << 20) /* bytes of a reply for which no limit was set */
#define CLOUD_LINK_HELD 64 /* events that a paused stream keeps … */
#define CLOUD_LINK_HELD_BYTES (128u << 10) /* … and bytes read meanwhile */

struct cloud_link_options {
	/* Without a slash at its end.  https, unless the host is loopback or @allow_insecure. */
	const char *base_url;
	const struct cg_secret *token; /* copied */
	/* PEM file trusted instead of the system's, read again for new connections; NULL: none */
	const char *ca_file;
	bool allow_insecure; /* plain http to another host */
};

struct cloud_link;

/* INVALID: the URL, the token or the file of authorities cannot be used; the sentence names no secret. */
enum cg_status cloud_link_create(struct loop *loop, struct http_client *http,
	const struct cloud_link_options *options, struct cloud_link **ret,
	struct cg_error *err);
/* After the client that speaks over it.  Accepts NULL. */
void cloud_link_destroy(struct cloud_link *link);

void cloud_link_transport(struct cloud_link *link, struct cloud_transport *ret);

#endif
