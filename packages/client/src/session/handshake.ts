// From HELLO to an open session: sends HELLO with the resume claim, reads messages until one of them settles the attempt,
// and resumes or begins the session at WELCOME. The caller of `receiveOpening` checks that the link is the current one.
// Must not know listeners or when the client dials.
import { HawserError } from "@hawser/protocol"
import { errorWithCode, unsendable, wireVersion } from "@hawser/protocol/core"
import type { WelcomeFrame } from "@hawser/protocol/core"
import { errorOf } from "../base/peer-error.ts"
import { receiveMessage } from "./client-frames.ts"
import type { ClientParts } from "./client-parts.ts"
import type { ClientSession } from "./client-session.ts"
import type { Opening } from "./dialect.ts"
import type { Link } from "./links.ts"

type Welcome = Extract<Opening, { kind: "welcome" }>

/** Binds the connection of a dial and sends HELLO. Fails the attempt if the token cannot be encoded or is too large. */
export function sendHello(parts: ClientParts, dial: number, token: string): void {
  const { binding, clientId, clock, contractName, counters, limits, links } = parts
  const link = links.get(dial)
  if (link === undefined) return
  const { codec, connection } = link
  binding.link = link
  link.helloAtMs = clock.now()
  const resume = binding.session?.claim()
  try {
    const bytes = codec.encode({
      kind: "hello",
      version: wireVersion,
      token,
      reference: null,
      clientId,
      dial,
      ...(resume === undefined ? {} : { resume }),
      limits: limits.message,
      contract: contractName,
    })
    if (resume !== undefined) counters.resumesAsked += 1
    connection.send({ bytes })
  } catch (cause) {
    // The token stays unsendable, so the error is final.
    const error = unsendable("the token", cause)
    binding.fail(
      HawserError.is(error) ? error : new HawserError("auth_token_invalid", { retry: "never", cause }),
    )
  }
}

/** Reads a message before WELCOME. Keeps it if it does not settle the attempt, up to `limits.earlyMaxCount`. */
export function receiveOpening(parts: ClientParts, link: Link, bytes: Uint8Array): void {
  const { binding, dialect, limits } = parts
  const opening = dialect.readOpening(link.codec, bytes)
  switch (opening.kind) {
    case "welcome":
      onWelcome(parts, link, opening)
      return
    case "refused":
      binding.fail(errorOf(opening.error, link.retryAfterMs))
      return
    case "busy":
      link.retryAfterMs = opening.retryAfterMs
      return
    case "early":
      if (link.early.push(bytes) <= limits.earlyMaxCount) return
      binding.fail(
        new HawserError("buffer_full", {
          message: `more than ${limits.earlyMaxCount} messages came before WELCOME (limits.earlyMaxCount)`,
        }),
      )
  }
}

function onWelcome(parts: ClientParts, link: Link, opening: Welcome): void {
  const { clock, counters, links, requests, roundTrip } = parts
  counters.welcomes += 1
  if (link.helloAtMs !== undefined) roundTrip.observe(clock.now() - link.helloAtMs)
  // Requests past their deadlines reject before the replay: the server must not execute abandoned requests.
  requests.expire()
  // The server has replaced the previous connection.
  links.dropRetired()
  if (!opening.welcome.resumed) open(parts, link, opening)
  else if (!resume(parts, link, opening.welcome)) return
  for (const bytes of link.early.splice(0)) receiveMessage(parts, link, bytes)
}

/** Resumes the session: first its state, then the replay and waiting requests, then listeners. Returns false if it cannot. */
function resume(parts: ClientParts, link: Link, welcome: WelcomeFrame): boolean {
  const { binding, counters, heartbeat, onSession, outage, replicas, requests, supervisor, tallies } = parts
  const { session } = binding
  if (session === undefined) {
    const message = "the server resumed a session that HELLO did not claim"
    binding.fail(new HawserError("sys_invalid_message", { message, retry: "later" }))
    return false
  }
  link.welcomed = true
  if (!session.resume(link.connection, welcome)) {
    tallies.resumesRefused.add("session_diverged")
    const count = session.counts.received
    link.connection.send({ bytes: session.codec.encode({ kind: "reset", cause: "session_diverged", count }) })
    binding.reset(new HawserError("session_diverged"))
    return false
  }
  // The server sends no replica frames before HAVE.
  const held = replicas.held(session.serverLimits)
  session.sendControl({ kind: "have", held })
  counters.sessionsResumed += 1
  startHeartbeat(parts)
  if (session.counts.bufferedMessages > 0) heartbeat.asked()
  const outageMs = outage.end()
  supervisor.step({ kind: "welcomed", dial: link.dial, resumed: true }, () => requests.flush())
  onSession({ kind: "resumed", sessionId: session.id, outageMs })
  return true
}

/** Begins a new session: first its state, then waiting requests, then listeners. */
function open(parts: ClientParts, link: Link, { welcome, event }: Welcome): void {
  const { binding, counters, onFrame, onFresh, onSession, outage, requests, supervisor, tallies } = parts
  const refusal = welcome.refusal ?? "session_unknown"
  if (binding.session?.claim() !== undefined) tallies.resumesRefused.add(refusal)
  binding.end(errorWithCode(refusal))
  const session = createSession(parts, link, welcome)
  binding.session = session
  counters.sessionsOpened += 1
  startHeartbeat(parts)
  outage.end()
  supervisor.step({ kind: "welcomed", dial: link.dial, resumed: false }, () => {
    onFresh()
    requests.flush()
  })
  onSession({ kind: "opened", sessionId: session.id })
  if (event !== undefined) onFrame(event)
}

function createSession(parts: ClientParts, link: Link, welcome: WelcomeFrame): ClientSession {
  const { dialect, heartbeat, limits, requests, wallClockMs } = parts
  const { connection, types } = link
  types.replace(welcome.types)
  link.welcomed = true
  return dialect.createSession({
    ...parts,
    codec: dialect.sessionCodec(link.codec, { types, limits, wallClockMs }, welcome),
    types,
    connection,
    welcome,
    onRoom: () => requests.flush(),
    onAsked: () => heartbeat.asked(),
  })
}

function startHeartbeat({ dialect, heartbeat }: ClientParts): void {
  if (dialect.hasHeartbeat) heartbeat.start()
}
