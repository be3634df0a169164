// Keys of the world: arrows or WASD to walk, E or space to gather, Enter to chat, F2 for the developer panel.
import type { HeldDirections } from "./held-directions.ts"
import { keyAction, keyIdentity } from "./key-action.ts"

export interface KeyboardOptions {
  readonly held: HeldDirections
  readonly onGather: () => void
  readonly onChat: () => void
  readonly onDevPanel: () => void
}

/** Returns the disposer. */
export function listenToKeyboard({ held, onGather, onChat, onDevPanel }: KeyboardOptions): () => void {
  const listening = new AbortController()
  const { signal } = listening

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const action = keyAction(event)
    if (action === undefined) return
    // Enter and space press a focused button.
    const isPress = (event.key === "Enter" || event.key === " ") && isButton(event.target)
    if (action.kind !== "devPanel" && (isPress || isTyping(event.target))) return
    event.preventDefault()
    switch (action.kind) {
      case "walk":
        held.press(keyIdentity(event), action.direction)
        return
      case "chat":
        onChat()
        return
      case "gather":
        if (!event.repeat) onGather()
        return
      case "devPanel":
        if (!event.repeat) onDevPanel()
    }
  }

  window.addEventListener("keydown", onKeyDown, { signal })
  window.addEventListener("keyup", (event) => held.release(keyIdentity(event)), { signal })
  window.addEventListener("blur", () => held.releaseAll(), { signal })
  // Walking ends when typing begins.
  window.addEventListener("focusin", (event) => isTyping(event.target) && held.releaseAll(), { signal })
  return () => listening.abort()
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement
}
