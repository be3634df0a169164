// The world on Hawser: players are a replica, and each client's view follows its own player.
import { createServer, jwt } from "@hawser/server"
import { serveBenchmark } from "./control.ts"
import type { RunningServer, ServerSettings } from "./control.ts"
import { benchLimits } from "./hawser-app.ts"
import { startTicks } from "./tick-loop.ts"
import { worldContract } from "./world-contract.ts"
import { World, playerOf } from "./world-model.ts"

async function listen({ secret, playerCount }: ServerSettings): Promise<RunningServer> {
  const world = new World(playerCount)
  const server = createServer(worldContract, { authenticate: jwt({ secret }), limits: benchLimits })
  const players = server.replica("players")
  const ids = world.players.map(({ id }) => String(id))
  const show = (): void => {
    for (const { id, x, y, dir } of world.players) players.set(ids[id] ?? "", { x, y, dir })
  }
  show()
  server.onSession(({ session }) => {
    players.view(session, { follow: String(playerOf(world, session.user.id).id) })
  })
  const { port } = await server.listen({ host: "127.0.0.1" })
  let stop: () => readonly number[] = () => []
  return {
    port,
    start() {
      stop = startTicks(() => {
        world.step()
        show()
        server.flush()
      })
    },
    stop: () => stop(),
  }
}

await serveBenchmark(listen)
