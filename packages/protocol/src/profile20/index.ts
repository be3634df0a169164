// Exports the codec of profile `2.0` to Hawser's client and server, like `core.ts`. A separate entry point, so that a bundle
// without `2.0` does not contain it.
export { createEnvelopeCodec } from "./envelope-codec.ts"
