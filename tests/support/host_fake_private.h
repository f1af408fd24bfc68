/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the fake host share: its functions for HTTP and for the journal. */
#ifndef COWGATE_TESTS_HOST_FAKE_PRIVATE_H
#define COWGATE_TESTS_HOST_FAKE_PRIVATE_H

#include "tests/support/host_fake.h"

struct host_fake *host_fake_of(const struct cg_host *host);
/* @pointer, which must not be NULL. */
void *host_fake_must(void *pointer);
/* NULL is "". */
void host_fake_copy(char *ret, size_t size, const char *text);
#define COPY(field, text) host_fake_copy(field, sizeof(field), text)

enum cg_status host_fake_http_start(const struct cg_host *host,
	const struct cg_http_request *request, struct cg_http_call **ret_call,
	struct cg_error *err);
void host_fake_http_cancel(const struct cg_host *host, struct cg_http_call *call);
void host_fake_submit(const struct cg_host *host, const struct cg_inbound *inbound,
	cg_submit_done done, void *arg);
void host_fake_checkpoint(const struct cg_host *host,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg);
bool host_fake_checkpoint_load(
	const struct cg_host *host, const char *key, char *ret_value, size_t size);

#endif
