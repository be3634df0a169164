// Position of the view over the map. Pure; positions and sizes in tiles.
import type { Tile } from "../../rules/movement.ts"

export interface Camera {
  /** Middle of the view. */
  readonly x: number
  readonly y: number
}

export interface View {
  readonly widthTiles: number
  readonly heightTiles: number
}

/** Time in which the camera covers about two thirds of its distance, in milliseconds. */
const lagMs = 90
/** Beyond this distance the camera jumps. */
const followMaxTiles = 12

/** Moves the camera towards `target`, independently of the frame rate. */
export function follow(camera: Camera | undefined, target: Tile, elapsedMs: number): Camera {
  if (camera === undefined) return target
  if (Math.max(Math.abs(target.x - camera.x), Math.abs(target.y - camera.y)) > followMaxTiles) return target
  const part = 1 - Math.exp(-elapsedMs / lagMs)
  return { x: camera.x + (target.x - camera.x) * part, y: camera.y + (target.y - camera.y) * part }
}

/** Keeps the view on the map. A map smaller than the view is centred. */
export function clampToMap(
  camera: Camera,
  view: View,
  map: { readonly width: number; readonly height: number },
): Camera {
  return {
    x: clampAxis(camera.x, view.widthTiles, map.width),
    y: clampAxis(camera.y, view.heightTiles, map.height),
  }
}

function clampAxis(middle: number, viewTiles: number, mapTiles: number): number {
  if (mapTiles <= viewTiles) return mapTiles / 2
  return Math.min(mapTiles - viewTiles / 2, Math.max(viewTiles / 2, middle))
}

/** Returns device pixels per tile, a multiple of 16: about eleven tiles along the shorter side. */
export function tilePixels(widthPixels: number, heightPixels: number): number {
  return Math.min(192, Math.max(32, Math.round(Math.min(widthPixels, heightPixels) / 11 / 16) * 16))
}
