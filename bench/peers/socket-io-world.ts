// The world on Socket.IO: every tick one event for each client, with the players in its view.
import type { Socket } from "socket.io"
import { serveBenchmark } from "../servers/control.ts"
import type { RunningServer, ServerSettings } from "../servers/control.ts"
import { startTicks } from "../servers/tick-loop.ts"
import { World, playerOf } from "../servers/world-model.ts"
import type { Player } from "../servers/world-model.ts"
import { startSocketIo } from "./socket-io-app.ts"

async function listen(settings: ServerSettings): Promise<RunningServer> {
  const world = new World(settings.playerCount)
  const clients = new Map<Socket, Player>()
  const { port } = await startSocketIo(settings, undefined, (_io, socket, userId) => {
    clients.set(socket, playerOf(world, userId))
    socket.on("disconnect", () => clients.delete(socket))
  })
  let stop: () => readonly number[] = () => []
  return {
    port,
    start() {
      stop = startTicks((tick) => {
        world.step()
        for (const [socket, player] of clients)
          socket.emit("tick", { tick, players: world.visibleTo(player) })
      })
    },
    stop: () => stop(),
  }
}

await serveBenchmark(listen)
