import { describe, expect, it } from "vitest"
import type { TokenVerdict } from "./resume-token.ts"
import { judgeResume } from "./resume.ts"
import type { ResumableSession, ResumeRequest, ResumeVerdict } from "./resume.ts"

const request: ResumeRequest = { sessionId: "s", token: "t", handled: 5, digest: 77, sent: 0, dial: 10 }

interface Situation {
  /** Generation of the presented token; the session's newest is 4. */
  readonly generation: number
  readonly isTokenConfirmed: boolean
  readonly lastDial: number
  readonly agrees: boolean
}

/** Immutable session, with a record of the calls. */
function sessionIn({ isTokenConfirmed, lastDial, agrees }: Situation) {
  const asked: (readonly [number, number])[] = []
  const session: ResumableSession = Object.freeze({
    tokenGeneration: 4,
    isTokenConfirmed,
    lastDial,
    canResumeAfter: (count: number, digest: number) => {
      asked.push([count, digest])
      return agrees
    },
  })
  return { session, asked }
}

const resume: ResumeVerdict = { kind: "resume" }
const late: ResumeVerdict = { kind: "refuse", code: "replaced" }
const stolen: ResumeVerdict = { kind: "reset", cause: "session_stolen", suspicious: true }
const diverged: ResumeVerdict = { kind: "reset", cause: "session_diverged", suspicious: false }
const lost: ResumeVerdict = { ...diverged }

const generations = [0, 2, 3, 4, 5]
const situations: readonly Situation[] = generations.flatMap((generation) =>
  [true, false].flatMap((isTokenConfirmed) =>
    [9, 10, 11].flatMap((lastDial) =>
      [true, false].map((agrees) => ({ generation, isTokenConfirmed, lastDial, agrees })),
    ),
  ),
)

/** Table of tokens: the newest is valid, and the previous one until the client has confirmed the newest. */
function expectedIn({ generation, isTokenConfirmed, lastDial, agrees }: Situation): ResumeVerdict {
  if (lastDial >= request.dial) return late
  // The server has lost its newest state, which is no theft (trap-19).
  if (generation > 4) return lost
  const opens = generation === 4 || (generation === 3 && !isTokenConfirmed)
  if (!opens) return stolen
  return agrees ? resume : diverged
}

describe("judgeResume", () => {
  it.each<[TokenVerdict, ResumeVerdict]>([
    [{ kind: "forged" }, { kind: "refuse", code: "auth_token_invalid" }],
    [{ kind: "otherUser" }, { kind: "refuse", code: "auth_forbidden" }],
    [{ kind: "unknownKey" }, { kind: "fresh", cause: "session_unknown" }],
  ])("decides on a token that is $kind without a look at the session", (token, expected) => {
    for (const situation of situations) {
      const { session, asked } = sessionIn(situation)
      expect(judgeResume(request, token, session)).toEqual(expected)
      expect(asked).toEqual([])
    }
    expect(judgeResume(request, token, undefined)).toEqual(expected)
  })

  it("opens a new session if the old one has ended", () => {
    expect(judgeResume(request, { kind: "valid", generation: 4 }, undefined)).toEqual({
      kind: "fresh",
      cause: "session_unknown",
    })
  })

  it.each(situations)(
    "decides: generation $generation of 4, confirmed $isTokenConfirmed, dial 10 after $lastDial, agrees $agrees",
    (situation) => {
      const { session, asked } = sessionIn(situation)
      const { generation } = situation
      const expected = expectedIn(situation)
      expect(judgeResume(request, { kind: "valid", generation }, session)).toEqual(expected)
      expect(asked).toEqual(expected === resume || expected === diverged ? [[5, 77]] : [])
    },
  )

  it("covers every verdict in this table", () => {
    const reached = new Set(situations.map(expectedIn))
    expect(reached).toEqual(new Set([resume, late, stolen, diverged, lost]))
    expect(situations.length).toBe(60)
  })

  it("accepts the first token of a session, which has no previous one", () => {
    const session: ResumableSession = {
      tokenGeneration: 1,
      isTokenConfirmed: false,
      lastDial: 0,
      canResumeAfter: () => true,
    }
    expect(judgeResume(request, { kind: "valid", generation: 1 }, session)).toEqual(resume)
    expect(
      judgeResume(request, { kind: "valid", generation: 0 }, { ...session, isTokenConfirmed: true }),
    ).toEqual(stolen)
  })

  it("resumes a client after any number of lost WELCOMEs (S10)", () => {
    // The client holds the token of the last WELCOME that it received.
    let tokenGeneration = 1
    let lastDial = 0
    for (let dial = 1; dial <= 3; dial += 1) {
      const session = { tokenGeneration, isTokenConfirmed: true, lastDial, canResumeAfter: () => true }
      expect(
        judgeResume({ ...request, dial }, { kind: "valid", generation: tokenGeneration }, session),
      ).toEqual(resume)
      tokenGeneration += 1
      lastDial = dial
    }
    const unconfirmed = { tokenGeneration, isTokenConfirmed: false, lastDial, canResumeAfter: () => true }
    const held: TokenVerdict = { kind: "valid", generation: tokenGeneration - 1 }
    expect(judgeResume({ ...request, dial: 4 }, held, unconfirmed)).toEqual(resume)
  })
})
