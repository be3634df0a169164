// Computes a viewer's area of interest. A cell enters within `range` around the viewer's cell and leaves one cell further
// out, so that a viewer who crosses an edge back and forth does not receive the same snapshots again.

export interface Cell {
  readonly x: number
  readonly y: number
}

/** Returns the cell of a position; coordinates may be negative. */
export function cellOf(position: Cell, cellSize: number): Cell {
  return { x: Math.floor(position.x / cellSize), y: Math.floor(position.y / cellSize) }
}

/** Returns the cells that enter the area of interest around `centre`, row by row. */
export function cellsInRange(centre: Cell, range: number): Cell[] {
  const cells: Cell[] = []
  for (let y = centre.y - range; y <= centre.y + range; y += 1) {
    for (let x = centre.x - range; x <= centre.x + range; x += 1) cells.push({ x, y })
  }
  return cells
}

/** Returns true if a cell in the area of interest stays in it. */
export function staysInView(cell: Cell, centre: Cell, range: number): boolean {
  return Math.max(Math.abs(cell.x - centre.x), Math.abs(cell.y - centre.y)) <= range + 1
}
