/* Models the volatile messages of 2.1, 2.4 and 2.6: a barrier keeps each behind every reliable message sent before it, and keyed messages
   are conflated to the latest value of their key. The server sends; the client counts reliable frames. Links are cut and resumed at most
   CUTS times (the handshake is one step here); frames under way are lost from some point on or arrive at a frozen link.
   Checked: S12; the last value of every key reaches the client when the network has no faults. */

#ifndef KEYS
#define KEYS 1
#endif
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef VALUES
#define VALUES 3                       /* versions of each key */
#endif
#ifndef PLAIN
#define PLAIN 2                        /* unkeyed volatile messages */
#endif
#define CUTS 2

#define VALUE_CONFLATED 0
#define VALUE_WAITS_FOR_REPLAY 1
#define VALUE_SENT_AGAIN_AFTER_RESUME 2
#define PLAIN_DROPPED_WITH_LINK 3
#define VALUE_SET_WHILE_DETACHED 4
#define VOLATILE_BEFORE_LATER_RELIABLE 5
#define FRAMES_LOST 6
#define QUIET 7
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

#define RELIABLE 1
#define KEYED 2
#define UNKEYED 3
chan down = [4] of { byte, byte, byte };       /* kind; number or key * 8 + version; barrier (ghost) */
byte head, sent;                       /* server: reliable messages emitted; handed to the current link */
byte version[KEYS], barrier[KEYS];     /* the slot of a key: one value, and the head at the time of its setting */
#if defined(BREAK_REPLACED_IN_PLACE) || defined(BREAK_BARRIER_FORGOTTEN_AT_RESUME)
byte trueBarrier[KEYS];
#else
#define trueBarrier barrier
#endif
#ifdef BREAK_FIRST_VALUE_KEPT
byte content[KEYS];
#else
#define content version
#endif
bit waiting[KEYS];                     /* the slot holds a value that was not handed to the current link */
byte plain, plainBarrier; bit plainWaiting;
bit attached = 1;
byte cuts;
byte received, last[KEYS], lastPlain;  /* client */
#ifdef BREAK_OLD_LINK_STILL_READ
chan old = [4] of { byte, byte, byte };
#endif

#ifdef BREAK_VOLATILE_FIRST
#define passed(b) true
#else
#define passed(b) (sent >= b)
#endif

proctype Key(byte k) {
end: do
  :: d_step { version[k] < VALUES ->
       version[k]++;
#ifdef BREAK_BARRIER_FORGOTTEN_AT_RESUME
       trueBarrier[k] = head;
#endif
#ifdef BREAK_REPLACED_IN_PLACE
       trueBarrier[k] = head;
       if :: !waiting[k] -> barrier[k] = head :: else fi;
#else
       barrier[k] = head;
#endif
#ifdef BREAK_FIRST_VALUE_KEPT
       if :: !waiting[k] -> content[k] = version[k] :: else fi;
#endif
       if :: waiting[k] -> reached(VALUE_CONFLATED) :: else fi;
       if :: !attached -> reached(VALUE_SET_WHILE_DETACHED) :: else fi;
       waiting[k] = 1 }
  :: d_step { attached && waiting[k] && passed(barrier[k]) && nfull(down) ->
       waiting[k] = 0; down!KEYED, k * 8 + content[k], trueBarrier[k] }
  od
}

active proctype Server() {
#ifdef BREAK_OLD_LINK_STILL_READ
  byte kind, what, behind;
#endif
  byte k;
  atomic { do :: k < KEYS -> run Key(k); k++ :: else -> break od; k = 0 }
end: do
  :: d_step { head < MESSAGES -> head++; if :: attached && plainWaiting -> reached(VOLATILE_BEFORE_LATER_RELIABLE) :: else fi }
  :: d_step { attached && sent < head && nfull(down) -> sent++; down!RELIABLE, sent, 0 }
  :: d_step { plain < PLAIN -> plain++; plainWaiting = attached; plainBarrier = head }           /* dropped while detached */
  :: d_step { attached && plainWaiting && passed(plainBarrier) && nfull(down) -> plainWaiting = 0; down!UNKEYED, plain, plainBarrier }
  /* the network */
  :: d_step { attached && cuts < CUTS -> cuts++; attached = 0;
       if :: plainWaiting -> reached(PLAIN_DROPPED_WITH_LINK) :: else fi;
       plainWaiting = 0; plainBarrier = 0 }
  :: d_step { !attached && len(down) > 0 -> reached(FRAMES_LOST); do :: len(down) > 0 -> down?_, _, _ :: else -> break od; skip }
  :: d_step { !attached ->                                              /* resume: the client froze the old link; replay, then new messages */
       attached = 1; sent = received;
#ifdef BREAK_OLD_LINK_STILL_READ
       do :: len(down) > 0 && len(old) < 4 -> down?kind, what, behind; old!kind, what, behind :: else -> break od;
#endif
       do :: len(down) > 0 -> down?_, _, _ :: else -> break od;
       do
       :: k < KEYS ->
#ifdef BREAK_BARRIER_FORGOTTEN_AT_RESUME
          barrier[k] = 0;
#endif
#ifndef BREAK_HANDED_OVER_IS_FORGOTTEN
          if :: version[k] != 0 && !waiting[k] -> waiting[k] = 1; reached(VALUE_SENT_AGAIN_AFTER_RESUME) :: else fi;
#endif
          if :: waiting[k] && barrier[k] > sent -> reached(VALUE_WAITS_FOR_REPLAY) :: else fi;
          k++
       :: else -> break
       od;
       k = 0 }
  od
}

active proctype Client() {
  byte kind, what, behind;
end: do
  :: d_step { nempty(down) -> down?kind, what, behind;
       if
       :: kind == RELIABLE -> received++; assert(received == what)
       :: kind == KEYED ->
          assert(received >= behind);                                   /* S12: not before an earlier reliable message */
          assert((what & 7) >= last[what / 8]);                         /* S12: versions of a key do not decrease */
          last[what / 8] = what & 7
       :: kind == UNKEYED -> assert(received >= behind); assert(what > lastPlain); lastPlain = what
       fi;
       kind = 0; what = 0; behind = 0 }
#ifdef BREAK_OLD_LINK_STILL_READ
  :: d_step { nempty(old) -> old?kind, what, behind;
       if :: kind == KEYED -> assert((what & 7) >= last[what / 8]); last[what / 8] = what & 7 :: else fi;
       kind = 0; what = 0; behind = 0 }
#endif
  od
}

active proctype Quiet() {
end: do
  :: timeout -> d_step {
       assert(attached && received == MESSAGES);
       assert(last[0] == VALUES && last[KEYS - 1] == VALUES);           /* S12: ends with the last value */
       reached(QUIET) };
     break
  od
}
