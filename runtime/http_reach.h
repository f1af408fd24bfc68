/* SPDX-License-Identifier: Apache-2.0 */
/* Where an exchange may go: enum cg_http_reach applied.  Private to the HTTP client. */
#ifndef COWGATE_RUNTIME_HTTP_REACH_H
#define COWGATE_RUNTIME_HTTP_REACH_H

#include <cowgate/http.h>
#include <sys/socket.h>

/* May a connection be opened to this address?  Of any other family than IP: no. */
bool http_reach_allows(enum cg_http_reach reach, const struct sockaddr *address);

/* May a proxy be asked for @url?  The proxy resolves the name, so that only what the URL
 * itself says can be judged: an address, or a name known to be one. */
bool http_reach_allows_url(enum cg_http_reach reach, const char *url);

#endif
