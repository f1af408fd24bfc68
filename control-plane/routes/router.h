/* SPDX-License-Identifier: Apache-2.0 */
/* Which route serves a request, and who may call it. */
#ifndef COWGATE_CONTROL_PLANE_ROUTES_ROUTER_H
#define COWGATE_CONTROL_PLANE_ROUTES_ROUTER_H

#include "control-plane/routes/call.h"

enum route_flag {
	ROUTE_EARLY = 1u << 0, /* answered from the open transaction */
	ROUTE_READ = 1u << 1, /* reads what has been committed, off the writer */
	ROUTE_OPERATOR = 1u << 2, /* the operator only */
	ROUTE_SESSION = 1u << 3, /* a stream of session events */
	ROUTE_DELIVERY = 1u << 4, /* a stream of deliveries */
	ROUTE_PROMPT = 1u << 5, /* adds work: refused when too much waits */
	ROUTE_TOKEN = 1u << 6, /* also for a token; each checks what was granted */
	ROUTE_ERASE = 1u << 7, /* what it deletes must not be found again */
};

#define ROUTE_STREAM (ROUTE_SESSION | ROUTE_DELIVERY)

struct route {
	const char *method;
	const char *pattern; /* below /api/channels/; "*" stands for one segment */
	unsigned flags;
	/* On the writer thread.  For streams: checks the right and notes where to
	 * begin. */
	enum cg_status (*serve)(struct call *call);
};

/* The route of a request, its path parameters decoded into @ret_id; NULL when there is
 * none. */
const struct route *router_find(
	const char *method, const char *path, char ret_id[2][CALL_FIELD + 1]);

#define ROUTE(method, pattern, function, flags) \
	enum cg_status function(struct call *call);
#include "control-plane/routes/routes.def"
#undef ROUTE

#endif
