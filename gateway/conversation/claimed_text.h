/* SPDX-License-Identifier: Apache-2.0 */
/* What a delivery from the Cloud says in a chat, as Markdown.  Pure. */
#ifndef COWGATE_GATEWAY_CLAIMED_TEXT_H
#define COWGATE_GATEWAY_CLAIMED_TEXT_H

#include "cloud-client/record.h"

#include <cowgate/sdk/buffer.h>

#define CLAIMED_TEXT_MAX (256u << 10) /* bytes; what goes beyond is cut */

/*
 * The payload's own text if it has one; else words for a workflow's end, for a watch, and for
 * anything else the event's name and a line for each member that people can read.  Never JSON, never nothing.  NOMEM.
 */
enum cg_status claimed_text(const struct cloud_delivery *delivery, struct cg_buffer *ret);

#endif
