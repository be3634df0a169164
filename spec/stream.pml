/* Models a stream (frames ITEM, END, CANCEL, CREDIT): the client requests it, a handler of the server produces items while it has credit,
   and the stream ends exactly once. The model assumes the session of session.pml: both directions are lossless and ordered, and the
   session may end once, on both sides. Handlers run one at a time. A stream counts as settled when it starts; CANCEL and CREDIT act
   on acceptance. Requests: 1 is slow, 2 is the stream, 3 is answered only after the stream has ended.
   Checked: S13, S14, S15 (credit); both ends settle every request in the end. */

#define ITEMS 3
#define WINDOW 2

#define CANCEL_BEFORE_START 0
#define CANCEL_WHILE_RUNNING 1
#define CANCEL_CROSSES_END 2
#define ITEM_AFTER_CANCEL_IGNORED 3
#define PRODUCER_WAITS_FOR_CREDIT 4
#define HANDLER_IGNORES_ABORT 5
#define HANDLER_THROWS 6
#define SESSION_ENDS_DURING_STREAM 7
#define QUIET_ENDED 8
#define QUIET_CANCELLED 9
#define QUIET_RESET 10
c_decl { static char seen[32]; }
#define reached(name) c_code { if (!seen[name]) { seen[name] = 1; printf("reached " #name "\n"); } }

#define ASK 1
#define CREDIT 2
#define CANCEL 3
#define ITEM 4
#define END 5
#define ANSWER 6
chan up = [4] of { byte, byte };
chan down = [4] of { byte, byte };
chan inbox = [6] of { byte, byte };
bit over, calm;                        /* over: the session ended; calm: no further faults */
bit patient;                           /* the reader will not leave before the end */

/* client */
byte asked, granted, got, consumed;
byte outcome, settledTimes;            /* outcome of the stream: 0 open, 1 ended, 2 cancelled, 3 reset */
byte pending[4];                       /* 1 pending, 2 settled */

/* server: the stream's handler */
#define IDLE 0
#define RUNNING 1
#define ABORTED 2                      /* its signal aborted; it may return, or ignore the signal and be settled as a timeout */
#define DONE 3
byte stream = IDLE, credit, produced, ends;
bit cancelled, lateHandler;                   /* cancelled: before the start; lateHandler: a handler that ignored its abort still runs */
bit slow, waits;                       /* slow: the handler of request 1 runs; waits: that of request 3 */
#define busy (slow || waits)

inline settle(how) { outcome = how; settledTimes++; assert(settledTimes == 1); pending[2] = 2 }
active proctype Client() {
  byte kind, what;
end: do
  :: d_step { !over && asked < 3 && nfull(up) -> asked++; pending[asked] = 1; up!ASK, asked }
  :: d_step { !over && asked >= 2 && outcome == 0 && granted < consumed + WINDOW && granted < ITEMS && nfull(up) -> granted++; up!CREDIT, 1 }
  :: d_step { consumed < got -> consumed++ }
  :: d_step { asked < 2 && !patient -> patient = 1 }
  :: d_step { !over && asked >= 2 && outcome == 0 && !patient && nfull(up) -> settle(2); up!CANCEL, 2 }   /* the reader left, or its deadline passed */
  :: d_step { !over && nempty(down) -> down?kind, what;
       if
       :: kind == ITEM && outcome == 0 -> got++; assert(what == got); assert(got - consumed <= WINDOW)     /* S15 */
       :: kind == ITEM && outcome != 0 -> reached(ITEM_AFTER_CANCEL_IGNORED)
#ifdef BREAK_END_SETTLES_AFTER_CANCEL
       :: kind == END -> settle(1)
#else
       :: kind == END -> if :: outcome == 0 -> settle(1) :: else fi
#endif
       :: kind == ANSWER -> assert(pending[what] == 1); pending[what] = 2
       fi;
       kind = 0; what = 0 }
  :: d_step { over && outcome == 0 && pending[2] == 1 -> settle(3); granted = 0 }
  :: d_step { over && (pending[1] == 1 || pending[3] == 1) -> pending[1] = 2; pending[3] = 2 }
  od
}

