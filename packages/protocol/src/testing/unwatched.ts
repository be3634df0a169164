// For promises that a test starts and does not wait for.

/** Lets a promise run. If it rejects, the rejection stays unhandled, so that the test fails. */
export function unwatched(work: unknown): void {
  Promise.resolve(work).then(
    () => {},
    (error: unknown) => {
      throw error
    },
  )
}
