/* Models the session protocol of profile hawser.1, mode memory, one server process: rules 2.3, 2.4 and faults F1-F7, F16.
   The processes are one client, one server session at a time, and a hostile network. Every dial is a link with one queue each way.
   A link is cut at any moment: frames sent after the cut are lost, frames under way arrive late or are lost from some point on,
   and each end detects the cut late or never. The last dial is never cut: after it the network has no faults.
   Checked: S1, S2, S3, S4, S5, S6, S10, S13, S14, S16, and L1 without its figure (see Quiet).
   A number on the wire is a ghost: the frame carries no number, each end counts, and the assertion compares the two. */

#ifndef DIALS
#define DIALS 3
#endif
#ifndef COMMANDS
#define COMMANDS 3                    /* reliable messages of the client; the message ASK is a request */
#endif
#ifndef EVENTS
#define EVENTS 2                      /* reliable messages of the server, beside the answer to the request */
#endif
#ifndef ENDS
#define ENDS 1                        /* maximum of sessions that the server ends: window over, or RESET on a live link */
#endif
#define ASK 2
#define NONE 255

/* states that a full run must reach */
#define PREVIOUS_TOKEN_ACCEPTED 0
#define TAKEOVER_OF_LIVE_LINK 1
#define RESUME_DURING_REPLAY 2
#define LATE_HELLO_AFTER_NEWER_DIAL 3
#define WELCOME_LOST_ON_FRESH_SESSION 4
#define WINDOW_OVER_BEFORE_RESUME 5
#define ANSWER_REPLAYED 6
#define HANDLER_SETTLES_WHILE_DETACHED 7
#define HANDLER_OUTLIVES_SESSION 8
#define OLD_LINK_CLOSES_AFTER_TAKEOVER 9
#define LINK_CLOSES_DURING_VERIFICATION 10
#define RESET_ON_LIVE_LINK 11
#define RECEIVED_AHEAD_OF_HANDLED_AT_RESUME 12
#define FRAME_FROM_UNBOUND_LINK 13
#define QUIET_WITHOUT_RESET 14
#define QUIET_AFTER_RESET 15
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

/* frames */
#define HELLO 1
#define WELCOME 2
#define RESET 3
#define REPLACED 4                    /* close code 4409 */
#define ACK 8                         /* + handled count */
#define MESSAGE 16                    /* + number (ghost) */
#define ANSWER 24                     /* + number (ghost) */
chan up[DIALS + 1] = [3] of { byte };
chan down[DIALS + 1] = [3] of { byte };
bit cut[DIALS + 1];
byte helloSession[DIALS + 1], helloToken[DIALS + 1], helloHandled[DIALS + 1];
byte welcomeSession, welcomeToken, welcomeReceived, welcomeHandled;      /* the WELCOME under way to the client's current dial */

/* states of a link at the server */
#define ABSENT 0
#define ACCEPTED 1
#define VERIFYING 2
#define BOUND 3
#define UNBOUND 4                     /* superseded or reset: late events of this link must have no effect */
#define GONE 5
byte link[DIALS + 1];

/* client: messages are numbered 1..COMMANDS over all sessions; the first `settled` belong to sessions that ended */
#define DOWN 0
#define WAITING 1
#define OPEN 2
byte clientState = DOWN, dial, knownSession, token;
byte head, settled, base, sent, received, acknowledged;   /* head counts from 1; base, sent in the current session; received = handled */
byte pending;                          /* the request: 0 not sent, 1 pending, 2 answered, 3 settled by a reset */

/* server session: one record; `session` is its id, lower ids are tombstones */
#define NOTHING 0
#define ATTACHED 1
#define DETACHED 2
#define ENDED 3
byte state = NOTHING, session, bound, lastDial;
byte current, previous = NONE;         /* token generations; previous is NONE once the current one is confirmed */
byte outHead, outBase, outSent;
byte inReceived, inHandled, inAcknowledged;
byte answerAt;                         /* number of the answer in this session's log, 0 none */
bit running, stale;                    /* running: the request's handler runs; stale: a handler of an ended session runs */
byte emitted, executed;                /* events emitted; last message whose handler started (ghost) */
byte serverEnds, ends;
#ifdef WATCH                           /* memory that is used only to name reached states */
byte replayTo;
bit answerSent;
#endif
#ifdef BREAK_COUNTS_BEFORE_UNBIND
byte earlyReceived[DIALS + 1], earlyHandled[DIALS + 1], earlySession[DIALS + 1];
#endif
#ifdef BREAK_BIND_CLOSED_LINK
bit closeSeen[DIALS + 1];
#endif
#ifdef BREAK_WINDOW_TIMER_SURVIVES
bit armed;
#endif

