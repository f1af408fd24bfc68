/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network with a Cloud behind it: a transport around the embedded plane's own that is away,
 * loses answers, ends streams after half an hour, and has heartbeats, by a virtual clock.
 */
#ifndef COWGATE_TESTS_SKY_H
#define COWGATE_TESTS_SKY_H

#include "cloud-client/transport.h"
#include "runtime/loop.h"

#include <sys/queue.h>

#define SKY_STREAM_MS (30 * 60 * 1000) /* a stream lives so long */
#define SKY_BEAT_MS 15000 /* between two comments on an idle stream */
#define SKY_LOSS 40 /* of so many answers one is lost */

struct sky {
	struct loop *loop;
	struct cloud_transport inner; /* self NULL: nobody is there */
	bool away; /* the network is */
	uint64_t chance; /* of a generator; the same every time */
	LIST_HEAD(, cloud_exchange) exchanges;
	unsigned streams, ends, cuts, losses, refusals; /* what happened */
};

/* The transport that the client gets; @sky lives as long. */
void sky_init(struct sky *sky, struct loop *loop, struct cloud_transport *ret);
/* All that is under way breaks off. */
void sky_cut(struct sky *sky);
/* A number below @below. */
uint64_t sky_chance(struct sky *sky, uint64_t below);

#endif
