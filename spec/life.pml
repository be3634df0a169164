/* The life of one server session, state by state packages/server/src/session/life/session.machine.ts: attached, detached,
   dropped, moved, ended, over two lives of the process. Link 1 opens the session, each other link carries one claim. A link
   closes once, perhaps late, also after another process has claimed the session. Time passes in ticks; none passes between
   the two processes.
   Checked: invariants 1 to 6 of the machine (in brackets), S6, S13, S16, A9, A16, A17, and that every session ends. */

#ifndef DIALS
#define DIALS 4
#endif
#define RESUME 3                       /* resumeWindowMs */
#define LEAVE 1                        /* leaveWindowMs */
#define DETACHED_MAX 4
#ifndef TAKEOVERS_MAX
#define TAKEOVERS_MAX 2
#endif
#define TAKEOVER_WINDOW 2
#define ENDLESS 15
#define NONE 15

#define TAKEOVER 0
#define THRASH 1
#define OLD_TAKEOVER_DOES_NOT_COUNT 2
#define PREVIOUS_TOKEN_CLAIMS 3
#define CLAIM_WHILE_DROPPED 4
#define CLAIM_WHILE_DETACHED 5
#define LATE_CLOSE_OF_REPLACED_LINK 6
#define LATE_CLOSE_SHORTENS 7
#define LATE_CLOSE_WAITS_ON 8
#define LATE_CLOSE_IN_NEXT_LIFE 9
#define LATE_MESSAGE_OF_UNBOUND_LINK 10
#define EXPIRED_WHILE_DROPPED 11
#define EXPIRED_IN_NEXT_LIFE 12
#define WINDOW_SHORT_AFTER_UNCONFIRMED_CLAIM 13
#define REST_OF_ALL_LIVES 14
#define STALE_TIMER_OF_ATTACHED 15
#define MOVED_WHILE_ATTACHED 16
#define MOVED_WHILE_DETACHED 17
#define MOVED_WHILE_DROPPED 18
#define END_AFTER_MOVE 19
#define CONNECTION_LOST 20
#define DROP_ENDS 21
#define WHOLE_WINDOW_AGAIN 22
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

mtype = { attached, detached, dropped, moved, ended };

/* state of the session in each life; the variables below are those of the current life */
mtype kind[2];
byte life;
bit down;                              /* the record exists, and the second process has not read it */
bit resumable;
byte link = 1;
byte generation = 1;
bit confirmed;
byte window = RESUME;
byte spent;
byte taken, age[TAKEOVERS_MAX + 1];    /* takeoversAtMs: their count, and the time since each */
byte waited, left;                     /* now - sinceMs, untilMs - now */

/* links */
byte dials = 1;
bit open[DIALS + 1], spoken[DIALS + 1];
byte holder[DIALS + 1];                /* the life that accepted it */
byte presented;
bit strayTimer;                        /* the timer of a window that a claim ended is not cancelled */
bit asked[2];                          /* the application ended the session */

/* ghosts, computed from inputs and effects alone */
byte bound = 1;
byte ends;
bit shown;                             /* a message arrived on the link of the last claim */
byte newest = 1;                       /* generation of the last WELCOME */
byte absent, absentBefore;             /* length of this wait; sum of the earlier waits since a confirmation */
byte longest = ENDLESS;                /* length of the last window since a confirmation */
byte since[DIALS + 1] = NONE;          /* time since this link took the session over */

byte i, k, before, allowed;

#define current(n) (n == life && !down)
#define final(n) (kind[n] == ended || kind[n] == moved)
#define waiting (kind[life] == detached || kind[life] == dropped)
#define isBound(l) (kind[life] == attached && link == l)

/* effects */
inline unbind(l) { assert(bound == l); bound = 0 }                       /* [1] */
inline bind(l) { assert(bound == 0 && open[l]); bound = l }              /* [1] S6: at most one */
inline waits() { assert(resumable && bound == 0); absent = 0 }
inline ending() { ends++; assert(ends == 1); assert(!final(life)) }      /* [2] S16 */

