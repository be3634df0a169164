// Banner over the world while there is no connection.
import { hasConnection, plainCause } from "../connection-view.ts"
import { reasonFor } from "../player-words.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

export function Banner({ session }: { readonly session: Session }) {
  const { status, wasOpen, isRestart } = useStore(session.connection)
  const { isLong } = useStore(session.resumptions)
  const ageSeconds = useStore(session.ageSeconds)
  if (hasConnection(status) || status.state === "idle") return null

  if (status.state === "connecting")
    return (
      <div class="veil" data-testid="banner">
        {banner("Entering the world …")}
      </div>
    )
  if (status.state === "reconnecting" && !wasOpen)
    return (
      <div class="veil" data-testid="banner">
        {banner("Cannot reach the world – trying again", {
          cause: plainCause(status.error?.code, navigator.onLine),
        })}
      </div>
    )
  if (status.state === "reconnecting") {
    // The world stays visible; it is veiled only after a prolonged outage.
    return (
      <div class={isLong ? "veil" : "veil clear"} data-testid="banner">
        {banner(
          isRestart ? "The world restarts – back in a moment" : "Connection lost – trying to come back",
          {
            ageSeconds,
          },
        )}
      </div>
    )
  }
  return (
    <div class="veil" data-testid="banner">
      {banner(status.error.code === "replaced" ? "You are playing somewhere else" : reasonFor(status.error), {
        ageSeconds,
      })}
      <button class="primary" data-testid="reconnect" type="button" onClick={() => session.reconnect()}>
        Play here
      </button>
    </div>
  )
}

interface BannerMore {
  readonly ageSeconds?: number | undefined
  /** Cause of the missing connection, if it is known. */
  readonly cause?: string | undefined
}

function banner(text: string, { ageSeconds, cause }: BannerMore = {}) {
  return (
    <div class="banner">
      <p role="alert">{text}</p>
      {cause !== undefined && (
        <p class="cause" data-testid="cause">
          {cause}
        </p>
      )}
      {ageSeconds !== undefined && (
        <p class="age" data-testid="stale-age">{`You see the world as it was ${ageSeconds} s ago`}</p>
      )}
    </div>
  )
}
