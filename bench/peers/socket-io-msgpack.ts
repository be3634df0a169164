// Socket.IO with its MessagePack parser.
import parser from "socket.io-msgpack-parser"
import { serveBenchmark } from "../servers/control.ts"
import { serveMessages, startSocketIo } from "./socket-io-app.ts"

await serveBenchmark((settings) => startSocketIo(settings, parser, serveMessages))
