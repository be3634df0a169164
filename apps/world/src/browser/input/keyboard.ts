// Keys of the world: arrows or WASD to walk, E or space to gather, Enter to chat, F2 for the developer panel.
import type { Direction } from "../../contract.ts"
import type { HeldDirections } from "./held-directions.ts"

const directionByCode: ReadonlyMap<string, Direction> = new Map([
  ["ArrowUp", "UP"],
  ["KeyW", "UP"],
  ["ArrowDown", "DOWN"],
  ["KeyS", "DOWN"],
  ["ArrowLeft", "LEFT"],
  ["KeyA", "LEFT"],
  ["ArrowRight", "RIGHT"],
  ["KeyD", "RIGHT"],
])

export interface KeyboardOptions {
  readonly held: HeldDirections
  readonly onGather: () => void
  readonly onChat: () => void
  readonly onDevPanel: () => void
}

/** Returns how to stop listening. */
export function listenToKeyboard({ held, onGather, onChat, onDevPanel }: KeyboardOptions): () => void {
  const listening = new AbortController()
  const { signal } = listening

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.code === "F2") {
      event.preventDefault()
      if (!event.repeat) onDevPanel()
      return
    }
    if (isTyping(event.target)) return
    const direction = directionByCode.get(event.code)
    if (direction !== undefined) held.press(event.code, direction)
    else if (event.code === "KeyE" || (event.code === "Space" && !isButton(event.target))) {
      if (!event.repeat) onGather()
    } else if (event.code === "Enter" && !isButton(event.target)) onChat()
    else return
    event.preventDefault()
  }

  window.addEventListener("keydown", onKeyDown, { signal })
  window.addEventListener("keyup", (event) => held.release(event.code), { signal })
  window.addEventListener("blur", () => held.releaseAll(), { signal })
  // Walking ends where typing begins.
  window.addEventListener("focusin", (event) => isTyping(event.target) && held.releaseAll(), { signal })
  return () => listening.abort()
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement
}
