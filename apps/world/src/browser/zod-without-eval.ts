// The page's policy forbids eval, so Zod must not try to compile its validators. Imported before any schema is made.
import { config } from "zod"

config({ jitless: true })
