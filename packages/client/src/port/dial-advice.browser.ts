// Takes the place of dial-advice.ts in a bundle for browsers, where no failure has an HTTP status or a code of the network.
import type { adviceOn as advice } from "./dial-advice.ts"

/** Returns undefined: the text of the cause, or the points to check, follow. */
export const adviceOn: typeof advice = () => undefined
