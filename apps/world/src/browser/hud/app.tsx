// Decides between the login form and the world.
import { useEffect, useState } from "preact/hooks"
import { storedToken, storeToken } from "../auth.ts"
import { startSession } from "../session.ts"
import type { Session } from "../session.ts"
import { Login } from "./login.tsx"
import { World } from "./world.tsx"

type Place =
  | { readonly kind: "login"; readonly notice: string | undefined }
  | { readonly kind: "world"; readonly token: string }

function startPlace(): Place {
  const token = storedToken()
  return token === undefined ? { kind: "login", notice: undefined } : { kind: "world", token }
}

export function App() {
  const [place, setPlace] = useState<Place>(startPlace)

  function enter(token: string): void {
    storeToken(token)
    setPlace({ kind: "world", token })
  }

  function leave(notice: string | undefined): void {
    storeToken(undefined)
    setPlace({ kind: "login", notice })
  }

  if (place.kind === "login") return <Login notice={place.notice} onToken={enter} />
  return <LiveWorld key={place.token} token={place.token} onLeave={leave} />
}

interface LiveWorldProps {
  readonly token: string
  readonly onLeave: (notice: string | undefined) => void
}

/** A session as long as it is mounted. */
function LiveWorld({ token, onLeave }: LiveWorldProps) {
  const [session, setSession] = useState<Session>()
  useEffect(() => {
    const started = startSession({ url: socketUrl(), token, onLoggedOut: onLeave })
    setSession(started)
    return () => started.close()
  }, [token])
  return session === undefined ? null : <World session={session} onLeave={() => onLeave(undefined)} />
}

function socketUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`
}
