/* Models the resume token of 2.4: the server accepts {current, previous}; the previous token becomes invalid when the new link is confirmed.
   The owner dials at most DIALS times; each HELLO may arrive late, each WELCOME and notice may be lost (not on the last dial).
   A thief (or a cloned tab) copies the owner's token once and dials twice with dial numbers of its choice and valid credentials
   of the same user (never with -DALONE). A stranger presents a stolen token with the credentials of another user. The window does not end here.
   Checked: S10, S11, F5, F6, F37; an owner who loses the session always receives a notice. */

#ifndef DIALS
#define DIALS 3
#endif
#define THIEF (DIALS + 1)              /* links 1..DIALS are the owner's, THIEF and THIEF + 1 the thief's, STRANGER the other user's */
#define STRANGER (DIALS + 3)
#define LINKS (DIALS + 3)
#define NONE 255

#define PREVIOUS_TOKEN_ACCEPTED 0
#define OWNER_RECOVERS_FROM_THIEF 1
#define SUPERSEDED_TOKEN_RESETS_BOTH 2
#define LATE_HELLO_WITH_CONFIRMED_TOKEN 3
#define LATE_HELLO_WITH_PREVIOUS_TOKEN 4
#define THIEF_ATTACHES 5
#define OWNER_STOPPED_BY_ITS_LATE_DIAL 6
#define STRANGER_REFUSED 7
#define QUIET_WITHOUT_THEFT 8
#define QUIET_AFTER_THEFT 9
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

byte hello[LINKS + 1] = NONE, number[LINKS + 1];   /* HELLO under way: presented token, dial number */
byte welcome[LINKS + 1] = NONE;        /* WELCOME under way: new token */
bit notice[LINKS + 1];                   /* a terminal notice is under way: 4409 or RESET */
bit frame[LINKS + 1], spoken[LINKS + 1];

byte current, previous = NONE, bound, lastDial;
bit ended;
byte confirmed;                        /* ghost: highest confirmed generation */

byte dial = 1, token;                  /* the owner's first dial with token 0 is attached */
bit open = 1, replaced;
bit copied, thiefDialled;
byte stolen = NONE, thiefLink;

inline accept(l) {
  assert(l != STRANGER);                                  /* S11 */
  assert(hello[l] >= confirmed);                          /* S11: a superseded and confirmed token never attaches */
  if :: hello[l] != current -> reached(PREVIOUS_TOKEN_ACCEPTED) :: else fi;
  if :: l >= THIEF -> reached(THIEF_ATTACHES) :: else if :: bound >= THIEF -> reached(OWNER_RECOVERS_FROM_THIEF) :: else fi fi;
  if :: bound != 0 && bound != l -> notice[bound] = 1 :: else fi;
#ifdef BREAK_PREVIOUS_IS_OLD_CURRENT
  previous = current;
#else
  previous = hello[l];
#endif
#ifdef BREAK_HELLO_CONFIRMS
  previous = NONE;
#endif
  current++; lastDial = number[l];
  bound = l; welcome[l] = current
}
inline refuse(l) {                                        /* superseded and confirmed, so theft or clone: RESET of both */
  reached(SUPERSEDED_TOKEN_RESETS_BOTH);
  assert(thiefDialled);                                   /* S10: not reached by a single honest client */
  notice[l] = 1;
  if :: bound != 0 -> notice[bound] = 1; bound = 0 :: else fi;
  ended = 1
}
#ifdef BREAK_SINGLE_USE_TOKEN
#define valid(t) (t == current)
#else
#define valid(t) (t == current || t == previous)
#endif
#if defined(BREAK_NO_DIAL_NUMBER)
#define late(l) false
#elif defined(BREAK_LATE_PREVIOUS_TAKES_OVER)
#define late(l) (number[l] < lastDial && !valid(hello[l]))
#else
#define late(l) (number[l] <= lastDial)
#endif