#ifdef BREAK_OLD_LINK_COUNTS
#define unread(d) (cut[d] || link[d] == GONE)
#else
#define unread(d) (cut[d] || link[d] >= UNBOUND)
#endif
#define upReady(d) (unread(d) || nfull(up[d]))
inline sendUp(d, frame) { if :: unread(d) -> skip :: else -> up[d]!frame fi }
#ifdef BREAK_OLD_LINK_STILL_COUNTED
#define gone(d) (cut[d])
#else
#define gone(d) (cut[d] || d != dial)
#endif
#define downReady(d) (gone(d) || nfull(down[d]))
inline sendDown(d, frame) { if :: gone(d) || len(down[d]) == 3 -> skip :: else -> down[d]!frame fi }
inline drop(queue) { do :: len(queue) > 0 -> queue?_ :: else -> break od; skip }

/* ---- client ---- */

inline freeUpTo(count) {
  assert(count <= head - settled);                        /* S3: ACK <= head */
  assert(knownSession == session && count <= inHandled);  /* S3: freed only when handled */
  if :: count > base -> base = count :: else fi
}
inline reportReset() {                                    /* S4, S16: all unacknowledged messages are reported, once */
  assert(knownSession != 0);
  settled = head; base = 0; sent = 0; received = 0; acknowledged = 0; knownSession = 0;
  if :: pending == 1 -> pending = 3 :: else fi
}
inline onWelcome() {
  assert(clientState == WAITING);
  clientState = OPEN;
  if
  :: welcomeSession == knownSession ->
#ifdef BREAK_RECEIVED_FREES
     freeUpTo(welcomeReceived);
#else
     freeUpTo(welcomeHandled);
#endif
#ifdef BREAK_RESEND_FROM_HANDLED
     sent = base
#else
     sent = (welcomeReceived > base -> welcomeReceived : base)
#endif
  :: else ->
     if :: knownSession != 0 -> reportReset() :: else fi;
     knownSession = welcomeSession;
#ifdef BREAK_RESEND_INTO_NEW_SESSION
     settled = 0
#endif
  fi;
  token = welcomeToken;
  acknowledged = received;
  welcomeSession = 0; welcomeToken = 0; welcomeReceived = 0; welcomeHandled = 0
}
inline onDownFrame(frame) {
  if
  :: frame == WELCOME -> onWelcome()
  :: frame == REPLACED -> assert(false)                   /* S10, S13: a single client never replaces itself */
  :: frame == RESET -> reportReset(); clientState = DOWN
  :: frame >= ACK && frame < MESSAGE -> freeUpTo(frame - ACK)
  :: frame >= MESSAGE ->
     received++;
     assert(knownSession == session);
     assert(received == (frame & 7));                     /* S1 */
     assert((frame >= ANSWER) == (received == answerAt)); /* S1: same content */
     if :: frame >= ANSWER -> assert(pending == 1); pending = 2 :: else fi   /* S14 */
  fi
}
inline openDial() {                                       /* freezes the old link, then sends HELLO (2.4) */
#ifndef BREAK_OLD_LINK_STILL_COUNTED
  drop(down[dial]);                                       /* handlers are detached: later frames have no receiver */
  welcomeSession = 0; welcomeToken = 0; welcomeReceived = 0; welcomeHandled = 0;
#endif
  cut[dial] = 1;                                          /* abandoned: the client writes no more; earlier frames may still arrive */
  dial++;
  clientState = WAITING;
  helloSession[dial] = knownSession; helloToken[dial] = token; helloHandled[dial] = received;
  link[dial] = ACCEPTED;
  up[dial]!HELLO
}

