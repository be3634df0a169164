/* The journal of a server: turns that pass a gate (seal, append, release), processes that are killed at any step, and the recovery of
   one session and one topic from the records. A turn is sealed as a whole, appended, and its output leaves after that; output of
   later changes waits for the next turn. An older copy of the journal may be put back once.
   Checked: S1, S3, S10, S11, S16, L1; what a client has seen is on the disk; no (epoch, offset) names two publications. */

#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef EVENTS                         /* messages without a request, also to a detached session */
#define EVENTS 0
#endif
#define MESSAGES (REQUESTS + EVENTS)
#ifndef PUBLICATIONS
#define PUBLICATIONS 0
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef CUTS
#define CUTS 0
#endif
#ifdef TOPIC                           /* the topic alone: a session would only multiply its states */
#define DIALS 0
#else
#define DIALS (CRASHES + CUTS + 1)
#endif
#define OFFSETS (PUBLICATIONS + 1)
#define NONE 255

#define RESUMED_IN_NEXT_LIFE 0
#define REQUEST_RUNS_AGAIN 1
#define PREVIOUS_TOKEN_AFTER_CRASH 2
#define CRASH_BEFORE_APPEND 3
#define CRASH_BETWEEN_APPEND_AND_RELEASE 4
#define CHANGE_BEHIND_A_SEALED_TURN 5
#define END_FOUND_IN_JOURNAL 6
#define END_LOST_BEFORE_IT_WAS_SENT 7
#define DIVERGED_BY_TOKEN 8
#define DIVERGED_BY_COUNT 9
#define DIVERGED_BY_DIGEST 10
#define RESUMED_AFTER_ROLLBACK 11
#define NEW_EPOCH 12
#define CRASH_BEFORE_THE_NEW_EPOCH_IS_KEPT 13
#define OFFSET_AGAIN_IN_NEW_EPOCH 14
#define PING_BEHIND_A_HELD_TURN 15
#define THIEF_REFUSED 16
#define QUIET_AND_OPEN 17
c_decl { static char seen_[32]; }
#define reached(name) c_code { if (!seen_[name]) { seen_[name] = 1; printf("reached " #name "\n"); } }

typedef Kept {
  byte handled;                        /* requests that are settled, each with its effects */
  byte sent; byte content[MESSAGES + 1];        /* messages of the session; their content is the life that made it */
  byte generation = 1, previous = NONE;         /* resume tokens that claim the session */
  bit ended;
  byte epoch, offset; byte published[OFFSETS]   /* the topic; content as above */
}
Kept memory, sealed, disk, older;

/* the process */
bit alive = 1;
bit ends;                              /* the application ends the session at some time */
byte life = 1, crashes;
bit dirty, isSealed, isAppended;       /* the open turn has changes; a turn is at the gate; its record is on the disk */
bit answers, sealedAnswers;            /* WELCOME in the open and in the sealed turn */
byte answered;                         /* the dial that the sealed WELCOME answers */
byte releasedHandled;                  /* handled of the last released turn: pings carry it */
bit pinged;
byte publications, events;
bit notWhole;                          /* the records may lack their end, as the files show */

/* the connection: dialled, bound */
bit dialled, bound;
byte dials, cuts;
byte wireSent, wireHandled, wireToken = NONE;   /* released to this connection */
bit wireEnd;

/* the client */
bit open, told, reset;
byte token = 1, asked, freed, received;
byte seen[MESSAGES + 1];

/* ghosts */
bit hasCopy, rolledBack;
byte confirmed;                        /* the highest generation whose confirmation had left the server */
byte stolen = NONE;
byte ran;                              /* the last request that ran */
byte named[16];                        /* by epoch and offset: the content that a client has seen, 0: none */

byte i;

inline copy(to, from) {
  to.handled = from.handled; to.sent = from.sent; to.generation = from.generation; to.previous = from.previous;
  to.ended = from.ended; to.epoch = from.epoch; to.offset = from.offset;
  i = 0; do :: i <= MESSAGES -> to.content[i] = from.content[i]; i++ :: else -> break od;
  i = 0; do :: i < OFFSETS -> to.published[i] = from.published[i]; i++ :: else -> break od;
  i = 0
}

/* clears what no rule reads any more: fewer states */
inline clear(kept) {
  kept.handled = 0; kept.sent = 0; kept.generation = 0; kept.previous = 0; kept.ended = 0; kept.epoch = 0; kept.offset = 0;
  i = 0; do :: i <= MESSAGES -> kept.content[i] = 0; i++ :: else -> break od;
  i = 0; do :: i < OFFSETS -> kept.published[i] = 0; i++ :: else -> break od;
  i = 0
}