inline sendEnd() { ends++; assert(ends == 1); if :: !over -> down!END, 2 :: else fi }          /* exactly one */
inline act(kind) {
  if
  :: kind == CREDIT -> if :: stream != DONE -> credit++ :: else fi
  :: kind == CANCEL ->
     if
     :: stream == IDLE -> reached(CANCEL_BEFORE_START);
#ifndef BREAK_CANCEL_BEFORE_START_FORGOTTEN
        cancelled = 1
#endif
     :: stream == RUNNING -> reached(CANCEL_WHILE_RUNNING); stream = ABORTED;
#ifdef BREAK_CANCEL_AND_HANDLER_BOTH_END
        sendEnd()
#endif
     :: else -> reached(CANCEL_CROSSES_END)                             /* already done: ignored */
     fi
  fi
}
#if defined(BREAK_CREDIT_WAITS_IN_INBOX)
#define queued(kind) (kind != CANCEL)
#elif defined(BREAK_CANCEL_WAITS_IN_INBOX)
#define queued(kind) (kind != CREDIT)
#else
#define queued(kind) (kind == ASK)
#endif

active proctype Server() {
  byte kind, what;
end: do
  :: d_step { !over && nempty(up) && nfull(inbox) -> up?kind, what;
       if :: queued(kind) -> inbox!kind, what :: else -> act(kind) fi;
       kind = 0; what = 0 }
  :: d_step { !over && !busy && nempty(inbox) && nfull(down) -> inbox?kind, what;
       if
       :: kind == ASK && what == 1 -> slow = 1
       :: kind == ASK && what == 2 -> if :: cancelled -> stream = DONE; sendEnd() :: else -> stream = RUNNING fi
       :: kind == ASK && what == 3 -> waits = 1
       :: else -> act(kind)
       fi;
       kind = 0; what = 0 }
  :: d_step { !over && slow && nfull(down) -> slow = 0; down!ANSWER, 1 }
  :: d_step { !over && waits && stream == DONE && nfull(down) -> waits = 0; down!ANSWER, 3 }
#ifdef BREAK_CREDIT_NOT_AWAITED
  :: d_step { !over && stream == RUNNING && produced < ITEMS && nfull(down) -> produced++; down!ITEM, produced }
#else
  :: d_step { !over && stream == RUNNING && produced < ITEMS && credit > 0 && nfull(down) -> credit--; produced++; down!ITEM, produced;
       if :: credit == 0 && produced < ITEMS -> reached(PRODUCER_WAITS_FOR_CREDIT) :: else fi }
#endif
  :: d_step { !over && stream == RUNNING && produced == ITEMS && nfull(down) -> stream = DONE; sendEnd() }
  :: d_step { !over && stream == RUNNING && produced == 1 && nfull(down) -> reached(HANDLER_THROWS); stream = DONE;
#ifndef BREAK_THROW_SENDS_NO_END
       sendEnd()
#endif
     }
  :: d_step { !over && stream == ABORTED && nfull(down) -> stream = DONE; sendEnd() }          /* returns on its signal */
  :: d_step { !over && stream == ABORTED && nfull(down) -> stream = DONE; lateHandler = 1; reached(HANDLER_IGNORES_ABORT); sendEnd() }
  :: d_step { !over && lateHandler && nfull(down) -> lateHandler = 0;                 /* the late item is discarded */
#ifdef BREAK_LATE_ITEM_SENT
       assert(ends == 0); down!ITEM, produced + 1                       /* S13: nothing follows END */
#endif
     }
  :: d_step { !calm -> calm = 1 }
  :: d_step { !calm && !over -> over = 1;                               /* RESET reaches both ends; frames under way are lost */
       if :: stream == RUNNING -> reached(SESSION_ENDS_DURING_STREAM) :: else fi;
       do :: len(up) > 0 -> up?_, _ :: len(down) > 0 -> down?_, _ :: len(inbox) > 0 -> inbox?_, _ :: else -> break od;
       slow = 0; waits = 0; stream = DONE; lateHandler = 0; credit = 0 }
  od
}

active proctype Quiet() {
end: do
  :: timeout -> d_step {
       assert(pending[1] != 1 && pending[2] != 1 && pending[3] != 1);   /* S14: the pending table is empty */
       assert(settledTimes == (asked >= 2));
       if
       :: !over -> assert(asked == 3 && stream == DONE && ends == 1 && !busy && (!patient || outcome == 1));
          if :: outcome == 1 -> reached(QUIET_ENDED) :: else -> reached(QUIET_CANCELLED) fi
       :: else -> assert(ends <= 1); reached(QUIET_RESET)
       fi };
     break
  od
}
