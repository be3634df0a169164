// How long what a player does may wait for the connection.

/** Longer than the world by default keeps a session whose connection is lost, so that what waited still gets its reply. */
export const patientMs = 150_000
