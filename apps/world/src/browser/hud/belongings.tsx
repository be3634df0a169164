// List of the carried pieces. A button of each kind puts one piece down.
import { itemKinds } from "../../contract.ts"
import type { ItemKind } from "../../contract.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

const titles: Readonly<Record<ItemKind, string>> = { log: "Wood", ore: "Ore" }

export function Belongings({ session }: { readonly session: Session }) {
  const goods = useStore(session.goods)
  const carried = itemKinds.filter((item) => goods[item] > 0)
  return (
    <section class="belongings panel" data-testid="belongings" aria-label="What you carry">
      {carried.length === 0 && <p>You carry nothing.</p>}
      {carried.map((item) => (
        <p key={item} data-item={item}>
          <span>{titles[item]}</span>
          <b>{goods[item]}</b>
          <button
            class="quiet"
            type="button"
            title={`Put one piece of ${titles[item].toLowerCase()} down`}
            onClick={() => session.drop(item)}
          >
            Drop
          </button>
        </p>
      ))}
    </section>
  )
}