inline check() {
  assert((kind[life] == attached) == (bound != 0));                      /* [1] */
  assert(kind[life] != attached || link == bound);
  assert(final(life) || (confirmed == shown && generation == newest));   /* [3] */
  assert(!waiting || absentBefore + absent + left <= DETACHED_MAX)       /* [4] */
}
inline forget() {                      /* clears the variables of an ended session: fewer states */
  link = 0; waited = 0; left = 0; taken = 0; strayTimer = 0; absent = 0; absentBefore = 0; longest = ENDLESS; window = ENDLESS;
  spent = 0; generation = 0; newest = 0; confirmed = 0; shown = 0;
  k = 0; do :: k <= TAKEOVERS_MAX -> age[k] = 0; k++ :: else -> break od;
  k = 0; do :: k <= DIALS -> since[k] = NONE; k++ :: else -> break od; k = 0
}
inline finish(n) { ending(); kind[n] = ended; bound = 0; forget() }

/* detached() of the machine: the window of a wait that begins now */
inline detach(w) {
#ifdef BREAK_UNCONFIRMED_CLAIM_RENEWS
  allowed = w;
#else
  allowed = w;
  if :: !confirmed && window < allowed -> allowed = window :: else fi;
#endif
  window = allowed;
#ifdef BREAK_EACH_LIFE_COUNTS_ALONE
  left = allowed
#else
  left = DETACHED_MAX - spent;         /* the remaining time of all lives */
  if :: allowed < left -> left = allowed :: else fi
#endif
}
/* [5] a wait begins. It is no longer than the last one, unless a claim was confirmed in between. */
inline begins(w) {
  assert(left <= w);
  assert(shown || left <= longest);
  if :: !shown && longest == LEAVE && left == LEAVE -> reached(WINDOW_SHORT_AFTER_UNCONFIRMED_CLAIM) :: else fi;
  if :: left < window && left > 0 -> reached(REST_OF_ALL_LIVES) :: else fi;
  longest = left; allowed = 0
}

inline onClaim(l) {
  k = (kind[life] == attached);
  if :: generation > presented -> reached(PREVIOUS_TOKEN_CLAIMS) :: else fi;
  if
  :: kind[life] == attached ->
     reached(TAKEOVER);
     since[l] = 0;                                                     /* [6] counts independently of the machine */
     before = 0; i = 2; do :: i <= DIALS -> before = before + (since[i] < TAKEOVER_WINDOW); i++ :: else -> break od;
#ifndef BREAK_BOUND_BEFORE_UNBOUND
     unbind(link);
#endif
     i = 0; k = 0;
     do
     :: i < taken ->
        if
#ifndef BREAK_OLD_TAKEOVERS_COUNT
        :: age[i] >= TAKEOVER_WINDOW -> reached(OLD_TAKEOVER_DOES_NOT_COUNT)
#endif
        :: else -> age[k] = age[i]; k++
        fi;
        i++
     :: else -> break
     od;
     age[k] = 0; k++;
     taken = k;
     do :: k <= TAKEOVERS_MAX -> age[k] = 0; k++ :: else -> break od;
     k = 1
  :: kind[life] == detached -> reached(CLAIM_WHILE_DETACHED)
#ifdef BREAK_RETURN_COUNTS_AS_TAKEOVER
     ; age[taken] = 0; taken++; before = 0
#endif
  :: kind[life] == dropped -> reached(CLAIM_WHILE_DROPPED)
  fi;
  if
#ifndef BREAK_TAKEOVERS_WITHOUT_BOUND
  :: taken > TAKEOVERS_MAX ->
     reached(THRASH);
     assert(k && before > TAKEOVERS_MAX);                              /* [6] */
     finish(life)
#endif
  :: else ->
     assert(!k || before <= TAKEOVERS_MAX);                            /* [6] */
     strayTimer = (waiting -> 1 : strayTimer);
     spent = spent + waited; absentBefore = absentBefore + absent;
     kind[life] = attached; link = l; waited = 0; left = 0; absent = 0;
     generation = presented + 1; newest = presented + 1; shown = 0;
#ifndef BREAK_CLAIM_KEEPS_CONFIRMATION
     confirmed = 0;
#endif
#ifdef BREAK_CLAIM_RESETS_TIME
     spent = 0;
#endif
     bind(l)
  fi;
  check();
  i = 0; k = 0; before = 0; presented = 0
}

