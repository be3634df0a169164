// Declares the reference of a request, in both profiles.

/**
 * Correlates a reply with its request: in `hawser.1` the request's message number, in `2.0` the client's string id, or null.
 * Opaque above the session layer.
 */
export type Reference = number | string | null
