/* Models the two inbound counters of 2.3: received (accepted in order into the inbox) and handled (longest prefix whose handlers settled).
   One client sends the messages 1..N, all of them requests. Two handlers run at a time, started in order. A handler answers, throws, or
   hangs until it is settled as a timeout; its late result is discarded. The link is cut and resumed at most CUTS times (the handshake is
   one step here; session.pml models its steps), and the server may end the session once.
   Checked: S2, S3, S4, S13, S14, F7, F16; at the end every message is handled and acknowledged. */

#define N 4
#define CUTS 2
#define TOGETHER 2

#define RECEIVED_AHEAD_OF_HANDLED_AT_RESUME 0
#define LATER_HANDLER_SETTLES_FIRST 1
#define ACK_LOST 2
#define LATE_RESULT_DISCARDED 3
#define SESSION_ENDS_WITH_FULL_INBOX 4
#define SESSION_ENDS_WITH_RUNNING_HANDLER 5
#define QUIET_DELIVERED 6
#define QUIET_REPORTED 7
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

chan up = [N] of { byte };
byte head, base, sent;                 /* client */
bit reported;                          /* client: reset(cause, unacked[]) was emitted */
byte ackOnWire;                        /* newest acknowledgement under way; 0: none */
byte acknowledged;                     /* last acknowledged count */

#define NEW 0
#define ACCEPTED 1
#define RUNNING 2
#define SETTLED 3
#define TIMED_OUT 4                    /* settled, and its handler still runs */
byte received, handled, started;
byte fate[N + 1], runs[N + 1], answers[N + 1];
byte running, cuts;
bit ended, calm;                       /* calm: no further faults */

inline advance() {                     /* handled: the longest settled prefix */
#ifdef BREAK_HANDLED_IS_A_COUNT
  handled++
#else
  do :: handled < received && fate[handled + 1] >= SETTLED -> handled++ :: else -> break od;
  skip
#endif
}
inline freeUpTo(count) {
  assert(count <= head);                                  /* S3 */
  k = base;
  do :: k < count -> k++; assert(fate[k] >= SETTLED)      /* S3, S4: freed only after its handler settled */
     :: else -> break od;
  if :: count > base -> base = count :: else fi;
  k = 0
}

active proctype Client() {
  byte k;
end: do
  :: d_step { !reported && head < N -> head++ }
  :: d_step { !reported && sent < head && nfull(up) -> sent++; up!sent }
  :: d_step { !reported && ackOnWire != 0 -> freeUpTo(ackOnWire); ackOnWire = 0 }
  :: d_step { ended && !reported -> reported = 1; ackOnWire = 0 }       /* RESET, or WELCOME with a cause */
  od
}

active proctype Server() {
  byte m;
end: do
  :: d_step { !ended && nempty(up) -> up?m; received++; assert(m == received); fate[m] = ACCEPTED; m = 0 }   /* S2 */
#ifdef BREAK_STARTED_OUT_OF_ORDER
  :: d_step { !ended && running < TOGETHER && started + 1 < received && fate[started + 2] == ACCEPTED ->
       m = started + 2; fate[m] = RUNNING; running++; runs[m]++; assert(fate[m - 1] >= RUNNING); m = 0 }
#endif
  :: d_step { !ended && running < TOGETHER && started < received ->
       started++; fate[started] = RUNNING; running++;
       runs[started]++; assert(runs[started] == 1) }                    /* S2: never executed twice */
#ifdef BREAK_ACK_BEFORE_HANDLING
  :: d_step { !ended && received > acknowledged -> acknowledged = received; ackOnWire = received }
#else
  :: d_step { !ended && handled > acknowledged -> acknowledged = handled; ackOnWire = handled }
#endif
  od
}

proctype Handler(byte n) {
end: do
  :: d_step { fate[n] == RUNNING && !ended -> fate[n] = SETTLED; running--; answers[n]++; assert(answers[n] == 1);
       if :: n > handled + 1 -> reached(LATER_HANDLER_SETTLES_FIRST) :: else fi; advance() }
  :: d_step { fate[n] == RUNNING && !ended ->                           /* throws: settled with an error answer (F16) */
#ifdef BREAK_THROW_NOT_SETTLED
       fate[n] = NEW; running-- }
#else
       fate[n] = SETTLED; running--; answers[n]++; advance() }
#endif
  :: d_step { fate[n] == RUNNING && !ended -> fate[n] = TIMED_OUT; running--; answers[n]++; advance() }
  :: d_step { fate[n] == TIMED_OUT -> fate[n] = SETTLED; reached(LATE_RESULT_DISCARDED);
#ifdef BREAK_LATE_RESULT_ANSWERS
       answers[n]++;
#endif
       assert(answers[n] <= 1) }                                        /* S14 */
  :: d_step { fate[n] == RUNNING && ended -> fate[n] = ACCEPTED }         /* S13: the end of this handler has no effect */
  od
}

active proctype Network() {
  byte n = 1, k;
  atomic { do :: n <= N -> run Handler(n); n++ :: else -> break od; n = 0 }
end: do
  :: d_step { !calm -> calm = 1 }
  :: d_step { !calm && !ended && cuts < CUTS ->                               /* cut and resume; messages under way are lost */
       cuts++;
       if :: received > handled -> reached(RECEIVED_AHEAD_OF_HANDLED_AT_RESUME) :: else fi;
       if :: ackOnWire != 0 -> reached(ACK_LOST) :: else fi;
       do :: len(up) > 0 -> up?_ :: else -> break od;
       ackOnWire = 0;
#ifdef BREAK_INBOX_CLEARED_ON_DETACH
       n = started;
       do :: n < received -> n++; fate[n] = SETTLED :: else -> break od; n = 0; started = received; advance();
#endif
#ifdef BREAK_RECEIVED_FREES
       freeUpTo(received);
#else
       freeUpTo(handled);
#endif
       acknowledged = handled;
#ifdef BREAK_ONE_COUNTER_IN_WELCOME
       sent = handled;
#else
       sent = received;
#endif
     }
  :: d_step { !calm && !ended && received > 0 -> ended = 1;
       if :: started < received -> reached(SESSION_ENDS_WITH_FULL_INBOX) :: else fi;
       if :: running > 0 -> reached(SESSION_ENDS_WITH_RUNNING_HANDLER) :: else fi;
       do :: len(up) > 0 -> up?_ :: else -> break od; n = 0 }
  od
}

active proctype Quiet() {
  byte n;
end: do
  :: timeout ->
     d_step {
       n = 0;
       do :: n < base -> n++; assert(runs[n] == 1 && answers[n] == 1) :: else -> break od;   /* S4 */
       if
       :: !ended -> assert(head == N && base == N && handled == N); reached(QUIET_DELIVERED)
       :: else -> assert(reported); reached(QUIET_REPORTED)             /* the messages base + 1..head were reported */
       fi };
     break
  od
}
