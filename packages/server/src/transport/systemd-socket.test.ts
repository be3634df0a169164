import { describe, expect, it } from "vitest"
import { systemdSocket } from "./systemd-socket.ts"

describe("systemdSocket", () => {
  it.each([
    ["returns nothing without systemd", {}, undefined],
    ["returns descriptor 3", { LISTEN_PID: `${process.pid}`, LISTEN_FDS: "1" }, { fd: 3 }],
    ["ignores the variables of another process", { LISTEN_PID: "1", LISTEN_FDS: "1" }, undefined],
    ["returns nothing if no socket was passed", { LISTEN_PID: `${process.pid}`, LISTEN_FDS: "0" }, undefined],
  ])("%s", (_, variables, found) => {
    expect(systemdSocket(variables)).toEqual(found)
  })

  it("throws for more than one socket", () => {
    const variables = { LISTEN_PID: `${process.pid}`, LISTEN_FDS: "2", LISTEN_FDNAMES: "web:game" }
    expect(() => systemdSocket(variables)).toThrow(
      'systemd has passed "2" sockets (LISTEN_FDS; names "web:game")',
    )
  })
})
