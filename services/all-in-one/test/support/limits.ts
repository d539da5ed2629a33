/**
 * Time of a test that starts platforms, ms. It ends a test that hangs and judges nothing: what is waited for ends the wait, and a
 * machine that is busy, or that stands still for seconds, takes longer.
 */
export const LIMIT_MS = 600_000
/** How long anything that must come about is waited for, ms: below the time of a test, so that it is told what was missing. */
export const WAIT_MS_MAX = 90_000
