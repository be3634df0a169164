// The page's policy forbids eval, so Zod must not compile its validators. Import this file before any schema is
// created.
import { config } from "zod"

config({ jitless: true })
