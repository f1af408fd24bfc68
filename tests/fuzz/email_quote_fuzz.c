/* SPDX-License-Identifier: Apache-2.0 */
/* Any text through the reader of HTML and the cutter of quotations: valid UTF-8, nothing added. */
#include "providers/email/page.h"
#include "providers/email/quote.h"

#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define ROOM (1u << 22)

static void cut(const char *text, size_t length, bool forwarded)
{
	struct cg_buffer kept;

	cg_buffer_init(&kept, ROOM);
	if (quote_cut(&kept, text, length, forwarded) != CG_OK || kept.length > length)
		abort();
	if (kept.length > 0 && !cg_utf8_valid(kept.bytes, kept.length))
		abort();
	/* Somebody who writes anything is heard. */
	if (!cg_text_blank(text) && cg_text_blank(cg_buffer_string(&kept)))
		abort();
	cg_buffer_finish(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cg_buffer clean, shown;

	if (length == 0 || length > 65536 || memchr(bytes, '\0', length) != NULL)
		return 0;
	cg_buffer_init(&clean, ROOM);
	cg_buffer_init(&shown, ROOM);
	cg_utf8_repair(&clean, (const char *)bytes + 1, length - 1);
	cut(cg_buffer_string(&clean), clean.length, (bytes[0] & 1) != 0);
	if (page_read(&shown, cg_buffer_string(&clean), clean.length) == CG_OK) {
		if (shown.length > 0 && !cg_utf8_valid(shown.bytes, shown.length))
			abort();
		cut(cg_buffer_string(&shown), shown.length, false);
	}
	cg_buffer_finish(&clean);
	cg_buffer_finish(&shown);
	return 0;
}
