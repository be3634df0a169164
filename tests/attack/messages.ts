// Messages between the runner of an attack and its two child processes.

export interface Where {
  readonly host: string
  readonly port: number
}

export interface PlayersSetUp {
  readonly where: Where
  /** Log-in tokens, one for each player. */
  readonly tokens: readonly string[]
  readonly seed: number
  /** Interval between newcomers, who register, log in and walk. */
  readonly newcomerEveryMs: number
  /** A newcomer who is not in the world after this time counts as refused. */
  readonly newcomerMaxMs: number
}

interface Percentiles {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Durations of a new player's entry, in milliseconds. */
export interface Newcomer {
  readonly registerMs: number
  /** From the log-in with the password to the reply to its first step. */
  readonly enterMs: number
}

/** Figures since the last reading. */
export interface PlayerFigures {
  readonly open: number
  readonly commands: Percentiles
  readonly reconnects: number
  readonly resets: readonly string[]
  readonly errors: readonly string[]
  readonly newcomers: readonly Newcomer[]
  /** Reasons why newcomers did not get in. */
  readonly refused: readonly string[]
}

export type ToPlayers =
  | { readonly kind: "start"; readonly setUp: PlayersSetUp }
  /** Answers with the figures since the last reading, and starts new ones. */
  | { readonly kind: "read" }
  | { readonly kind: "end" }

export type FromPlayers =
  | { readonly kind: "walking"; readonly errors: readonly string[] }
  | { readonly kind: "figures"; readonly figures: PlayerFigures }

export interface AttackersSetUp {
  readonly where: Where
  readonly sockets: number
  readonly seed: number
  readonly tokens: readonly string[]
  readonly assets: readonly string[]
}

export interface KindFigures {
  readonly name: string
  /** Sockets opened. */
  readonly opened: number
  /** Number of ended sockets, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Longest time that the server kept one of them open, in milliseconds. */
  readonly heldMs: number
  /** Bound of `heldMs`; undefined for attackers that leave by themselves. */
  readonly heldMaxMs: number | undefined
}

export interface AttackFigures {
  readonly kinds: readonly KindFigures[]
  /** Highest number of sockets that were open at once. */
  readonly socketsMost: number
  /** CPU time of the attackers' process, in milliseconds. */
  readonly cpuMs: number
  readonly errors: readonly string[]
}

export type ToAttackers =
  | { readonly kind: "start"; readonly setUp: AttackersSetUp }
  /** Closes every socket and answers with the figures. */
  | { readonly kind: "stop" }
  | { readonly kind: "end" }

export type FromAttackers =
  | { readonly kind: "attacking" }
  | { readonly kind: "stopped"; readonly figures: AttackFigures }
