// The rare states that a run of the simulator must reach: a run without them proves nothing about them.

export const sometimes = {
  previousTokenAccepted: "a client whose WELCOME was lost resumed with the previous token",
  previousTokenTwice: "two WELCOMEs in a row were lost, and the client still resumed",
  resumeDuringReplay: "a connection was lost during a replay",
  takeoverOfLive: "a new connection took the session from one that the server still considered alive",
  lateDialRefused: "HELLO of an abandoned socket arrived after its successor's",
  lateHelloArrived: "HELLO arrived from an abandoned socket",
  welcomeLost: "WELCOME was sent and never received",
  cutInsideWelcome: "a connection was cut in the middle of WELCOME",
  cutInsideReliable: "a connection was cut in the middle of a reliable message",
  volatileBarrier: "a volatile message was queued or dropped behind queued reliable ones",
  conflated: "a keyed value replaced a queued one",
  windowExpired: "a session was detached for longer than its window",
  overflow: "a session's buffer overflowed",
  ackLost: "an acknowledgement was sent on a connection that lost it",
  replyReplayed: "a reply was retransmitted",
  requestReplayed: "a request was retransmitted",
  frozenReaderDropped: "a client that answered pings but settled nothing was dropped",
  halfOpenFoundByClient: "a client's probe detected a half-open connection",
  halfOpenFoundByServer: "the server's sweep detected a half-open connection",
  tokenRefreshed: "a token was renewed on a live connection",
  tokenExpiredResumed: "a session whose token had expired was resumed with a fresh one",
  kickedWhileAway: "a detached session was ended",
  detachedDuringHandler: "a connection was lost while a handler ran for it",
  queueFlushedAfterResume: "requests made without a connection were executed after the resume",
  voidArrived: "a request that had timed out or been cancelled arrived after the resume",
  resetWithUnacknowledged: "a reset listed requests with an unknown outcome",
  idempotentRepeat: "a repeated request with a key was answered without being executed",
  keyedSentAgain: "a request with a key outlived its session",
  thrash: "connections took a session from one another too often",
  stolen: "a copied token ended the session",
  moved: "a client moved to a second connection before it left the first",
  moveFailed: "a move failed, and the old connection stayed",
  syncCompared: "both ends compared counts and digests on a live connection",
  slotsFlushed: "a queued keyed value was delivered",
  readingPaused: "the server stopped reading for a while",
  clientFrozen: "a client's process was frozen with a connection",
  clientHidden: "a connected client's timers started to run once a minute",
  hiddenAcknowledged: "a client whose timers run once a minute acknowledged a message",
  askedForCounts: "a client without an acknowledgement for a while got a PING, and answered",
  serverFrozen: "the server's process was frozen with connections",
  wokeAndProbed: "a client detected a sleep",
  secondLoginWon: "a second login ended the first session",
  serverRestarted: "a server was replaced by one without its sessions",
  commandPassedQuery: "a command ran while a query that was sent before it was still running",
  queriesTogether: "two queries of one session ran at once",
  freePassedCommand: "a command without an order ran beside one that was sent before it",
  bufferFull: "a client refused a request because its queue was full",
  handlerAborted: "a handler saw its signal abort",
  dialRefused: "a dial was refused",
  dialHeldBack: "the dial budget, or a server, delayed a dial for longer than the strategy",
  dialTimedOut: "a dial was never answered",
  rewritten: "a session was written to bytes and continued from them",
  rewrittenDuringHandler: "a session was written while a handler ran for it",
  rewrittenAhead: "a session was written with requests that were settled out of order",
  rerun: "a request whose handler was lost with its session's process ran again",
  storeTookTime: "a session store answered later",
  forgeryRefused: "a forged or foreign claim was refused and nothing changed",
  boardResumed: "a client resumed with records of a topic's replica",
  boardJoinedAgain: "a client joined a topic with replicas again in a new session",
  boardLeftWithRecords: "a client left a topic while it showed records",
  boardRemoved: "the server removed a member from a topic with replicas",
  boardRewritten: "a member of a topic with replicas was written to bytes and continued from them",
  boardWithoutSessions: "the server wrote records while a topic had no session",
  sendUndone: "an atomic function had sent an event before it threw, which was dropped",
  changeUndone: "an atomic change of records was undone",
  killed: "the server's process was killed and continued from its journal",
  killedInWrite: "the server's process was killed within a write to its journal",
  killedAfterWrite: "the server's process was killed after a write that was not reported",
  parked: "the server's process ended in order and left its sessions to the next one",
  powerLost: "the server's machine lost power in mode power, and nothing that had left was lost",
  powerLostInKill: "the server's machine lost power in mode kill",
  rolledBack: "a journal came back without records that had been written",
  rolledBackReset: "a client that had seen more than a rolled back journal holds was reset",
  rolledBackResumed: "a session was resumed after a rollback",
  copyPutBack: "an older copy of the journal was put back",
  diskFull: "the journal's disk was full for a while",
  diskSlow: "the journal's disk was slow for a while",
  syncFailed: "syncs of the journal failed for a while",
  journalRenewed: "the journal began anew after a failed sync",
  secondProcessRefused: "a second process waited for the journal in vain",
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
