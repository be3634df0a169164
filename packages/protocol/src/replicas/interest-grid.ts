// Which cells a viewer sees. A cell comes into view within the range around the viewer's own cell, and leaves it one
// cell further out: who walks to and fro over an edge is not sent the same cells again and again.

export interface Cell {
  readonly x: number
  readonly y: number
}

/** The cell of a position. Negative positions are fine. */
export function cellOf(position: Cell, cellSize: number): Cell {
  return { x: Math.floor(position.x / cellSize), y: Math.floor(position.y / cellSize) }
}

/** Every cell that comes into view around this one, row by row. */
export function cellsInRange(centre: Cell, range: number): Cell[] {
  const cells: Cell[] = []
  for (let y = centre.y - range; y <= centre.y + range; y += 1) {
    for (let x = centre.x - range; x <= centre.x + range; x += 1) cells.push({ x, y })
  }
  return cells
}

/** True for a cell that was in view and stays so. */
export function staysInView(cell: Cell, centre: Cell, range: number): boolean {
  return Math.max(Math.abs(cell.x - centre.x), Math.abs(cell.y - centre.y)) <= range + 1
}
