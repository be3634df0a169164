// The page: a drawing that all visitors share, with the pointer and the name of each. `?name=ann` chooses the name.
import { createClient, type EventPayload } from "@hawser/client"
import { createHooks } from "@hawser/react"
import { StrictMode, memo, useRef, useState, type PointerEvent } from "react"
import { createRoot } from "react-dom/client"
import { contract, height, strokesMaxCount, width } from "./contract.ts"

type Stroke = EventPayload<typeof contract, "stroke">
type Point = Stroke["points"][number]

const name = new URLSearchParams(location.search).get("name") || `guest ${Date.now() % 1000}`
const client = createClient(contract, { url: "/ws", token: name, autoConnect: false })
const { Provider, useStatus, useTopic, usePresence } = createHooks(contract)
const joining = { state: { pointer: null }, recent: strokesMaxCount, log: strokesMaxCount }

function colorOf(user: string) {
  const hue = Array.from(user, (char) => char.charCodeAt(0)).reduce((sum, code) => sum * 31 + code, 0)
  return `hsl(${hue % 360} 70% 40%)`
}

const Line = memo(({ points, user }: Stroke & { readonly user: string }) => (
  <polyline points={points.map(({ x, y }) => `${x},${y}`).join(" ")} stroke={colorOf(user)} />
))

function Strokes() {
  const { log, gap } = useTopic("board", joining)
  // A server that has started again counts offsets from 1: they are unique between two gaps.
  let gaps = 0
  const strokes = log.map((item) => {
    if (item.kind === "gap") return void (gaps += 1)
    return <Line key={`${gaps}.${item.meta.offset}`} {...item.payload} user={item.meta.author?.user ?? ""} />
  })
  const news = gap?.reason === "restarted" ? "New visitors do not see" : "This page was away too long for"
  return [...strokes, gap && <text key="gap" y={height - 10}>{`${news} some of the strokes.`}</text>]
}

function Pointers() {
  const { members, self } = usePresence("board")
  return members.map(({ id, user, state: { pointer } }) => {
    if (pointer === null || id === self?.id) return null
    return (
      <g key={id} fill={colorOf(user)} transform={`translate(${pointer.x} ${pointer.y})`}>
        <circle r={5} />
        <text x={8}>{user}</text>
      </g>
    )
  })
}

/** Sends the newest pointer, one at a time: a slow connection gets fewer of them. */
function usePointer() {
  const { setState } = usePresence("board")
  const latest = useRef<Point | null>(null)
  const isSending = useRef(false)
  return (pointer: Point | null): void => {
    latest.current = pointer
    const send = async (): Promise<void> => {
      isSending.current = true
      const sent = latest.current
      // A refused or late pointer is no fault: the next one follows.
      await setState({ pointer: sent }).catch(() => {})
      isSending.current = false
      if (sent !== latest.current) await send()
    }
    if (!isSending.current) send().catch(reportError)
  }
}

function placeOf({ clientX, clientY, currentTarget }: PointerEvent): Point {
  const box = currentTarget.getBoundingClientRect()
  const within = (part: number, most: number) => Math.min(Math.max(Math.round(part * most), 0), most)
  const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height]
  return { x: within(x, width), y: within(y, height) }
}

function Board() {
  const { send } = useTopic("board", joining)
  const point = usePointer()
  const drawing = useRef<Stroke>(undefined) // A busy page renders later than it gets the events.
  const [drawn, setDrawn] = useState<Stroke>()
  const draw = (stroke?: Stroke): void => setDrawn((drawing.current = stroke))
  /** Strokes that are not published yet; without a connection they wait. */
  const [waiting, setWaiting] = useState<readonly Stroke[]>([])
  const onMove = (event: PointerEvent): void => {
    const at = placeOf(event)
    point(at)
    if (drawing.current) draw({ points: [...drawing.current.points, at].slice(0, 1000) })
  }
  const onUp = (): void => {
    const stroke = drawing.current
    if (stroke === undefined) return
    draw()
    setWaiting((strokes) => [...strokes, stroke])
    send("stroke", stroke, { timeoutMs: 600_000 })
      .catch(reportError)
      .finally(() => setWaiting((strokes) => strokes.filter((one) => one !== stroke)))
  }
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      onPointerDown={(event) => event.button === 0 && draw({ points: [placeOf(event)] })}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerLeave={() => (onUp(), point(null))}
    >
      <Strokes />
      {[...waiting, ...(drawn ? [drawn] : [])].map((stroke, index) => (
        <Line key={index} {...stroke} user={name} />
      ))}
      <Pointers />
    </svg>
  )
}

function Visitors() {
  const [{ members }, status] = [usePresence("board"), useStatus()]
  if (status.state === "closed") return <p>closed: {status.error.message}</p>
  return <p>{`${status.state}: ${members.map(({ user }) => user).join(", ")}`}</p>
}

createRoot(document.getElementById("board") ?? document.body).render(
  <StrictMode>
    <Provider client={client}>
      <Visitors />
      <Board />
    </Provider>
  </StrictMode>,
)