inline onHello(l) {
#ifdef BREAK_DIAL_STORED_BEFORE_CHECK
  byte knownDial = lastDial;
  if :: number[l] > lastDial -> lastDial = number[l] :: else fi;
#endif
#ifdef BREAK_ROTATE_BEFORE_CHECK
  if :: l == STRANGER && valid(hello[l]) -> previous = current; current++ :: else fi;
#endif
  if
#ifndef BREAK_OTHER_USER_ACCEPTED
  :: l == STRANGER -> reached(STRANGER_REFUSED)           /* 4403 and no other effect */
#endif
  :: else ->
    if
    :: ended -> notice[l] = 1
    :: else ->
      if
#ifdef BREAK_DIAL_STORED_BEFORE_CHECK
      :: number[l] <= knownDial || number[l] < lastDial ->
#else
      :: late(l) ->
#endif
        if :: l < dial && hello[l] == previous -> reached(LATE_HELLO_WITH_PREVIOUS_TOKEN) :: else fi;
        if :: l < dial && hello[l] < confirmed -> reached(LATE_HELLO_WITH_CONFIRMED_TOKEN) :: else fi;
        if :: l == dial -> reached(OWNER_STOPPED_BY_ITS_LATE_DIAL) :: else fi;
        assert(thiefDialled || l < dial);                 /* S10 */
#ifndef BREAK_LATE_CLOSED_WITHOUT_WORD
        notice[l] = 1                                       /* close 4409 on that link; an abandoned link has no reader */
#endif
      :: else -> if :: valid(hello[l]) -> accept(l) :: else -> refuse(l) fi
      fi
    fi
  fi;
  hello[l] = NONE; number[l] = 0
}

proctype Link(byte l) {
end: do
  :: d_step { hello[l] != NONE -> onHello(l) }
  :: d_step { frame[l] -> frame[l] = 0;
       if
       :: bound == l && previous != NONE -> confirmed = current;
#ifndef BREAK_PREVIOUS_NEVER_DIES
          previous = NONE
#endif
       :: else
       fi }
#ifdef BREAK_PONG_CONFIRMS
  :: d_step { bound == l && previous != NONE && welcome[l] != NONE -> previous = NONE; confirmed = current }
#endif
  :: d_step { l != DIALS && (hello[l] != NONE || welcome[l] != NONE || notice[l] || frame[l]) ->     /* the network loses the frames */
       hello[l] = NONE; number[l] = 0; welcome[l] = NONE; notice[l] = 0; frame[l] = 0 }
  od
}

active proctype Owner() {
  byte i = 1;
  atomic { lastDial = 1; bound = 1; do :: i <= LINKS -> run Link(i); i++ :: else -> break od; i = 0 }
end: do
  :: d_step { !replaced && dial < DIALS -> dial++; open = 0; hello[dial] = token; number[dial] = dial }
  :: d_step { !replaced && !open && welcome[dial] != NONE -> token = welcome[dial]; welcome[dial] = NONE; open = 1 }
  :: d_step { !replaced && open && !spoken[dial] -> spoken[dial] = 1; frame[dial] = 1 }
  :: d_step { !replaced && notice[dial] && welcome[dial] == NONE -> notice[dial] = 0; replaced = 1; assert(thiefDialled) }
  od
}

active proctype Thief() {
end: do
  :: d_step { !copied -> copied = 1; stolen = token }
  :: d_step { !copied -> copied = 1; thiefLink = 2; spoken[STRANGER] = 1 }      /* no theft; also no stranger */
  :: d_step { copied && hello[STRANGER] == NONE && number[STRANGER] == 0 && !spoken[STRANGER] -> spoken[STRANGER] = 1; hello[STRANGER] = stolen; number[STRANGER] = 9 }
#ifndef ALONE
  :: atomic { copied && thiefLink < 2 ->
       d_step { thiefLink++; thiefDialled = 1; hello[THIEF + thiefLink - 1] = stolen };
       if :: number[THIEF + thiefLink - 1] = 1 :: number[THIEF + thiefLink - 1] = dial :: number[THIEF + thiefLink - 1] = dial + 1 :: number[THIEF + thiefLink - 1] = 7 + thiefLink fi }
#endif
  :: d_step { thiefLink > 0 && welcome[THIEF + thiefLink - 1] != NONE -> stolen = welcome[THIEF + thiefLink - 1]; welcome[THIEF + thiefLink - 1] = NONE }
  :: d_step { thiefLink > 0 && bound == THIEF + thiefLink - 1 && welcome[bound] == NONE && !spoken[bound] -> spoken[bound] = 1; frame[bound] = 1 }
  od
}

active proctype Quiet() {
end: do
  :: timeout ->
     assert(replaced || (bound == dial && open && token == current));   /* attached, or notified */
     if :: !thiefDialled -> reached(QUIET_WITHOUT_THEFT) :: else -> reached(QUIET_AFTER_THEFT) fi;
     break
  od
}
