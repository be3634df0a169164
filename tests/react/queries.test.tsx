// @vitest-environment happy-dom
/** @jsxImportSource react */
// `queryOptions` with TanStack Query.
import { queryOptions } from "@hawser/client"
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { expect, it, vi } from "vitest"
import { eventually, openPage, startWorld } from "./harness.ts"
import type { TestClient } from "./harness.ts"

function Seen({ client, at }: { readonly client: TestClient; readonly at: string }) {
  const { data } = useQuery({ ...queryOptions(client, "look", { at }), retry: false })
  const seen: number | undefined = data?.seen
  return seen ?? "…"
}

it("loads a query once for all its components, and once more for another input", async () => {
  const world = await startWorld()
  const client = await world.peer("ann")
  const calls = vi.spyOn(client, "query")
  const queries = new QueryClient()
  const page = openPage()
  const show = (at: string) =>
    page.render(
      <QueryClientProvider client={queries}>
        <Seen client={client} at={at} />
        <Seen client={client} at={at} />
      </QueryClientProvider>,
    )
  show("dock")
  await page.shows("44")
  show("harbour")
  await page.shows("77")
  expect(calls).toHaveBeenCalledTimes(2)
  expect(queries.getQueryData(queryOptions(client, "look", { at: "dock" }).queryKey)).toEqual({ seen: 4 })
})

it("cancels the request of a component that unmounts", async () => {
  const world = await startWorld()
  const client = await world.peer("ann")
  const page = openPage()
  page.render(
    <QueryClientProvider client={new QueryClient()}>
      <Seen client={client} at="nowhere" />
    </QueryClientProvider>,
  )
  await eventually(() => expect(world.signals).toHaveLength(1))
  page.unmount()
  await eventually(() => expect(world.signals[0]?.aborted).toBe(true))
  expect(client.pending()).toEqual([])
})

it("gives null for an output of undefined, which TanStack Query refuses", async () => {
  const world = await startWorld()
  const options = queryOptions(await world.peer("ann"), "nothing")
  const nothing: string | null = await new QueryClient().fetchQuery(options)
  expect([nothing, options.queryKey]).toEqual([null, ["hawser", "nothing"]])
})