inline onMessage(l) {
  if
  :: !current(holder[l]) || final(life)
  :: else ->
    if
    :: bound == l && !shown -> shown = 1; absentBefore = 0; longest = ENDLESS
    :: bound != l -> reached(LATE_MESSAGE_OF_UNBOUND_LINK)
    :: else
    fi;
    if
#ifdef BREAK_ANY_LINK_CONFIRMS
    :: kind[life] == attached && !confirmed -> confirmed = 1; spent = 0
#else
    :: isBound(l) && !confirmed ->
       confirmed = 1;
       if :: spent > 0 -> reached(WHOLE_WINDOW_AGAIN) :: else fi;
       spent = 0; window = RESUME
#endif
    :: else
    fi;
    check()
  fi
}

inline onClosed(l, w) {
  if
  :: !current(holder[l]) -> reached(LATE_CLOSE_IN_NEXT_LIFE)
#ifdef BREAK_LATE_CLOSE_ENDS_MOVED
     ; ending()
#endif
  :: else ->
    if
    :: final(life)
#ifdef BREAK_LATE_CLOSE_DETACHES
    :: kind[life] == attached ->
#else
    :: isBound(l) ->
#endif
       unbind(l); link = 0;
       if
       :: !resumable -> reached(CONNECTION_LOST); finish(life)
       :: else -> detach(w); kind[life] = detached; waited = 0; waits(); begins(w)
       fi
    :: kind[life] == dropped && link == l ->                             /* onLateClose() of the machine */
       before = left; link = 0; kind[life] = detached;
       if
#ifdef BREAK_LATE_CLOSE_IS_IGNORED
       :: w >= 0 -> reached(LATE_CLOSE_WAITS_ON)
#endif
#ifdef BREAK_LATE_CLOSE_RENEWS
       :: false
#else
       :: w >= window -> reached(LATE_CLOSE_WAITS_ON)
#endif
#if defined(BREAK_LATE_CLOSE_RENEWS) || defined(BREAK_LATE_CLOSE_MOVES_END)
       :: else -> detach(w); reached(LATE_CLOSE_SHORTENS)
#else
       :: else ->
          window = w;
          if :: w < left -> left = w :: else fi;
          reached(LATE_CLOSE_SHORTENS)
#endif
       fi;
       assert(left <= before && (left <= w || w == RESUME));             /* [1] A16: it only shortens */
       if :: w < longest -> longest = w :: else fi;
       allowed = 0; before = 0
    :: else -> reached(LATE_CLOSE_OF_REPLACED_LINK)
    fi;
    check()
  fi
}

inline onDrop(l) {
  if
  :: isBound(l) ->
    if
#ifndef BREAK_SINGLE_SESSION_WAITS
    :: !resumable -> reached(DROP_ENDS); finish(life)
#endif
    :: else -> unbind(l); detach(RESUME); kind[life] = dropped; waited = 0; waits(); begins(RESUME)
    fi;
    check()
  fi
}

inline onWake() {
  if
  :: final(life)
#ifdef BREAK_ANY_WAKE_EXPIRES
  :: !final(life) ->
#else
  :: waiting && left == 0 ->
#endif
     assert(waiting && left == 0);                                       /* [4] a window ends at untilMs */
     if :: kind[life] == dropped -> reached(EXPIRED_WHILE_DROPPED) :: else fi;
     if :: life == 1 -> reached(EXPIRED_IN_NEXT_LIFE) :: else fi;
     finish(life)
  :: else -> if :: kind[life] == attached -> reached(STALE_TIMER_OF_ATTACHED) :: else fi
  fi
}

