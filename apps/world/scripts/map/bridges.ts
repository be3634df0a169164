import { SIZE, type Scene } from "./scene.ts"

/** Places the bridges where the two rows of an east road cross the river, and the pier of the harbour. */
export function buildBridges(scene: Scene): void {
  for (const y of [21, 47]) {
    const wet = Array.from({ length: SIZE }, (_, x) => x).filter(
      (x) => x > 60 && (scene.isWet([x, y]) || scene.isWet([x, y + 1])),
    )
    for (let x = Math.min(...wet) - 1; x <= Math.max(...wet) + 1; x += 1) {
      scene.put("decoration", [x, y], "bridge-across-first")
      scene.put("decoration", [x, y + 1], "bridge-across-last")
    }
  }
  for (let y = 81; y < 92; y += 1) {
    scene.put("decoration", [47, y], "bridge-along-first")
    scene.put("decoration", [48, y], "bridge-along-last")
  }
  for (let x = 42; x < 54; x += 1) for (const y of [90, 91]) scene.put("decoration", [x, y], "wood-floor")
  scene.put("objects", [42, 91], "barrel")
  scene.put("objects", [43, 91], "crate")
  scene.put("objects", [53, 90], "torch")
  scene.put("objects", [42, 90], "torch")
  scene.put("objects", [45, 88], "boat")
  scene.put("objects", [51, 92], "boat")
}
