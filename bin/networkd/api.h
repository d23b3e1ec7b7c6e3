/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api - the listener for Application Servers: downlinks for the devices of their sessions.
 *
 *   XmitDataReq > who is it (TLS)? > may it speak for this SenderID? > is the SenderID the
 *   AS of that device's session? > network_downlink > XmitDataAns
 *
 *   Result     always HTTP 200 with one; 400 only when the body is no message at all.
 *   Codes      UnknownSender (name and AS-ID do not belong together), UnknownReceiver (another
 *              NetID), UnknownDevEUI (no session, or another AS's: not told apart),
 *              XmitFailed (stale counter: FCntDown says which; or the queue is full),
 *              InvalidFPort, FrameSizeError, MalformedRequest.
 */
#ifndef NETWORKD_API_H
#define NETWORKD_API_H

#include "networkd/server.h"

void api_handle(void *arg, struct http_exchange *x); /* arg: the struct server */

#endif