inline onEnd(n) {
  if
#ifndef BREAK_FINAL_IS_LEFT
  :: final(n) -> if :: kind[n] == moved -> reached(END_AFTER_MOVE) :: else fi
#endif
  :: else -> finish(n)
  fi
}

/* claimsAt(), then `move` */
inline onMove() {
  if
  :: kind[life] == attached -> reached(MOVED_WHILE_ATTACHED); unbind(link)
  :: kind[life] == detached -> reached(MOVED_WHILE_DETACHED)
  :: kind[life] == dropped -> reached(MOVED_WHILE_DROPPED)
  fi;
#ifndef BREAK_WAIT_IS_NOT_SPENT
  spent = spent + waited;
#endif
  absentBefore = absentBefore + absent;
  kind[life] = moved; link = 0; waited = 0; left = 0; absent = 0; strayTimer = 0; down = 1
}
/* restoredLife() */
inline onRestore() {
  life = 1; down = 0;
#ifdef BREAK_RESTART_RENEWS
  allowed = RESUME; window = RESUME; left = DETACHED_MAX - spent;
  if :: RESUME < left -> left = RESUME :: else fi;
#else
  if :: window > RESUME -> window = RESUME :: else fi;
  detach(window);
#endif
  kind[1] = detached; waited = 0; waits(); begins(RESUME);
  check()
}

inline tick() {
  if :: waiting -> left--; waited++; absent++; assert(absentBefore + absent <= DETACHED_MAX) :: else fi;      /* [4] */
  i = 0; do :: i < taken -> if :: age[i] < TAKEOVER_WINDOW -> age[i]++ :: else fi; i++ :: else -> break od;
  i = 2; do :: i <= DIALS -> if :: since[i] < TAKEOVER_WINDOW -> since[i]++ :: else fi; i++ :: else -> break od;
  i = 0
}
/* while a session is attached, ticks change the age of takeovers only */
#define ages (taken > 0 && age[taken - 1] < TAKEOVER_WINDOW)

proctype Link(byte l) {
end: do
  :: d_step { open[l] && !spoken[l] -> spoken[l] = 1; onMessage(l) }
  :: d_step { open[l] -> open[l] = 0; spoken[l] = 1; onClosed(l, RESUME) }
  :: d_step { open[l] -> open[l] = 0; spoken[l] = 1; onClosed(l, LEAVE) }
  :: d_step { current(holder[l]) && isBound(l) -> onDrop(l) }
  od
}

active proctype Server() {
  atomic {
    if :: true :: resumable = 1 fi;
    kind[0] = attached; open[1] = 1;
    i = 1; do :: i <= DIALS -> run Link(i); i++ :: else -> break od; i = 0
  }
end: do
  :: atomic { dials < DIALS && !down && kind[life] != ended ->           /* the claim passed resume.ts */
       if :: presented = generation :: !confirmed && generation > 1 -> presented = generation - 1 fi;
       d_step { dials++; open[dials] = 1; holder[dials] = life; onClaim(dials) } }
  :: d_step { !down && ((waiting && left > 0) || (kind[life] == attached && ages)) -> tick() }
  :: d_step { !down && waiting && left == 0 -> onWake() }
  :: d_step { strayTimer -> strayTimer = 0; onWake() }
  :: d_step { !asked[0] -> asked[0] = 1; onEnd(0) }
  :: d_step { life == 1 && !asked[1] -> asked[1] = 1; onEnd(1) }
  :: d_step { life == 0 && !down && resumable && !final(0) -> onMove() }
  :: d_step { down -> onRestore() }
  od
}

active proctype Quiet() {
end: do
  :: timeout ->
     assert(kind[life] == ended && ends == 1 && bound == 0);             /* [2] S16 */
     assert(life == 0 || kind[0] == moved);                              /* [2] */
     break
  od
}
