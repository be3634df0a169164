// The rare states that a run of the simulator must reach: a net with no fish in it proves nothing.

export const sometimes = {
  previousTokenAccepted: "a client whose WELCOME was lost came back with the token before",
  previousTokenTwice: "two WELCOMEs in a row were lost, and the client came back all the same",
  resumeDuringReplay: "a connection was lost while what was missed was being sent again",
  takeoverOfLive: "a new connection took the session from one that the server still held for good",
  lateDialRefused: "HELLO of a socket that its client had given up came after its successor's",
  lateHelloArrived: "HELLO arrived from a socket that its client had given up",
  welcomeLost: "WELCOME was sent and never received",
  cutInsideWelcome: "a connection was cut in the middle of WELCOME",
  cutInsideReliable: "a connection was cut in the middle of a reliable message",
  volatileBarrier: "a volatile message had to wait, or was dropped, because reliable ones waited before it",
  conflated: "a keyed value replaced one that still waited",
  windowExpired: "a client stayed away for longer than its session is kept",
  overflow: "more had to be kept for a client than a session may hold",
  ackLost: "an acknowledgement was sent on a connection that lost it",
  replyReplayed: "a reply was sent a second time",
  requestReplayed: "a request was sent a second time",
  frozenReaderDropped: "a client that answered pings but settled nothing was dropped",
  halfOpenFoundByClient: "a client found by its probe that nobody was there",
  halfOpenFoundByServer: "the server's sweep found that nobody was there",
  tokenRefreshed: "a token was renewed on a live connection",
  tokenExpiredResumed: "a session whose token had expired was resumed with a fresh one",
  kickedWhileAway: "a session was ended while its client was away",
  detachedDuringHandler: "a connection was lost while a handler ran for it",
  queueFlushedAfterResume: "requests made without a connection were executed after the resume",
  voidArrived: "a request that had timed out or been cancelled arrived after the resume",
  resetWithUnacknowledged: "a client was told which requests have an unknown outcome",
  idempotentRepeat: "a repeated request with a key was answered without being executed",
  keyedSentAgain: "a request with a key outlived its session",
  thrash: "connections took a session from one another too often",
  stolen: "a copied token ended the session",
  moved: "a client went to a second connection before it left the first",
  moveFailed: "a move failed, and the old connection stayed",
  syncCompared: "both ends compared counts and digests on a live connection",
  slotsFlushed: "a keyed value that had waited was delivered",
  readingPaused: "the server stopped reading for a while",
  clientFrozen: "a client's process was frozen with a connection",
  clientHidden: "a client's timers ran once a minute from then on, with a connection",
  hiddenAcknowledged: "a client whose timers run once a minute acknowledged what it was sent",
  askedForCounts: "a client that acknowledged nothing for a while was asked by a PING, and answered",
  serverFrozen: "the server's process was frozen with connections",
  wokeAndProbed: "a client noticed that it had slept",
  secondLoginWon: "a second login ended the first session",
  serverRestarted: "a server went and another one knew nothing of its sessions",
  bufferFull: "a client refused a request because too much waited",
  handlerAborted: "a handler saw its signal abort",
  dialRefused: "a dial was refused",
  dialHeldBack: "the dial budget, or a server, held a dial back for longer than the strategy",
  dialTimedOut: "a dial was never answered",
  rewritten: "a session was written to bytes and continued from them",
  rewrittenDuringHandler: "a session was written while a handler ran for it",
  rewrittenAhead: "a session was written with requests that were settled out of order",
  rerun: "a request whose handler was lost with its session's process ran again",
  storeTookTime: "a session store answered later",
  forgeryRefused: "a forged or foreign claim was refused and nothing changed",
  jumpOfWallClock: "the wall clock jumped",
} as const

export type Rare = keyof typeof sometimes

export const rareStates: readonly Rare[] = Object.keys(sometimes).filter(
  (name): name is Rare => name in sometimes,
)

export class Seen {
  readonly counts = new Map<string, number>()

  saw(state: Rare): void {
    this.counts.set(state, (this.counts.get(state) ?? 0) + 1)
  }

  add(other: Iterable<readonly [string, number]>): void {
    for (const [state, count] of other) this.counts.set(state, (this.counts.get(state) ?? 0) + count)
  }

  get missing(): readonly Rare[] {
    return rareStates.filter((state) => !this.counts.has(state))
  }
}
