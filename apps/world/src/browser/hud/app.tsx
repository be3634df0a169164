// Shows the log-in form or the world.
import { useEffect, useRef, useState } from "preact/hooks"
import type { AccessToken } from "../access-token.ts"
import { endLogin, loadToken, renew, storeToken } from "../auth.ts"
import { createDraft } from "../draft.ts"
import type { Draft } from "../draft.ts"
import { LogOuts } from "../log-outs.ts"
import { pageClock } from "../page-clock.ts"
import { startSession } from "../session.ts"
import type { Session } from "../session.ts"
import { textSlot } from "../text-slot.ts"
import { createTokenSource } from "../token-source.ts"
import { Login } from "./login.tsx"
import { World } from "./world.tsx"

type Place =
  | { readonly kind: "login"; readonly notice: string | undefined; readonly name: string }
  | { readonly kind: "world"; readonly token: AccessToken }

function startPlace(): Place {
  const token = loadToken()
  return token === undefined ? { kind: "login", notice: undefined, name: "" } : { kind: "world", token }
}

export function App() {
  const [place, setPlace] = useState<Place>(startPlace)
  const [draft] = useState(() => createDraft(textSlot(() => sessionStorage, "hawser.draft")))
  const logOuts = useLogOuts()

  function enter(token: AccessToken): void {
    storeToken(token)
    draft.belongsTo(token.name)
    setPlace({ kind: "world", token })
  }

  /** Shows the form after the log-in has ended by itself. The same player's draft is kept. */
  function askAgain(notice: string, name: string): void {
    storeToken(undefined)
    setPlace({ kind: "login", notice, name })
  }

  /** Shows the form after a log-out. Lines without an outcome are dropped with the rest of the player's text. */
  function leave(name: string, unsaidCount: number): void {
    logOuts.end(name)
    storeToken(undefined)
    draft.clear()
    setPlace({ kind: "login", notice: unsaidNotice(unsaidCount), name: "" })
  }

  if (place.kind === "login")
    return <Login notice={place.notice} name={place.name} logOuts={logOuts} onToken={enter} />
  const { token } = place
  return (
    <LiveWorld
      key={token.text}
      token={token}
      draft={draft}
      onEnded={(text) => askAgain(text, token.name)}
      onLeave={(unsaidCount) => leave(token.name, unsaidCount)}
    />
  )
}

function unsaidNotice(count: number): string | undefined {
  if (count === 0) return undefined
  return `You logged out before the world had confirmed ${count === 1 ? "your last line" : `your last ${count} lines`}.`
}

/** Repeats log-outs that have failed: of an earlier page, and when the network returns. */
function useLogOuts(): LogOuts {
  const [logOuts] = useState(
    () =>
      new LogOuts({
        slot: textSlot(() => localStorage, "hawser.logOuts"),
        endLogin,
        clock: pageClock,
        nowMs: Date.now,
      }),
  )
  useEffect(() => {
    logOuts.retry()
    const retry = (): void => logOuts.retry()
    window.addEventListener("online", retry)
    return () => {
      window.removeEventListener("online", retry)
      logOuts.stop()
    }
  }, [logOuts])
  return logOuts
}

interface LiveWorldProps {
  /** First token of the log-in. Renewed tokens replace it without a change here. */
  readonly token: AccessToken
  readonly draft: Draft
  readonly onEnded: (text: string) => void
  readonly onLeave: (unsaidCount: number) => void
}

/** Runs a session while it is mounted. */
function LiveWorld({ token, draft, onEnded, onLeave }: LiveWorldProps) {
  const [session, setSession] = useState<Session>()
  const ended = useRef(onEnded)
  ended.current = onEnded
  useEffect(() => {
    draft.belongsTo(token.name)
    let isLeft = false
    const onRefused = (text: string): void => {
      if (!isLeft) ended.current(text)
    }
    const source = createTokenSource({
      first: token,
      renew,
      // A renewal may be under way at the log-out.
      store: (fresh) => {
        if (!isLeft) storeToken(fresh)
      },
      onEnded: onRefused,
      nowMs: Date.now,
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    })
    const started = startSession({ url: socketUrl(), token: source, left: draft.take(), onRefused })
    setSession(started)
    const stopKeeping = keepOverReload(started, draft)
    return () => {
      isLeft = true
      stopKeeping()
      draft.keep(started.close())
    }
  }, [token])
  return session === undefined ? null : (
    <World session={session} draft={draft} onLeave={() => onLeave(session.unsaid.value.count)} />
  )
}

/** Stores the lines that have no outcome when the page is left. A page that returns from the browser's cache goes on. */
function keepOverReload(session: Session, draft: Draft): () => void {
  const leave = (): void => draft.keep(session.speech.setAside())
  const goOn = (event: PageTransitionEvent): void => {
    if (event.persisted) session.speech.resume(draft.take())
  }
  window.addEventListener("pagehide", leave)
  window.addEventListener("pageshow", goOn)
  return () => {
    window.removeEventListener("pagehide", leave)
    window.removeEventListener("pageshow", goOn)
  }
}

function socketUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`
}