active proctype Client() {
  byte frame;
end: do
  :: d_step { head < COMMANDS -> head++; if :: head == ASK -> pending = 1 :: else fi }
  :: d_step { clientState == OPEN && sent < head - settled && upReady(dial) -> sent++; sendUp(dial, MESSAGE + settled + sent) }
#ifdef BREAK_CLIENT_REPLAY_INTERLEAVED
  :: d_step { clientState == OPEN && sent + 1 < head - settled && upReady(dial) -> sendUp(dial, MESSAGE + head) }
#endif
  :: d_step { clientState == OPEN && received > acknowledged && upReady(dial) -> acknowledged = received; sendUp(dial, ACK + received) }
  :: d_step { nempty(down[dial]) -> down[dial]?frame; onDownFrame(frame); frame = 0 }
#ifdef BREAK_OLD_LINK_STILL_COUNTED
  :: d_step { dial > 1 && nempty(down[dial - 1]) -> down[dial - 1]?frame;
       if :: frame >= MESSAGE -> onDownFrame(frame) :: else fi; frame = 0 }
#endif
  :: d_step { dial < DIALS -> openDial() }                /* after close, error, silence, wake, or GOAWAY on a healthy link */
  od
}

/* ---- server ---- */

inline unbind() { if :: bound != 0 -> link[bound] = UNBOUND; bound = 0 :: else fi }
inline endSession() {                                     /* onEnd(cause, unacked) */
  serverEnds++;
  assert(serverEnds <= session);                          /* S16: once */
  unbind();
  state = ENDED; previous = NONE;
  if :: running -> running = 0; stale = 1 :: else fi
}
inline attach(d) {
  assert(bound == 0);                                     /* S6 */
#ifdef BREAK_BIND_CLOSED_LINK
  assert(!closeSeen[d]);                                  /* S6, S13: no further close event follows */
#endif
  bound = d; link[d] = BOUND; state = ATTACHED;
#ifdef BREAK_COUNTS_BEFORE_UNBIND
  if :: session != earlySession[d] -> earlyReceived[d] = inReceived; earlyHandled[d] = inHandled :: else fi;
  inAcknowledged = earlyHandled[d];
#else
  inAcknowledged = inHandled;
#endif
#ifdef WATCH
  replayTo = outHead;
#endif
  if
  :: !gone(d) -> welcomeSession = session; welcomeToken = current;
#ifdef BREAK_COUNTS_BEFORE_UNBIND
     welcomeReceived = earlyReceived[d]; welcomeHandled = earlyHandled[d];
#else
     welcomeReceived = inReceived; welcomeHandled = inHandled;
#endif
     down[d]!WELCOME
  :: else -> if :: state == ATTACHED && outHead == 0 && current == 0 -> reached(WELCOME_LOST_ON_FRESH_SESSION) :: else fi
  fi
}
inline resume(d) {
#ifdef BREAK_SINGLE_USE_TOKEN
  assert(helloToken[d] == current);                       /* S10 */
#else
  assert(helloToken[d] == current || helloToken[d] == previous);   /* S10 */
#endif
  assert(outBase <= helloHandled[d] && helloHandled[d] <= outHead);         /* step 7; S5 */
  assert(helloHandled[d] <= received);                    /* S3 */
  if :: helloToken[d] != current -> reached(PREVIOUS_TOKEN_ACCEPTED) :: else fi;
  if :: bound != 0 -> reached(TAKEOVER_OF_LIVE_LINK) :: else fi;
#ifdef WATCH
  if :: outSent < replayTo -> reached(RESUME_DURING_REPLAY) :: else fi;
#endif
  if :: inReceived > inHandled -> reached(RECEIVED_AHEAD_OF_HANDLED_AT_RESUME) :: else fi;
  if :: bound != 0 -> sendDown(bound, REPLACED) :: else fi;
  unbind();
  previous = helloToken[d]; current++;
#ifdef BREAK_REPLAY_FROM_ACKNOWLEDGED
  outSent = outBase;
#else
  outBase = helloHandled[d]; outSent = outBase;
#endif
#ifdef BREAK_REEXECUTE_ON_RESUME
  inReceived = inHandled; running = 0;
#endif
  attach(d)
}
inline openFresh(d) {
  if :: state == ATTACHED || state == DETACHED -> assert(knownSession != session); endSession() :: else fi;
  assert(serverEnds == session);                          /* S16 */
  session++;
  current = 0; previous = NONE;
  outHead = 0; outBase = 0; outSent = 0; answerAt = 0;
  inReceived = 0; inHandled = 0;
#ifdef WATCH
  answerSent = 0;
#endif
#ifdef BREAK_WINDOW_TIMER_SURVIVES
  armed = 0;
#endif
  attach(d)
}
inline admit(d) {                                         /* steps 5 to 8, one synchronous block */
  if
#ifdef BREAK_LATE_HELLO_TAKES_OVER
  :: d < lastDial && !(helloSession[d] == session && state != ENDED && helloToken[d] == previous) ->
#else
  :: d < lastDial ->
#endif
     assert(d != dial); link[d] = GONE; cut[d] = 1; drop(up[d]); reached(LATE_HELLO_AFTER_NEWER_DIAL)
  :: else ->
     lastDial = d;
     if
     :: helloSession[d] != 0 && helloSession[d] == session && state != ENDED -> resume(d)
     :: else ->
        if :: helloSession[d] != 0 && helloSession[d] == session -> reached(WINDOW_OVER_BEFORE_RESUME) :: else fi;
        openFresh(d)
     fi
  fi;
  helloSession[d] = 0; helloToken[d] = 0; helloHandled[d] = 0
}
inline onUpFrame(frame) {
  previous = NONE;                                        /* the first frame on the new link confirms the link's token */
  if
  :: frame >= ACK && frame < MESSAGE ->
     assert(frame - ACK <= outHead && frame - ACK <= received);   /* S3 */
     if :: frame - ACK > outBase -> outBase = frame - ACK :: else fi
  :: frame >= MESSAGE ->
     assert(knownSession == session);
     inReceived++;
     assert(frame - MESSAGE == settled + inReceived)      /* S2 */
  fi
}
inline onClose(d) {                                       /* every callback checks first that this is still the session's link */
  if :: len(up[d]) > 0 -> reached(FRAME_FROM_UNBOUND_LINK); drop(up[d]) :: else fi;   /* frames of an unbound link: no effect */
  if
  :: bound == d -> bound = 0; state = DETACHED;
#ifdef BREAK_WINDOW_TIMER_SURVIVES
     armed = 1
#endif
  :: else ->
     if :: link[d] == UNBOUND && bound != 0 -> reached(OLD_LINK_CLOSES_AFTER_TAKEOVER) :: else fi;
     if :: link[d] == VERIFYING -> reached(LINK_CLOSES_DURING_VERIFICATION) :: else fi;
#ifdef BREAK_OLD_CLOSE_DETACHES_NEW
     if :: link[d] == UNBOUND && bound != 0 -> bound = 0; state = DETACHED :: else fi
#endif
  fi;
#ifdef BREAK_BIND_CLOSED_LINK
  closeSeen[d] = 1;
  if :: link[d] != VERIFYING -> link[d] = GONE :: else fi
#else
  link[d] = GONE; helloSession[d] = 0; helloToken[d] = 0; helloHandled[d] = 0
#endif
}

