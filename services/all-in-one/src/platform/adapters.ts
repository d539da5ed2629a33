import { rename, rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import { createEmbeddedBus } from '@bourse/common/adapters/embedded/bus.ts'
import { createMemoryCache } from '@bourse/common/adapters/embedded/cache.ts'
import { openSqliteDirectory } from '@bourse/common/adapters/embedded/directory.ts'
import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { createMemoryPrices } from '@bourse/common/adapters/embedded/prices.ts'
import { createMemoryRateLimits } from '@bourse/common/adapters/embedded/rate-limits.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { openSqliteViews, type SqliteViews } from '@bourse/common/adapters/embedded/views.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import { viewModels } from '@bourse/common/views/models.ts'
import type { DataFolder } from './data-folder.ts'

/** Addresses, users and banks whose request rates are remembered at a time. */
export const RATE_LIMIT_KEYS_MAX = 100_000

/**
 * Opens the views; a damaged file is set aside, with its log of changes, and replaced by an empty one: views are rebuilt from the
 * journal, so damage to them must not keep a platform from starting.
 */
const openViews = async (path: string, clock: Clock, logger: Logger): Promise<SqliteViews> => {
  const options = { path, models: viewModels }
  try {
    return openSqliteViews(options)
  } catch (error) {
    if (!(error instanceof PortError) || error.kind !== 'corrupt') throw error
    const aside = `${path}.damaged-${clock.nowMs()}`
    logger.error(
      { err: error, aside },
      'the views are damaged: the file is set aside, and they are rebuilt from the journal',
    )
    await rename(path, aside)
    for (const ending of ['-wal', '-shm']) await rm(`${path}${ending}`, { force: true })
    return openSqliteViews(options)
  }
}

/** Opens every embedded adapter on a data folder. `close` closes them in the order that loses nothing. */
export const openAdapters = async (folder: DataFolder, clock: Clock, logger: Logger) => {
  const journal = openSqliteJournal({ path: folder.journal })
  const directory = openSqliteDirectory({ path: folder.directory, clock })
  const views = await openViews(folder.views, clock, logger)
  const snapshots = await openFileSnapshots({ folder: folder.snapshots, clock })
  const bus = createEmbeddedBus({ clock })
  const events = createEmbeddedEvents({
    journal,
    clock,
    onFailure: (error, partition) =>
      logger.error({ err: error, partition }, 'the views could not take a record; it comes again'),
  })
  return {
    journal,
    directory,
    views,
    snapshots,
    bus,
    events,
    prices: createMemoryPrices({
      onSubscriberFailure: (error) => logger.error({ err: error }, 'a quote could not be handed on'),
    }),
    cache: createMemoryCache({ clock }),
    rateLimits: createMemoryRateLimits({ clock, keysMax: RATE_LIMIT_KEYS_MAX }),
    close: async () => {
      await events.close()
      await bus.close()
      await views.close()
      await directory.close()
      await snapshots.close()
      await journal.close()
    },
  }
}

/** The adapters of one embedded platform. */
export type Adapters = Awaited<ReturnType<typeof openAdapters>>
