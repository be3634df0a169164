// Chooses what a key does. Letters are found by their place on the keyboard (`code`), so that WASD is one cluster in every
// layout; named keys by their meaning (`key`), because several places mean the same: Enter, arrows and the keypad. Pure.
import type { Direction } from "../../contract.ts"

export type KeyAction =
  | { readonly kind: "walk"; readonly direction: Direction }
  | { readonly kind: "gather" | "chat" | "devPanel" }

const walk = (direction: Direction): KeyAction => ({ kind: "walk", direction })

const byKey: ReadonlyMap<string, KeyAction> = new Map<string, KeyAction>([
  ["ArrowUp", walk("UP")],
  ["ArrowDown", walk("DOWN")],
  ["ArrowLeft", walk("LEFT")],
  ["ArrowRight", walk("RIGHT")],
  [" ", { kind: "gather" }],
  ["Enter", { kind: "chat" }],
  ["F2", { kind: "devPanel" }],
])

const byCode: ReadonlyMap<string, KeyAction> = new Map<string, KeyAction>([
  ["KeyW", walk("UP")],
  ["KeyS", walk("DOWN")],
  ["KeyA", walk("LEFT")],
  ["KeyD", walk("RIGHT")],
  ["KeyE", { kind: "gather" }],
])

/** The part of a KeyboardEvent that is used. */
export interface Pressed {
  readonly key: string
  /** Empty where a key has no place: on-screen keyboards, remote desktops. */
  readonly code: string
}

/** Undefined for a key that does nothing. A letter without a place counts as the key that bears it. */
export function keyAction({ key, code }: Pressed): KeyAction | undefined {
  return byKey.get(key) ?? byCode.get(code === "" ? `Key${key.toUpperCase()}` : code)
}

/** The same for the press and the release of one key, though NumLock or Shift may have changed its meaning meanwhile. */
export function keyIdentity({ key, code }: Pressed): string {
  return code === "" ? key.toLowerCase() : code
}