proctype Link(byte d) {
  byte frame;
end: do
  :: d_step { link[d] == ACCEPTED && nempty(up[d]) -> up[d]?frame; assert(frame == HELLO); frame = 0;
#ifdef BREAK_COUNTS_BEFORE_UNBIND
       earlyReceived[d] = inReceived; earlyHandled[d] = inHandled; earlySession[d] = session;
#endif
       link[d] = VERIFYING }
  :: d_step { link[d] == VERIFYING -> admit(d) }
  :: d_step { link[d] == BOUND && nempty(up[d]) -> up[d]?frame; onUpFrame(frame); frame = 0 }
#ifdef BREAK_OLD_LINK_COUNTS
  :: d_step { link[d] == UNBOUND && nempty(up[d]) -> up[d]?frame; onUpFrame(frame); frame = 0 }
#endif
#ifdef BREAK_BIND_CLOSED_LINK
  :: d_step { link[d] != ABSENT && link[d] != GONE && !closeSeen[d] && (link[d] == UNBOUND || (cut[d] && empty(up[d]))) -> onClose(d) }
#else
  :: d_step { link[d] != ABSENT && link[d] != GONE && (link[d] == UNBOUND || (cut[d] && empty(up[d]))) -> onClose(d) }
#endif
  /* the network cuts the link, and loses frames under way */
  :: d_step { d < DIALS && d == dial && link[d] < UNBOUND && !cut[d] -> cut[d] = 1 }
  :: d_step { cut[d] && nempty(up[d]) -> drop(up[d]) }
  :: d_step { cut[d] && nempty(down[d]) -> drop(down[d]);
       if :: clientState == WAITING && d == dial -> welcomeSession = 0; welcomeToken = 0; welcomeReceived = 0; welcomeHandled = 0 :: else fi }
  od
}