inline disconnect() { dialled = 0; bound = 0; open = 0; wireSent = 0; wireHandled = 0; wireToken = NONE; wireEnd = 0 }

/* S10: only an older copy of the journal may end an honest client's session so */
inline diverge() { assert(rolledBack); reset = 1; disconnect() }

/* A claim. The tombstone of an ended session is output of a turn, too. */
inline claim() {
  dialled = 0;
  if
  :: memory.ended -> bound = 1; dirty = 1; reached(END_FOUND_IN_JOURNAL)
  :: else ->
    if
    :: token > memory.generation -> reached(DIVERGED_BY_TOKEN); diverge()
    :: token <= memory.generation && token != memory.generation && token != memory.previous -> assert(false)        /* session_stolen */
    :: else ->
      i = 1;
#ifndef BREAK_COUNTS_WITHOUT_DIGEST
      do :: i <= received && i <= memory.sent && seen[i] == memory.content[i] -> i++ :: else -> break od;
#endif
      if
      :: received > memory.sent || freed > memory.handled -> reached(DIVERGED_BY_COUNT); diverge()
#ifndef BREAK_COUNTS_WITHOUT_DIGEST
      :: received <= memory.sent && freed <= memory.handled && i <= received -> reached(DIVERGED_BY_DIGEST); diverge()
#endif
      :: else ->
        i = 1; do :: i <= received -> assert(seen[i] == memory.content[i]); i++ :: else -> break od;       /* S1 */
        if :: life > 1 -> reached(RESUMED_IN_NEXT_LIFE) :: else fi;
        if :: life > 1 && token != memory.generation -> reached(PREVIOUS_TOKEN_AFTER_CRASH) :: else fi;
        if :: rolledBack -> reached(RESUMED_AFTER_ROLLBACK) :: else fi;
        memory.previous = token; memory.generation = token + 1;
        bound = 1; answers = 1; dirty = 1;
#ifdef BREAK_TOKEN_BEFORE_APPEND
        wireToken = memory.generation
#endif
      fi;
      i = 0
    fi
  fi
}

inline handle() {
  memory.handled++; memory.sent++;
  memory.content[memory.sent] = life;
  if :: memory.handled <= ran -> reached(REQUEST_RUNS_AGAIN) :: else -> ran = memory.handled fi;
  if :: isSealed -> reached(CHANGE_BEHIND_A_SEALED_TURN) :: else fi;
  dirty = 1;
#ifdef BREAK_OUTPUT_BEFORE_APPEND
  wireSent = memory.sent;
#endif
#ifdef BREAK_ACK_BEFORE_APPEND
  wireHandled = memory.handled;
#endif
}

/* the client's first frame after WELCOME */
inline confirm() {
  memory.previous = NONE;
#ifdef BREAK_CONFIRMATION_IS_LAZY
  confirmed = memory.generation
#else
  dirty = 1
#endif
}

inline seal() { copy(sealed, memory); sealedAnswers = answers; answered = dials; answers = 0; dirty = 0; isSealed = 1 }
inline append() { copy(disk, sealed); isAppended = 1; notWhole = 0 }

/* (epoch, offset) names one content */
inline reveal() {
  i = 1;
  do
  :: i <= sealed.offset ->
     assert(named[sealed.epoch * 4 + i] == 0 || named[sealed.epoch * 4 + i] == sealed.published[i]);
     if :: sealed.epoch > 0 && named[i] != 0 && named[i] != sealed.published[i] -> reached(OFFSET_AGAIN_IN_NEW_EPOCH) :: else fi;
     named[sealed.epoch * 4 + i] = sealed.published[i];
     i++
  :: else -> break
  od;
  i = 0
}

inline release() {
  isSealed = 0; isAppended = 0;
  releasedHandled = sealed.handled;
  if :: sealed.previous == NONE && sealed.generation > confirmed -> confirmed = sealed.generation :: else fi;
  if
  :: bound ->
     wireSent = sealed.sent; wireHandled = sealed.handled; wireEnd = sealed.ended;
     if :: sealedAnswers && answered == dials -> wireToken = sealed.generation :: else fi
  :: else
  fi;
  reveal();
  sealedAnswers = 0; answered = 0;
  clear(sealed)
}

