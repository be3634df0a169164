import { expect, it } from "vitest"
import { requestTarget } from "./request-target.ts"

it.each([
  ["/ws", "/ws", undefined],
  ["/ws?token=1", "/ws", undefined],
  ["", "", undefined],
  ["*", "*", undefined],
  ["http://game.example/ws?x", "/ws", "game.example"],
  ["HTTPS://game.example:8443/a/b", "/a/b", "game.example:8443"],
  ["http://game.example", "/", "game.example"],
  ["http://game.example?x", "/", "game.example"],
  ["/http://game.example/ws", "/http://game.example/ws", undefined],
  ["//game.example/ws", "//game.example/ws", undefined],
])("door-1 the target %j has the path %j and the host %j", (target, path, host) =>
  expect(requestTarget(target)).toEqual({ path, host }),
)
