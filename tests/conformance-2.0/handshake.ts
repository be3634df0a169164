// Sections 1 and 3: the upgrade, the first frame, and the answers to an accepted login.
import { randomUUID } from "node:crypto"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { expectEqual, expectThat } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import { connect, enterWhole, newAccount } from "./player.ts"
import type { RawClient } from "./raw-client.ts"
import { expectError, expectServed, requestOnce } from "./reply.ts"
import { expectShape } from "./shape.ts"
import { probeUpgrade } from "./upgrade.ts"
import { welcomeShape } from "./world-shapes.ts"

async function welcomeOf(client: RawClient): Promise<Frame> {
  return await client.waitFor("event_welcome", ({ type }) => type === "event_welcome")
}

/** Sends a cmd_authenticate with these further keys and expects event_welcome. */
async function expectWelcomed(context: CaseContext, extra: Readonly<Record<string, unknown>>): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token }, ...extra })
  await welcomeOf(client)
  expectEqual("first frame", client.frames[0]?.type, "event_welcome")
  await expectServed(client)
}

async function ignoreAuthorizationHeader(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context, { headers: { Authorization: "Bearer no-such-token" } })
  client.send({ type: "cmd_authenticate", payload: { token } })
  await welcomeOf(client)
}

async function demandAuthenticationDespiteHeader(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context, { headers: { Authorization: `Bearer ${token}` } })
  client.send({ id: randomUUID(), type: "query_stats", payload: {} })
  await client.waitForClose("the close of a connection that only has an Authorization header")
  expectThat(
    !client.frames.some(({ type }) => type === "resp_data"),
    "no answer to the query",
    client.frames.length,
  )
}

async function serveWithDeflate(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context, { perMessageDeflate: true })
  client.send({ type: "cmd_authenticate", payload: { token } })
  await welcomeOf(client)
  await expectServed(client)
}

async function sendNoReplyToAuthentication(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const id = randomUUID()
  const client = await connect(context)
  client.send({ id, type: "cmd_authenticate", payload: { token } })
  await welcomeOf(client)
  await expectServed(client)
  const replies = client.frames.filter((frame) => isReply(frame) && frame.id === id).map(({ type }) => type)
  expectEqual("replies with the id of cmd_authenticate", replies, [])
}

async function servePipelinedQuery(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const id = randomUUID()
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token } })
  client.send({ id, type: "query_stats", payload: {} })
  const reply = await client.waitFor("the reply to the query", (frame) => frame.id === id)
  expectEqual("type of the reply", reply.type, "resp_data")
  expectEqual("first frame", client.frames[0]?.type, "event_welcome")
}

async function checkWelcome(context: CaseContext): Promise<void> {
  const { account, welcome } = await enterWhole(context)
  expectShape("event_welcome", welcome.payload, welcomeShape)
  const { player_id, username, map_id } = welcome.payload
  expectEqual("player_id", player_id, account.id)
  expectEqual("username", username, account.username)
  expectEqual("map_id", map_id, account.mapId)
}

async function refuseSecondAuthentication(context: CaseContext): Promise<void> {
  const { account, client } = await enterWhole(context)
  const reply = await requestOnce(client, "cmd_authenticate", { token: account.token })
  expectError(reply, { code: "sys_invalid_message", category: "system" })
}

export const handshakeCases: readonly ConformanceCase[] = [
  {
    name: "chooses no subprotocol for a client that offers none",
    section: "1",
    run: async (context) => {
      const { status, headers } = await probeUpgrade(context.url, {})
      expectEqual("status of the upgrade", status, 101)
      expectEqual("Sec-WebSocket-Protocol", headers["sec-websocket-protocol"], undefined)
    },
  },
  {
    name: "refuses an upgrade that offers only unknown subprotocols with 400",
    section: "1",
    run: async (context) => {
      const { status } = await probeUpgrade(context.url, { "sec-websocket-protocol": "no-such-protocol" })
      expectEqual("status of the upgrade", status, 400)
    },
  },
  { name: "ignores a bad Authorization header on the upgrade", section: "1", run: ignoreAuthorizationHeader },
  {
    name: "accepts no Authorization header instead of cmd_authenticate",
    section: "3.2",
    run: demandAuthenticationDespiteHeader,
  },
  { name: "serves a client that offers permessage-deflate", section: "1", run: serveWithDeflate },
  {
    name: "welcomes a cmd_authenticate without an id",
    section: "3.2",
    run: async (context) => await expectWelcomed(context, {}),
  },
  {
    name: "welcomes a cmd_authenticate with an id",
    section: "3.2",
    run: async (context) => await expectWelcomed(context, { id: randomUUID() }),
  },
  {
    name: "welcomes a cmd_authenticate with version 2.0 and a timestamp",
    section: "1",
    run: async (context) => await expectWelcomed(context, { version: "2.0", timestamp: Date.now() }),
  },
  {
    name: "ignores unknown keys of the envelope",
    section: "1",
    run: async (context) => await expectWelcomed(context, { extra: [1, "two", null], id: null }),
  },
  { name: "welcomes with the nested and the flat form of the player", section: "10", run: checkWelcome },
  {
    name: "sends no reply to cmd_authenticate besides the welcome",
    section: "3.3",
    run: sendNoReplyToAuthentication,
  },
  {
    name: "serves a query sent directly after cmd_authenticate, after the welcome",
    section: "12.9",
    run: servePipelinedQuery,
  },
  {
    name: "refuses a second cmd_authenticate as an unknown type and stays open",
    section: "3.3",
    run: refuseSecondAuthentication,
  },
]
