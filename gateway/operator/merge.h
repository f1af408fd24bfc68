/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One list out of the local backlog and the Cloud's: each delivery once, with where it is ("here",
 * "cloud", "platform") and why.  Pure.
 */
#ifndef COWGATE_GATEWAY_MERGE_H
#define COWGATE_GATEWAY_MERGE_H

#include <stddef.h>

struct json_object;

/* Add `where` and `why` to a record of the local backlog, or of the Cloud. */
void merge_place_local(struct json_object *record);
void merge_place_cloud(struct json_object *record);

/*
 * A new array of at most @limit records, the newest change first.  What the Cloud has claimed out
 * to here appears as the local rows, which then tell the Cloud's view as `cloudStatus`.
 * @local has been placed and is changed; @cloud, which may be NULL, is not.
 */
struct json_object *merge_lists(
	struct json_object *local, struct json_object *cloud, size_t limit);

#endif