#define alive (state == ATTACHED || state == DETACHED)
inline answer() {
#ifdef BREAK_ANSWER_NOT_BUFFERED
  if :: bound != 0 && outSent == outHead && downReady(bound) -> outHead++; outSent++; answerAt = outHead; sendDown(bound, ANSWER + outHead) :: else fi
#else
  outHead++; answerAt = outHead
#endif
}

active proctype Server() {
  byte d = 1;
  atomic { do :: d <= DIALS -> run Link(d); d++ :: else -> break od; d = 0 }
end: do
  :: d_step { alive && emitted < EVENTS -> emitted++; outHead++;
#ifdef BREAK_REPLAY_INTERLEAVED
       if :: bound != 0 && outSent + 1 < outHead -> sendDown(bound, MESSAGE + outHead) :: else fi
#endif
     }
  :: d_step { bound != 0 && outSent < outHead && downReady(bound) ->
       outSent++;
       if
       :: outSent == answerAt ->
#ifdef WATCH
          if :: answerSent -> reached(ANSWER_REPLAYED) :: else -> answerSent = 1 fi;
#endif
          sendDown(bound, ANSWER + outSent)
       :: else -> sendDown(bound, MESSAGE + outSent)
       fi }
#ifdef BREAK_ACK_BEFORE_HANDLING
  :: d_step { bound != 0 && inReceived > inAcknowledged && downReady(bound) -> inAcknowledged = inReceived; sendDown(bound, ACK + inReceived) }
#else
  :: d_step { bound != 0 && inHandled > inAcknowledged && downReady(bound) -> inAcknowledged = inHandled; sendDown(bound, ACK + inHandled) }
#endif
  :: d_step { alive && inReceived > inHandled && !running ->    /* the next handler starts; only that of the request takes time */
       assert(executed < settled + inHandled + 1);              /* S2: each once, in order */
       executed = settled + inHandled + 1;
       if :: executed == ASK -> running = 1 :: else -> inHandled++ fi }
  :: d_step { running -> running = 0; answer(); inHandled++; if :: state == DETACHED -> reached(HANDLER_SETTLES_WHILE_DETACHED) :: else fi }
  :: d_step { stale -> stale = 0; reached(HANDLER_OUTLIVES_SESSION)      /* S13: its answer has no receiver */
#ifdef BREAK_LATE_HANDLER_ANSWERS
       ; if :: alive -> answer() :: else fi
#endif
     }
#ifdef BREAK_WINDOW_TIMER_SURVIVES
  :: d_step { armed && alive && ends < ENDS -> armed = 0; ends++; endSession() }
#else
  :: d_step { state == DETACHED && ends < ENDS -> ends++; endSession() }                               /* window over */
#endif
  :: d_step { bound != 0 && bound < DIALS && ends < ENDS -> ends++; reached(RESET_ON_LIVE_LINK); sendDown(bound, RESET); endSession() }
  od
}

/* L1 and S4: when no other step is possible, both ends are attached, and every message is delivered and acknowledged, or was reported. */
active proctype Quiet() {
end: do
  :: timeout ->
     assert(dial == DIALS && clientState == OPEN && state == ATTACHED && bound == dial && knownSession == session);
     assert(head == COMMANDS && emitted == EVENTS);
     assert(base == head - settled && inReceived == base && inHandled == base);
     assert(received == outHead && outBase == outHead);
     assert(pending != 1 && (settled >= ASK || pending == 2));    /* S14: the pending table is empty */
     assert(serverEnds + 1 == session);                           /* S16 */
     assert(ends != 0 || settled == 0);                           /* no reset without a cause */
     if :: ends == 0 -> reached(QUIET_WITHOUT_RESET) :: else -> reached(QUIET_AFTER_RESET) fi;
     break
  od
}
