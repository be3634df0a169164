// The samples of docs/topic-replicas.md, between their marks. `board.test.ts` runs them, and compares them with the page.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { defineContract, defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions } from "@hawser/server"
import { z } from "zod"

// --- contract
const cursors = defineReplica({
  fields: { x: integer({ min: 0, max: 4095 }), y: integer({ min: 0, max: 4095 }), name: text() },
})
const at = z.int().min(0).max(4095)
const point = z.object({ board: z.string().regex(/^\w{1,64}$/), x: at, y: at })
export const boards = defineContract({
  name: "boards",
  commands: { point: { input: point } },
  events: { drawn: { payload: z.object({ shape: z.string() }) } },
  topics: { board: defineTopic({ events: ["drawn"], replicas: { cursors } }) },
})
// --- end

interface Person {
  readonly id: string
}

export function createBoardServer(
  options: ServerOptions<typeof boards, Person>,
): Server<typeof boards, Person> {
  const server = createServer(boards, options)
  // --- server
  server.topicKind("board", {
    canJoin: () => true,
    onJoin: ({ topic, member }) =>
      server.topic(topic).replica("cursors").set(`${member.id}`, { x: 0, y: 0, name: member.user }),
    onLeave: ({ topic, member }) => server.topic(topic).replica("cursors").remove(`${member.id}`),
  })
  server.command("point", async ({ input: { board, x, y }, session }) => {
    const topic = server.topic(`board:${board}`)
    const cursors = topic.replica("cursors")
    for (const { id, user } of await topic.members())
      if (user === session.user.id && cursors.has(`${id}`)) cursors.patch(`${id}`, { x, y })
  })
  // --- end
  return server
}

export async function showBoard(
  options: ClientOptions,
  show: (cursors: ReadonlyMap<string, { readonly x: number; readonly name: string }>) => void,
): Promise<Client<typeof boards>> {
  // --- client
  const client = createClient(boards, options)
  const board = client.topic("board:7")
  const shown = board.replica("cursors")
  shown.subscribe(() => show(shown.snapshot().records))
  await board.join()
  await client.command("point", { board: "7", x: 30, y: 40 })
  // --- end
  return client
}
