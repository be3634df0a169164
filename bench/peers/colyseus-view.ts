// The world on Colyseus with its area-of-interest tool: one schema state, and a StateView for each client. Players are
// added to a view when they enter it and removed when they leave. Each tick sends its patches, so none is late.
import { Room } from "@colyseus/core"
import type { Client } from "@colyseus/core"
import { StateView } from "@colyseus/schema"
import { serveBenchmark } from "../servers/control.ts"
import type { RunningServer, ServerSettings } from "../servers/control.ts"
import { startTicks } from "../servers/tick-loop.ts"
import { World, directions, playerOf } from "../servers/world-model.ts"
import type { Player } from "../servers/world-model.ts"
import { authenticate, startColyseus } from "./colyseus-app.ts"
import { PlayerState, WorldState } from "./world-state.ts"

async function listen(settings: ServerSettings): Promise<RunningServer> {
  const world = new World(settings.playerCount)
  const state = new WorldState()
  const mirrored = world.players.map(({ id, x, y, dir }) => {
    const mirror = new PlayerState()
    mirror.assign({ x, y, dir: directions.indexOf(dir) })
    state.players.set(String(id), mirror)
    return mirror
  })
  const views = new Map<Player, StateView>()
  const rooms = new Set<Room>()

  class WorldRoom extends Room {
    override state = state
    override patchRate = null

    static override onAuth(token: string): Promise<unknown> {
      return authenticate(token)
    }

    override onCreate(): void {
      rooms.add(this)
    }

    override onJoin(client: Client<{ auth: { userId: string } }>): void {
      const player = playerOf(world, client.auth?.userId ?? "")
      const view = new StateView()
      for (const { id } of world.visibleTo(player)) see(view, id, true)
      client.view = view
      views.set(player, view)
    }
  }

  function see(view: StateView, id: number, isSeen: boolean): void {
    const mirror = mirrored[id]
    if (mirror === undefined) return
    if (isSeen) view.add(mirror)
    else view.remove(mirror)
  }

  function step(): void {
    world.step((viewer, player, isSeen) => {
      const view = views.get(viewer)
      if (view !== undefined) see(view, player.id, isSeen)
    })
    for (const { id, x, y, dir } of world.players) {
      const mirror = mirrored[id]
      if (mirror === undefined) continue
      mirror.x = x
      mirror.y = y
      mirror.dir = directions.indexOf(dir)
    }
    for (const room of rooms) room.broadcastPatch()
  }

  let stop: () => readonly number[] = () => []
  return {
    ...(await startColyseus(settings, WorldRoom)),
    start() {
      stop = startTicks(step)
    },
    stop: () => stop(),
  }
}

await serveBenchmark(listen)
