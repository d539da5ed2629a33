/**
 * A ledger waits for nothing: ids are forgotten with the next command, whenever that is. A deadline for them
 * would journal a record each.
 */
export function nextDeadline(): i64 { return -1 }

/** No command of a ledger goes on in another. */
export function continuationBytes(): u32 { return 0 }
