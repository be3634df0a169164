// Disables Zod's compilation of validators by `new Function`, which the page's policy forbids. Imported before any
// schema is made.
import { config } from "zod"

config({ jitless: true })
