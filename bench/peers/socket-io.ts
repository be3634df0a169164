// Socket.IO with its default parser: JSON.
import { serveBenchmark } from "../servers/control.ts"
import { serveMessages, startSocketIo } from "./socket-io-app.ts"

await serveBenchmark((settings) => startSocketIo(settings, undefined, serveMessages))
