/* SPDX-License-Identifier: Apache-2.0 */
/* One question over HTTP, for the files that probe. */
#ifndef COWGATE_CLI_PROBE_INSIDE_H
#define COWGATE_CLI_PROBE_INSIDE_H

#include "cli/http_once.h"

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>

#define PROBE_MS 8000
#define PROBE_URL 2048
#define PROBE_RESPONSE (4u << 20) /* lists of models are long */

struct json_object;

/* Where, in whose name, and over which proxy. */
struct question {
	char url[PROBE_URL];
	struct cg_buffer authorization; /* secret; empty: none */
	struct cg_buffer proxy; /* secret; empty: none */
	const char *method, *ca_file;
	bool secret_url; /* the URL itself lets whoever knows it in */
};

void question_init(struct question *question, const char *method);
void question_finish(struct question *question);

/* Ask; the parsed answer (owned, may be NULL) and what came of it.  IO: nobody answered, and @err
 * says why. */
enum cg_status question_ask(const struct question *question, struct http_answer *ret,
	struct json_object **ret_json, struct cg_error *err);

#endif
