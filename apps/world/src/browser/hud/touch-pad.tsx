// Touch controls: a pad to walk, and a button to gather.
import { useEffect, useRef, useState } from "preact/hooks"
import { directions } from "../../contract.ts"
import type { Direction } from "../../contract.ts"
import type { HeldDirections } from "../input/held-directions.ts"
import { listenToPad } from "../input/touch.ts"

export interface TouchPadProps {
  readonly held: HeldDirections
  readonly onGather: () => void
}

export function TouchPad({ held, onGather }: TouchPadProps) {
  const pad = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState<Direction>()
  useEffect(() => (pad.current === null ? undefined : listenToPad(pad.current, held, setPointed)), [held])
  return (
    <div class="touch">
      <div ref={pad} class="pad" data-testid="touch-pad" aria-hidden="true">
        {directions.map((direction) => (
          <i key={direction} data-direction={direction} data-pressed={pointed === direction} />
        ))}
      </div>
      <button class="gather" data-testid="gather" type="button" onClick={onGather}>
        Gather
      </button>
    </div>
  )
}
