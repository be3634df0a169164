// Chooses the action of a key. Letters are matched by their place on the keyboard (`code`), so that WASD is one cluster
// in every layout. Named keys are matched by meaning (`key`), because several places have the same meaning: Enter,
// arrows and the keypad. Pure.
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

/** The used part of a KeyboardEvent. */
export interface Pressed {
  readonly key: string
  /** Empty for a key without a place: on-screen keyboards, remote desktops. */
  readonly code: string
}

/** Returns undefined for a key without an action. A letter without a place is matched by its character. */
export function keyAction({ key, code }: Pressed): KeyAction | undefined {
  return byKey.get(key) ?? byCode.get(code === "" ? `Key${key.toUpperCase()}` : code)
}

/**
 * Returns the same text for the press and the release of one key, even if NumLock or Shift changed its meaning in
 * between.
 */
export function keyIdentity({ key, code }: Pressed): string {
  return code === "" ? key.toLowerCase() : code
}
