/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of TLS: a certificate chain and its key, from files, for http_server.
 *
 * TLS 1.2 and later, ALPN http/1.1, no renegotiation.  Loop thread only.
 */
#ifndef COWGATE_RUNTIME_TLS_H
#define COWGATE_RUNTIME_TLS_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct http_tls;

/*
 * Load PEM files: @certificate with the chain, leaf first; @key unencrypted.  The paths are
 * copied for http_tls_reload().  On failure the sentence names the file.
 */
enum cg_status http_tls_create(const char *certificate, const char *key,
	struct http_tls **ret, struct cg_error *err);

/* After every server that listens with it.  Accepts NULL. */
void http_tls_destroy(struct http_tls *tls);

/* Read both files again.  New connections use them; on failure the old ones stay in use.
 * *@ret_changed: whether the certificate is another one; may be NULL. */
enum cg_status http_tls_reload(
	struct http_tls *tls, bool *ret_changed, struct cg_error *err);

/* For http_server: an accepting bufferevent without a descriptor yet, which closes it and
 * frees its TLS state when it is freed; NULL without memory. */
struct bufferevent *http_tls_accept(struct http_tls *tls, struct event_base *base);

/* For http_server: send a last record and the closing alert past the bufferevent, whose
 * output is empty.  What does not fit the socket's buffer is dropped. */
void http_tls_send_last(struct bufferevent *event, const void *bytes, size_t length);

#endif
