/* Models one session per user where the newest wins (2.6, `sessionsPerUser` 1), and the tombstones of 2.4. One user has the devices A and B;
   B may start once, later. Each dials up to its limit; a HELLO may arrive late, a WELCOME or notice may be lost (not on the last dial).
   The window of a detached session may end once, and the user may be kicked once (BYE).
   Checked: S16; a device that was replaced or kicked receives a notice and never returns by itself;
   an abandoned HELLO of a client never replaces the live session of that client. */

#define A 0
#define B 1
#ifndef DIALS
#define DIALS 3
#endif
#define LINKS (2 * DIALS + 1)          /* link d of A is d, link d of B is DIALS + 1 + d; d 0: no link */
#define owner(l) ((l) > DIALS)
#define number(l) ((l) > DIALS -> (l) - DIALS - 1 : (l))
#define current(x) (x * (DIALS + 1) + dial[x])

#define NEWER_DEVICE_WINS 0
#define LATE_FRESH_HELLO_IGNORED 1
#define REPLACED_DEVICE_RETURNS_AND_IS_STOPPED 2
#define KICKED_DEVICE_RETURNS_AND_IS_STOPPED 3
#define EXPIRED_SESSION_STARTS_AFRESH 4
#define UNKNOWN_SESSION_REPLACED_BY_OWN_DIAL 5
#define QUIET_ONE_DEVICE 6
#define QUIET_TWO_DEVICES 7
#define QUIET_KICKED 8
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

#define IDLE 0
#define WAITING 1
#define OPEN 2
#define STOPPED 3                      /* received a terminal notice: 4409, or BYE */
byte client[2], dial[2], known[2];     /* known: the session that it can resume; 0: none */

bit hello[LINKS + 1]; byte resume[LINKS + 1];
byte welcome[LINKS + 1];               /* number of the session in a WELCOME under way */
bit notice[LINKS + 1];                 /* a terminal notice is under way */

#define EXPIRED 1
#define REPLACED 2
#define KICKED 3
byte session, user, bound;             /* the live session, 0: none; its device; its link, 0: detached */
byte last, cause[LINKS + 2];           /* last session number; tombstones */
byte lastDial[2];
bit expiredOnce, kickedOnce, kicked[2], bStarted, calm;

inline endLive(why) { cause[session] = why; if :: bound != 0 && why != EXPIRED -> notice[bound] = 1 :: else fi; session = 0; bound = 0 }
inline openLive(l) {
  if
  :: session != 0 ->
     if
     :: user == owner(l) -> assert(known[user] != session);             /* an abandoned dial never ends the live session of its client */
        reached(UNKNOWN_SESSION_REPLACED_BY_OWN_DIAL)
     :: else -> reached(NEWER_DEVICE_WINS)
     fi;
     endLive(REPLACED)
  :: else
  fi;
  last++; session = last; user = owner(l); bound = l; welcome[l] = session
}
inline onHello(l) {
  hello[l] = 0;
  if
#ifdef BREAK_FRESH_HELLO_WITHOUT_DIAL
  :: number(l) < lastDial[owner(l)] && resume[l] != 0 -> notice[l] = 1
#else
  :: number(l) < lastDial[owner(l)] -> notice[l] = 1; reached(LATE_FRESH_HELLO_IGNORED)
#endif
  :: else ->
     lastDial[owner(l)] = number(l);
     if
     :: resume[l] != 0 && resume[l] == session -> bound = l; welcome[l] = session
#ifdef BREAK_TOMBSTONE_OPENS_FRESH
     :: resume[l] != 0 && resume[l] != session -> assert(cause[resume[l]] == EXPIRED); openLive(l)
#else
     :: resume[l] != 0 && resume[l] != session ->
        if
        :: cause[resume[l]] == EXPIRED -> reached(EXPIRED_SESSION_STARTS_AFRESH); openLive(l)
        :: cause[resume[l]] == REPLACED -> reached(REPLACED_DEVICE_RETURNS_AND_IS_STOPPED); notice[l] = 1
        :: cause[resume[l]] == KICKED -> reached(KICKED_DEVICE_RETURNS_AND_IS_STOPPED); notice[l] = 1
        fi
#endif
     :: resume[l] == 0 -> openLive(l)
     fi
  fi;
  resume[l] = 0
}

proctype Link(byte l) {
end: do
  :: d_step { hello[l] -> onHello(l) }
  :: d_step { number(l) < DIALS && (hello[l] || welcome[l] != 0 || notice[l]) -> hello[l] = 0; resume[l] = 0; welcome[l] = 0; notice[l] = 0 }
  od
}

proctype Client(bit x) {
end: do
  :: d_step { client[x] != STOPPED && dial[x] < DIALS && (x == A || bStarted) ->
       welcome[current(x)] = 0; notice[current(x)] = 0;                 /* freezes the old link */
       dial[x]++; client[x] = WAITING; hello[current(x)] = 1; resume[current(x)] = known[x] }
  :: d_step { client[x] == WAITING && welcome[current(x)] != 0 -> known[x] = welcome[current(x)]; welcome[current(x)] = 0; client[x] = OPEN }
  :: d_step { dial[x] != 0 && client[x] != STOPPED && notice[current(x)] && welcome[current(x)] == 0 -> notice[current(x)] = 0; client[x] = STOPPED;
       assert(bStarted || kickedOnce) }                                 /* a single device never replaces itself */
  od
}

active proctype Server() {
  byte i = 1;
  atomic { run Client(A); run Client(B); do :: i <= LINKS -> run Link(i); i++ :: else -> break od; i = 0 }
end: do
  :: d_step { !calm -> calm = 1 }
  :: d_step { !calm && !bStarted && dial[A] > 0 -> bStarted = 1 }
  :: d_step { !calm && bound != 0 && number(bound) < DIALS -> bound = 0 }        /* the link is lost */
  :: d_step { !calm && session != 0 && bound == 0 && !expiredOnce -> expiredOnce = 1; endLive(EXPIRED) }
  :: d_step { !calm && bound != 0 && !kickedOnce && known[user] == session -> kickedOnce = 1; kicked[user] = 1; endLive(KICKED) }
  od
}

active proctype Quiet() {
end: do
  :: timeout -> d_step {
       if
       :: !bStarted && !kickedOnce -> assert(session != 0 && user == A && client[A] == OPEN && known[A] == session); reached(QUIET_ONE_DEVICE)
       :: bStarted && !kickedOnce ->
          assert(session != 0 && client[user] == OPEN && known[user] == session && bound == current(user));
          assert(client[1 - user] == STOPPED); reached(QUIET_TWO_DEVICES)
       :: else -> assert(!kicked[A] || client[A] == STOPPED); assert(!kicked[B] || client[B] == STOPPED); reached(QUIET_KICKED)
       fi };
     break
  od
}
