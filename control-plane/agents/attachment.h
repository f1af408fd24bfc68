/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a prompt, in the forms that agents take.  Read whole and at once: they are small. */
#ifndef COWGATE_CONTROL_PLANE_ATTACHMENT_H
#define COWGATE_CONTROL_PLANE_ATTACHMENT_H

#include "control-plane/agents/agent.h"

#include <cowgate/sdk/buffer.h>

#define ATTACHMENT_IMAGE (8u << 20) /* bytes of an image that goes into a prompt … */
#define ATTACHMENT_TEXT (256u << 10) /* … and of a text */

bool attachment_is_image(const struct agent_file *file);
/* By its type, or by its name when the type says nothing. */
bool attachment_is_text(const struct agent_file *file);

/* Its bytes.  LIMIT: larger than the buffer takes; IO: it cannot be read. */
enum cg_status attachment_read(const struct agent_file *file, struct cg_buffer *ret);
/* Base64 of at most @limit bytes, appended.  Errors as above. */
enum cg_status attachment_base64(
	const struct agent_file *file, size_t limit, struct cg_buffer *ret);
/* "file:///path", escaped. */
enum cg_status attachment_url(const struct agent_file *file, struct cg_buffer *ret);

/* "[A file was attached that you cannot see: name, type, n bytes.]" */
void attachment_note(const struct agent_file *file, struct cg_buffer *ret);

#endif
