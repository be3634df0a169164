// A sentence for each step of the conversation in docs/vectors.json, with the sender and the frame that it must be.

/** The step, and its sentence. */
export const annotations: readonly (readonly [step: string, what: string])[] = [
  ["client HELLO", "The socket is open. The first message of the client has the token; `resume` is nil."],
  [
    "server WELCOME",
    "The log-in succeeded: a new session (flags 0), its resume token, and the table of types.",
  ],
  ["server EVENT", "Message 1 of the server. `said` is number 5 of the table."],
  [
    "server REPLICA",
    "The server describes the replica before its first CELLS. It is state, so it is not counted.",
  ],
  ["server CELLS", "The first update is fresh: the cell 0,0 has the number 0 and two records."],
  [
    "client ACK",
    "10 ms after the first state the client acknowledges: it has handled message 1, and two frames of state arrived.",
  ],
  ["client REQ", "Message 1 of the client: its count is the reference of the reply."],
  ["server EVENT", "Message 2 of the server, which the handler sent before its result."],
  ["server RES", "Message 3 of the server: the reply to the client's message 1."],
  ["server CELLS", "A delta: x of ann changes by 2. Its step was 0, so the difference follows at once."],
  ["client ACK", "The client has handled three messages, and three frames of state arrived."],
  ["server ACK", "The server has handled message 1 of the client."],
  ["server CELLS", "x of ann repeats its step 2: one bit."],
  ["client ACK", "The client acknowledges state again, so its count of handled messages is the same."],
  ["client REQ", "Message 2 of the client. It is lost: the connection ends before it arrives."],
  [
    "closed",
    "The connection is lost. Both ends keep the session. The server sends an event meanwhile, and x changes.",
  ],
  [
    "client HELLO",
    "A higher dial number, the last resume token, and the claim: three messages handled, with their digest.",
  ],
  [
    "server WELCOME",
    "Flag 1: resumed, with the next resume token. The server has received message 1 only, and its digest agrees.",
  ],
  ["client ACK", "On a new connection the client acknowledges again."],
  ["client REQ", "Message 2 again: the same bytes, the same count."],
  ["client HAVE", "The client holds the cell 0,0 with version 4 of this epoch."],
  ["server EVENT", "Message 4 of the server, which it sent while the client was away."],
  ["server EVENT", "Message 5 of the server, from the handler of the second request."],
  ["server RES", "Message 6 of the server: the reply to the client's message 2. The handler ran once."],
  ["server REPLICA", "On this connection the server describes the replica again."],
  [
    "server CELLS",
    "Fresh: the client keeps the cell 0,0 as number 0, and a delta leads from version 4 to 5. x repeats its step: a step survives the connection.",
  ],
  ["client ACK", "Six messages handled, and two frames of state on this connection."],
  ["server ACK", "The server has handled both messages of the client."],
  ["client BYE", "The client ends the session."],
  ["client closes", "The client closes its socket with 1000."],
  ["closed", "The server has answered the closing handshake."],
]
