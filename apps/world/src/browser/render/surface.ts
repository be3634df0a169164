// A canvas to draw on, in the page or outside of it.

export interface Surface {
  readonly canvas: HTMLCanvasElement
  readonly context: CanvasRenderingContext2D
}

export function createSurface(width: number, height: number): Surface {
  const canvas = document.createElement("canvas")
  canvas.width = width
  canvas.height = height
  return surfaceOf(canvas)
}

export function surfaceOf(canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext("2d")
  if (context === null) throw new Error("this browser has no Canvas 2D")
  context.imageSmoothingEnabled = false
  return { canvas, context }
}
