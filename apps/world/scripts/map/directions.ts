// The four directions in which a figure can look.

export const DIRECTIONS = ["UP", "DOWN", "LEFT", "RIGHT"] as const

export type Direction = (typeof DIRECTIONS)[number]
