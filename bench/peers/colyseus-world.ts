// The world on Colyseus with messages: every tick one message for each client, with the players in its view.
import { Room } from "@colyseus/core"
import type { Client } from "@colyseus/core"
import { serveBenchmark } from "../servers/control.ts"
import type { RunningServer, ServerSettings } from "../servers/control.ts"
import { startTicks } from "../servers/tick-loop.ts"
import { World, playerOf } from "../servers/world-model.ts"
import type { Player } from "../servers/world-model.ts"
import { authenticate, startColyseus } from "./colyseus-app.ts"

async function listen(settings: ServerSettings): Promise<RunningServer> {
  const world = new World(settings.playerCount)
  const clients = new Map<Client, Player>()

  class WorldRoom extends Room {
    static override onAuth(token: string): Promise<unknown> {
      return authenticate(token)
    }

    override onJoin(client: Client<{ auth: { userId: string } }>): void {
      clients.set(client, playerOf(world, client.auth?.userId ?? ""))
    }

    override onLeave(client: Client): void {
      clients.delete(client)
    }
  }

  let stop: () => readonly number[] = () => []
  return {
    ...(await startColyseus(settings, WorldRoom)),
    start() {
      stop = startTicks((tick) => {
        world.step()
        for (const [client, player] of clients)
          client.send("tick", { tick, players: world.visibleTo(player) })
      })
    },
    stop: () => stop(),
  }
}

await serveBenchmark(listen)
