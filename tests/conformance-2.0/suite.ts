// The conformance suite for wire protocol "2.0": one case per statement about it that can be checked from outside.
// Sections: 1 transport and envelope, 2 HTTP, 3 handshake, 4 requests, 5 replies and events, 6 errors, 7 rate limits, 8
// order, 9 spellings that differ among its clients, 10 the dialect that serves them all, 11 sizes, 12 weaknesses. It
// knows the server by its address only, and imports nothing of Hawser.
import { bombCases } from "./bombs.ts"
import { burstCases } from "./burst.ts"
import type { ConformanceCase } from "./case.ts"
import { chatRefusalCases } from "./chat-refusals.ts"
import { chatCases } from "./chat.ts"
import { encodingCases } from "./encoding.ts"
import { errorCases } from "./errors.ts"
import { handshakeRefusalCases } from "./handshake-refusals.ts"
import { handshakeCases } from "./handshake.ts"
import { httpAccountCases } from "./http-accounts.ts"
import { httpWorldCases } from "./http-world.ts"
import { mapChunkCases } from "./map-chunks.ts"
import { movementCases } from "./movement.ts"
import { queryCases } from "./queries.ts"
import { requestCases } from "./requests.ts"
import { resilienceCases } from "./resilience.ts"
import { takeoverCases } from "./takeover.ts"
import { worldEventCases } from "./world-events.ts"

export const conformanceCases: readonly ConformanceCase[] = [
  ...httpAccountCases,
  ...httpWorldCases,
  ...handshakeCases,
  ...handshakeRefusalCases,
  ...burstCases,
  ...encodingCases,
  ...movementCases,
  ...chatCases,
  ...chatRefusalCases,
  ...queryCases,
  ...mapChunkCases,
  ...requestCases,
  ...errorCases,
  ...worldEventCases,
  ...takeoverCases,
  ...bombCases,
  ...resilienceCases,
]
