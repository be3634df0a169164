// Limits of one address: registrations, passwords, and a log-in from another address at the same time.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WorldProcess } from "./start-world.ts"

/** Behind a trusted proxy, so that every request can name its address. */
const world = new WorldProcess({ env: { TRUST_PROXY: "true" } })

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const password = "correct horse"

async function post(path: string, username: string, address: string): Promise<number> {
  const response = await fetch(`${world.url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Forwarded-For": address },
    body: JSON.stringify({ username, password }),
  })
  await response.arrayBuffer()
  return response.status
}

const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((one) => one === status).length

describe("an address that sends more than its share", { timeout: 60_000 }, () => {
  it("door-3 gets its share of 1,040 requested accounts, while another address logs in", async () => {
    expect(await post("/auth/register", "anna", "198.51.100.1")).toBe(201)
    const attack = Array.from({ length: 1_040 }, (_, index) =>
      post("/auth/register", `stranger-${index}`, `203.0.113.7:${1_024 + index}`),
    )
    expect(await post("/auth/login", "anna", "198.51.100.1")).toBe(200)
    const statuses = await Promise.all(attack)
    expect(count(statuses, 201) + count(statuses, 429)).toBe(1_040)
    // 20 at once, and 6 more a minute.
    expect(count(statuses, 201)).toBeLessThanOrEqual(26)
    expect(await post("/auth/register", "bob", "198.51.100.1")).toBe(201)
  })

  it("abuse-A40 door-3 may try 30 of 200 wrong passwords, under as many names and from a whole /64", async () => {
    const statuses: number[] = []
    for (let guess = 0; guess < 200; guess += 1)
      statuses.push(await post("/auth/login", `nobody-${guess}`, `2001:db8::${guess.toString(16)}`))
    expect(count(statuses, 401)).toBeGreaterThanOrEqual(30)
    // 10 more a minute; a loaded machine may take one minute for all requests.
    expect(count(statuses, 401)).toBeLessThanOrEqual(40)
    expect(count(statuses, 401) + count(statuses, 429)).toBe(200)
    expect(await post("/auth/login", "anna", "2001:db8:0:1::1")).toBe(200)
  })
})
