// Time limit of the player's requests.

/**
 * In milliseconds. Longer than the default resume window of the world, so that a request that waited still gets its
 * reply.
 */
export const patientMs = 150_000
