// A dedicated worker that runs the client; the page forwards calls to it.
import "./no-eval.ts"
import { answerCalls } from "./calls.ts"
import { Probe } from "./probe.ts"

answerCalls(globalThis, new Probe())
