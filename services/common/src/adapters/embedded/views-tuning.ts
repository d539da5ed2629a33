import type { DatabaseSync } from 'node:sqlite'

/** Memory for pages, KiB: the newest of every index stays there. */
const CACHE_KIB = 65_536
/** Pages of the log of changes after which they move into the file. */
const CHECKPOINT_PAGES = 8_192

/** Makes a connection to the views fit for many small writes all over the indexes. */
export const tuneViews = (database: DatabaseSync): void =>
  database.exec(
    `PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -${CACHE_KIB};
     PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
  )
