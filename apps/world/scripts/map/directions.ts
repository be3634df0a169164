// The four ways that a figure can look.

export const DIRECTIONS = ["UP", "DOWN", "LEFT", "RIGHT"] as const

export type Direction = (typeof DIRECTIONS)[number]
