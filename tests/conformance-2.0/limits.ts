// All figures of the suite, each with its unit and source.

/**
 * Timeout for any awaited frame, close or HTTP answer; generous, because a loaded machine is not the server's fault.
 */
export const WAIT_MS = 5_000
/** Longest time that a server may wait for the first frame: about 20 s by its own limit, plus a margin (12.8). */
export const SILENT_CLIENT_MS = 24_000
/** Timeout of a whole case, whatever its single waits allow. */
export const CASE_MS = 60_000
/** Time that a client of the suite waits for the answer to its own close before it drops the socket. */
export const CLOSE_MS = 1_000
/** Added to every wait for a cooldown: timers may fire a millisecond early. */
export const TIMER_MARGIN_MS = 5
/** Python's `websockets` refuses larger frames (section 1). */
export const MAX_FRAME_BYTES = 1_048_576
/** Largest first frame (12.8). */
export const MAX_FIRST_FRAME_BYTES = 8_192
/** Largest difference of the clocks with which `timestamp` still counts as milliseconds since the epoch. */
export const CLOCK_TOLERANCE_MS = 24 * 3_600_000
/** A raw client drops its connection beyond this many frames, so that a flood cannot exhaust the test process. */
export const MAX_FRAMES_COUNT = 20_000
/** Side of a chunk in tiles (section 5). */
export const CHUNK_TILES = 16
/** Limit of steps that a case may walk in search of a wall, an edge or a chunk border. */
export const MAX_STEPS_COUNT = 64
