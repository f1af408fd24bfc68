/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of sends, as scripted: "sent,ambiguous,rate_limited:200,refused", over and over. */
#ifndef PROVIDERS_FAKE_SCRIPT_H
#define PROVIDERS_FAKE_SCRIPT_H

#include <cowgate/outbound.h>
#include <cowgate/status.h>

#define FAKE_STEPS 64

struct fake_step {
	enum cg_outcome_class class;
	int64_t number; /* what follows the colon; -1: nothing */
	bool lost; /* AMBIGUOUS without arriving; plain "ambiguous" arrives */
};

struct fake_script {
	struct fake_step steps[FAKE_STEPS];
	size_t count; /* 0: everything is sent */
	size_t next;
};

/*
 * @text NULL or blank: no script.  Steps: sent, not_dispatched, refused, rate_limited[:ms],
 * ambiguous (it arrived, but nobody knows), lost (it did not).
 */
enum cg_status fake_script_parse(
	const char *text, struct fake_script *ret, struct cg_error *err);

struct fake_step fake_script_next(struct fake_script *script);

#endif
