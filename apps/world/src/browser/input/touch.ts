// Touch pad: the direction is that of the finger from the middle, so the finger can slide without lifting.
import type { Direction } from "../../contract.ts"
import type { HeldDirections } from "./held-directions.ts"

/** Radius around the middle without a direction, as a share of the pad's width. */
const deadPart = 0.1

/** Returns the direction of a finger at `dx`, `dy` from the middle. */
function padDirection(dx: number, dy: number, width: number): Direction | undefined {
  if (Math.hypot(dx, dy) < width * deadPart) return undefined
  if (Math.abs(dx) > Math.abs(dy)) return dx < 0 ? "LEFT" : "RIGHT"
  return dy < 0 ? "UP" : "DOWN"
}

/** Calls `onPointed` with the direction that the pad shows as pressed. Returns the disposer. */
export function listenToPad(
  pad: HTMLElement,
  held: HeldDirections,
  onPointed: (direction: Direction | undefined) => void,
): () => void {
  const listening = new AbortController()
  const { signal } = listening

  function point(event: PointerEvent): void {
    const { left, top, width, height } = pad.getBoundingClientRect()
    const direction = padDirection(event.clientX - left - width / 2, event.clientY - top - height / 2, width)
    if (direction === undefined) held.release("pad")
    else held.press("pad", direction)
    onPointed(direction)
  }

  function lift(): void {
    held.release("pad")
    onPointed(undefined)
  }

  pad.addEventListener(
    "pointerdown",
    (event) => {
      event.preventDefault()
      pad.setPointerCapture(event.pointerId)
      point(event)
    },
    { signal },
  )
  pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && point(event), {
    signal,
  })
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    pad.addEventListener(end, lift, { signal })
  return () => listening.abort()
}
