/* Models atomic handlers on a journal: a handler moves gold from one record to another and publishes that, and may throw at its end; an inner
   function moves more, and its throw is caught. The process may be killed between any two steps; the next one continues from the journal
   and runs the requests again that are not settled.
   Checked: every record of the journal holds the same sum, and as many publications as transfers; no client has seen a publication or a
   reply that the journal does not hold; a request is settled once. */

#ifndef REQUESTS
#define REQUESTS 3
#endif
#ifndef KILLS
#define KILLS 3
#endif
#define TOTAL 9

#define KILLED_IN_HANDLER 0
#define KILLED_BEFORE_RECORD 1
#define KILLED_BEFORE_OUTPUT 2
#define THROWN 3
#define INNER_CAUGHT 4
#define RUN_AGAIN 5
#define QUIET 6
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

byte a = TOTAL, b, transfers, published, settled;          /* memory of the process */
byte savedA, savedB, savedQueue, innerA, innerQueue;       /* savepoints */
byte queue;                                                /* publications that wait for the end of the function */
byte outPublished, outReplies;                             /* output of the turn, before its record */
byte keptA = TOTAL, keptB, keptTransfers, keptPublished, keptSettled;      /* the journal */
byte seenPublished, seenReplies;                           /* the clients */
byte kills; bit begun;

#define mayDie(here) if :: kills < KILLS -> d_step { kills++; here }; goto dead :: true fi

inline record() {
  d_step {
    keptA = a; keptB = b; keptTransfers = transfers; keptPublished = published; keptSettled = settled;
    assert(keptA + keptB == TOTAL && keptB == keptTransfers);       /* the ghost counts the functions that did not throw */
    assert(keptPublished == keptTransfers)
  }
}

inline output() {
  d_step {
    seenPublished = seenPublished + outPublished; seenReplies = seenReplies + outReplies;
    outPublished = 0; outReplies = 0;
    assert(seenPublished <= keptPublished && seenReplies <= keptSettled)
  }
}

inline undo() {
  d_step {
    a = savedA; b = savedB;
#ifndef BREAK_QUEUE_OUTLIVES_THROW
    queue = savedQueue;
#endif
    reached(THROWN)
  }
}

active proctype Server() {
serve:
  do
  :: settled < REQUESTS ->
     d_step { savedA = a; savedB = b; savedQueue = queue;
       if :: begun -> reached(RUN_AGAIN) :: else fi;
       begun = 1; a-- };
     mayDie(reached(KILLED_IN_HANDLER));
#ifdef BREAK_RECORD_IN_HANDLER
     if :: record() :: true fi;
#endif
#ifdef BREAK_PUBLISHED_AT_THE_CALL
     d_step { published++; outPublished++ };
#else
     queue++;
#endif
     if                                                    /* an inner function, whose throw is caught */
     :: d_step { innerA = a; innerQueue = queue; a--; queue++ };
        mayDie(reached(KILLED_IN_HANDLER));
        d_step {
#ifdef BREAK_INNER_THROW_UNDOES_ALL
          a = savedA; queue = savedQueue;
#else
          a = innerA; queue = innerQueue;
#endif
          reached(INNER_CAUGHT) }
     :: true
     fi;
     b++;
     mayDie(reached(KILLED_IN_HANDLER));
     if
     :: transfers++
     :: 
#ifdef BREAK_SETTLED_BEFORE_UNDO
        d_step { settled++; outReplies++ }; record(); output(); mayDie(reached(KILLED_BEFORE_OUTPUT)); undo(); goto next;
#else
        undo()
#endif
     fi;
     d_step { published = published + queue; outPublished = outPublished + queue; queue = 0; settled++; outReplies++ };
     mayDie(reached(KILLED_BEFORE_RECORD));
#ifdef BREAK_OUTPUT_BEFORE_RECORD
     output();
#endif
     record();
     mayDie(reached(KILLED_BEFORE_OUTPUT));
     output();
next:
     begun = 0
  :: else -> break
  od;
  skip;
  d_step {
    assert(a + b == TOTAL && published == transfers && settled == REQUESTS);
    reached(QUIET) };
  goto done;
dead:
  skip;
  d_step {                                                 /* the next process reads the journal */
    a = keptA; b = keptB; transfers = keptTransfers; published = keptPublished;
    begun = (begun && settled == keptSettled); settled = keptSettled;
    queue = 0; outPublished = 0; outReplies = 0;
    savedA = 0; savedB = 0; savedQueue = 0; innerA = 0; innerQueue = 0 };
  goto serve;
done:
  skip
}
