// Entry point of profile `2.0`: its codec, apart from the core, so that a bundle that never speaks `2.0` does not contain it.
// For Hawser's own client and server, like `core.ts`.
export { createEnvelopeCodec } from "./envelope-codec.ts"