inline crash() {
  if :: isSealed && !isAppended -> reached(CRASH_BEFORE_APPEND) :: isAppended -> reached(CRASH_BETWEEN_APPEND_AND_RELEASE) :: else fi;
  if :: memory.ended && !disk.ended -> reached(END_LOST_BEFORE_IT_WAS_SENT) :: else fi;
  if :: notWhole -> reached(CRASH_BEFORE_THE_NEW_EPOCH_IS_KEPT) :: else fi;
  crashes++; alive = 0; dirty = 0; isSealed = 0; isAppended = 0; answers = 0; sealedAnswers = 0; answered = 0;
  releasedHandled = 0; pinged = 0;
  clear(memory); clear(sealed);
  disconnect()
}

inline recover() {
  life++; alive = 1;
  copy(memory, disk);
  releasedHandled = disk.handled;
  assert(rolledBack || !told || disk.ended);              /* S16: no session returns from its end */
  assert(rolledBack || freed <= disk.handled);            /* S3 */
  assert(rolledBack || received <= disk.sent);            /* S1 */
  assert(rolledBack || token <= disk.generation);         /* S10 */
  if
#ifndef BREAK_EPOCH_KEPT
  :: notWhole -> memory.epoch = life; dirty = 1; reached(NEW_EPOCH)
#endif
  :: else
  fi
}

active proctype Server() {
  if :: ends = 1 :: true fi;
end: do
  :: d_step { alive && dialled -> claim() }
  :: d_step { alive && bound && open && !memory.ended && memory.handled < asked -> handle() }
  :: d_step { alive && bound && open && memory.previous != NONE -> confirm() }
  :: d_step { alive && publications < PUBLICATIONS -> publications++; memory.offset++; memory.published[memory.offset] = life; dirty = 1 }
  :: d_step { alive && !memory.ended && events < EVENTS -> events++; memory.sent++; memory.content[memory.sent] = life; dirty = 1 }
  :: d_step { alive && ends && !memory.ended && bound && open ->
       memory.ended = 1; dirty = 1;
#ifdef BREAK_END_BEFORE_APPEND
       wireEnd = 1
#endif
     }
  :: d_step { alive && dirty && !isSealed -> seal() }
  :: d_step { isSealed && !isAppended -> append() }
  :: d_step { isAppended -> release() }
  :: d_step { alive && bound && open && !pinged && isSealed && !isAppended ->                   /* liveness does not wait for the disk */
       pinged = 1;
       reached(PING_BEHIND_A_HELD_TURN);
#ifdef BREAK_PING_CARRIES_NEW_COUNTS
       wireHandled = memory.handled
#else
       wireHandled = releasedHandled
#endif
     }
  od
}

active proctype Client() {
end: do
  :: d_step { alive && !dialled && !bound && !told && !reset && dials < DIALS -> dials++; dialled = 1 }
  :: d_step { wireToken != NONE -> token = wireToken; wireToken = NONE; open = 1 }
  :: d_step { open && asked < REQUESTS -> asked++ }
  :: d_step { open && received < wireSent -> received++; seen[received] = memory.content[received] }
  :: d_step { (open || wireEnd) && freed < wireHandled -> freed = wireHandled }
  :: d_step { bound && wireEnd && (received == wireSent || !open) -> told = 1; disconnect() }
  od
}

active proctype Faults() {
end: do
  :: d_step { alive && crashes < CRASHES -> crash() }
  :: d_step { (dialled || bound) && cuts < CUTS -> cuts++; disconnect() }
  :: d_step { !alive -> recover() }
  :: d_step { alive && !hasCopy && life == 1 -> hasCopy = 1; copy(older, disk) }
  :: d_step { !alive && hasCopy && !rolledBack -> rolledBack = 1; notWhole = 1; copy(disk, older); clear(older) }
  :: d_step { stolen == NONE && token > 1 -> stolen = token - 1 }
  :: d_step { alive && stolen != NONE && !rolledBack && stolen < confirmed ->
       assert(stolen != memory.generation && stolen != memory.previous);  /* S11 */
       reached(THIEF_REFUSED); stolen = NONE - 1 }
  od
}

active proctype Quiet() {
end: do
  :: timeout ->
     assert(DIALS == 0 || told || reset || (open && asked == REQUESTS && received == memory.sent && freed == asked));       /* L1 */
     if :: open -> reached(QUIET_AND_OPEN) :: else fi;
     break
  od
}
