// A dedicated worker in which the client runs; the page passes it calls.
import "./no-eval.ts"
import { answerCalls } from "./calls.ts"
import { Probe } from "./probe.ts"

answerCalls(globalThis, new Probe())
