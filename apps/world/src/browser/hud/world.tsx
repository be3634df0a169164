// The world on the screen: the canvas, and the panels over it.
import { useEffect, useRef, useState } from "preact/hooks"
import type { RefObject } from "preact"
import type { Draft } from "../draft.ts"
import { HeldDirections } from "../input/held-directions.ts"
import { listenToKeyboard } from "../input/keyboard.ts"
import { createWalk } from "../input/walk.ts"
import { openAtlas } from "../render/atlas.ts"
import { startCanvas } from "../render/canvas.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"
import { Badge } from "./badge.tsx"
import { Banner } from "./banner.tsx"
import { Belongings } from "./belongings.tsx"
import { Chat } from "./chat.tsx"
import { DevPanel } from "./dev-panel.tsx"
import { Skills } from "./skills.tsx"
import { Surroundings } from "./surroundings.tsx"
import { TouchPad } from "./touch-pad.tsx"

export interface WorldProps {
  readonly session: Session
  readonly draft: Draft
  readonly onLeave: () => void
}

export function World({ session, draft, onLeave }: WorldProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const chatInput = useRef<HTMLInputElement>(null)
  const [held] = useState(() => new HeldDirections())
  const [isDevOpen, setIsDevOpen] = useState(false)
  const ageSeconds = useStore(session.ageSeconds)

  useCanvas(canvas, session, held)
  useEffect(
    () =>
      listenToKeyboard({
        held,
        onGather: () => session.gather(),
        onChat: () => chatInput.current?.focus(),
        onDevPanel: () => setIsDevOpen((isOpen) => !isOpen),
      }),
    [session, held],
  )

  return (
    <div class="world">
      <canvas
        ref={canvas}
        class="world-canvas"
        data-testid="world-canvas"
        data-stale={ageSeconds !== undefined}
        aria-label="The world around you"
      />
      <Banner session={session} />
      <div class="corner top-left">
        <Badge session={session} />
        <Surroundings session={session} />
      </div>
      <div class="corner top-right">
        <div class="buttons">
          <button
            class="quiet"
            data-testid="dev-toggle"
            type="button"
            title="The developer panel (F2)"
            aria-expanded={isDevOpen}
            onClick={() => setIsDevOpen(!isDevOpen)}
          >
            Dev
          </button>
          <button class="quiet" data-testid="logout" type="button" onClick={onLeave}>
            Log out
          </button>
        </div>
        {isDevOpen && <DevPanel session={session} />}
        <Skills session={session} />
        <Belongings session={session} />
      </div>
      <Chat session={session} draft={draft} input={chatInput} />
      <TouchPad held={held} onGather={() => session.gather()} />
    </div>
  )
}

/** Draws the world while the component is mounted. The player walks with the frames, so they do not wait for pictures. */
function useCanvas(
  canvas: RefObject<HTMLCanvasElement | null>,
  session: Session,
  held: HeldDirections,
): void {
  useEffect(() => {
    if (canvas.current === null) return undefined
    const atlas = openAtlas()
    const stopDrawing = startCanvas({
      canvas: canvas.current,
      world: session.world,
      atlas: () => atlas.current,
      onFrame: createWalk(session, held),
    })
    const stopRetries = session.connection.subscribe(({ status }) => {
      if (status.state === "open") atlas.retry()
    })
    return () => {
      stopRetries()
      stopDrawing()
      atlas.stop()
    }
  }, [session, held])
}
