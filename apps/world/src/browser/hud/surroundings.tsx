// Position of the player, and the players in sight.
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

export function Surroundings({ session }: { readonly session: Session }) {
  const here = useStore(session.surroundings)
  if (here === undefined) return null
  return (
    <section class="surroundings panel" aria-label="Surroundings">
      <p>
        <strong data-testid="own-name">{here.username}</strong>
        <span data-testid="position">{`${here.x},${here.y}`}</span>
      </p>
      <ul data-testid="player-list" aria-label="Players in sight">
        {here.players.map(({ username, x, y, away }) => (
          <li key={username} data-away={away}>
            <b>{username}</b>
            {away && <i>away</i>}
            <span>{`${x},${y}`}</span>
          </li>
        ))}
        {here.moreCount > 0 && <li class="more">and {here.moreCount} more in sight</li>}
      </ul>
    </section>
  )
}
