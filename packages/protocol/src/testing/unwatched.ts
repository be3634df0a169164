// Runs promises that a test starts and does not await.

/** Runs a promise. A rejection stays unhandled, so that the test fails. */
export function unwatched(work: unknown): void {
  Promise.resolve(work).then(
    () => {},
    (error: unknown) => {
      throw error
    },
  )
}
