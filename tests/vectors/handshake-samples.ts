// Samples of the frames with which a session opens, and of those that renew a token.
import { serverMessageLimits } from "@hawser/protocol/core"
import type { WelcomeFrame } from "@hawser/protocol/core"
import type { Samples } from "./frame-sample.ts"

const hello = {
  kind: "hello",
  version: 1,
  token: "abc",
  reference: null,
  clientId: "c1",
  dial: 1,
} as const

const welcome: WelcomeFrame = {
  kind: "welcome",
  sessionId: "s1",
  resumeToken: "rt",
  resumed: false,
  received: 0,
  handled: 0,
  digest: 0,
  expiresInMs: null,
  limits: { ...serverMessageLimits, maxBytes: 1 },
  types: [],
}

/** Samples of the frames of a handshake and of a token's renewal. */
export const handshakeSamples: Pick<Samples, "hello" | "welcome" | "auth" | "authRequest" | "authOk"> = {
  hello: [
    {
      name: "hello",
      what: "The client requests a new session: `resume` is nil. Without `limits` the client has the defaults.",
      frame: hello,
    },
    {
      name: "hello that goes on with a session",
      what: "The client requests a resume: it has handled 300 messages of the server, whose digest it sends, and has sent 41.",
      frame: {
        ...hello,
        dial: 2,
        resume: { sessionId: "s1", token: "rt", handled: 300, digest: 0xfedcba98, sent: 41 },
      },
    },
    {
      name: "hello with its limits and its contract",
      what: "The client sends the bounds of its reader, so it acknowledges state, and the name of its contract.",
      frame: {
        ...hello,
        limits: { maxBytes: 1_048_576, maxDepth: 32, maxElements: 200_000, maxKeyBytes: 128 },
        contract: "game",
      },
    },
    {
      name: "hello with its contract alone",
      what: "`limits` has no value, but an element with a value follows it, so it is nil.",
      frame: { ...hello, contract: "game" },
    },
  ],
  welcome: [
    {
      name: "welcome",
      what: "A session. The server has received two messages of the client and handled one. The token expires in a minute.",
      frame: {
        ...welcome,
        received: 2,
        handled: 1,
        digest: 0x89abcdef,
        expiresInMs: 60_000,
        limits: { maxBytes: 65_536, maxDepth: 32, maxElements: 10_000, maxKeyBytes: 128 },
        types: ["$join", "move"],
      },
    },
    {
      name: "welcome without expiry",
      what: "A session that cannot be resumed, and a token that does not expire: both elements are nil.",
      frame: { ...welcome, sessionId: "", resumeToken: null },
    },
    {
      name: "welcome of a session that goes on",
      what: "Flag 1: the session is resumed. The client retransmits from message 4 on.",
      frame: { ...welcome, resumeToken: "r2", resumed: true, received: 3, handled: 3, digest: 7 },
    },
    {
      name: "welcome to a new session instead",
      what: "Flag 4: the resume is refused, and this is a new session. `refusal` is the cause, a code as text.",
      frame: { ...welcome, sessionId: "s2", resumeToken: "r1", refusal: "session_expired" },
    },
  ],
  auth: [{ name: "auth", what: "The client sends a fresh token.", frame: { kind: "auth", token: "abc" } }],
  authRequest: [
    {
      name: "authRequest",
      what: "The server requests a fresh token: the current one expires 60 s after this frame.",
      frame: { kind: "authRequest", expiresInMs: 60_000 },
    },
  ],
  authOk: [
    {
      name: "authOk",
      what: "The server accepted the token, which expires in 60 s.",
      frame: { kind: "authOk", expiresInMs: 60_000 },
    },
    {
      name: "authOk without expiry",
      what: "The server accepted a token that does not expire.",
      frame: { kind: "authOk", expiresInMs: null },
    },
  ],
}
