/**
 * A lock file, so that two commands started at once do not install or build over one another. Runs on Node 20.
 *
 * The holder writes its host and process id into the file and touches it while it works. A lock is stale when
 * its holder on this host is gone, or when nobody touched it for `staleMs` (another host, a reused process id).
 */
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'

const TOUCH_MS = 2_000
const POLL_MS = 100

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const tryTake = (path, text) => {
  try {
    const file = openSync(path, 'wx')
    writeSync(file, text)
    closeSync(file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** The lock's text and age, or undefined when it was released meanwhile. */
const look = (path) => {
  try {
    return { text: readFileSync(path, 'utf8'), ageMs: Date.now() - statSync(path).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

const isStale = ({ text, ageMs }, staleMs) => {
  if (ageMs > staleMs) return true
  const [host, pid] = text.split(' ')
  return host === hostname() && /^\d+$/.test(pid ?? '') && !isAlive(Number(pid))
}

/**
 * Removes a stale lock. One process at a time does that, under a file of its own, and looks once more: a stale lock stays as it
 * is until it is removed here, so that no younger one is ever taken from its holder.
 */
const breakLock = (path, stale, text, staleMs) => {
  const breaking = `${path}.breaking`
  if (!tryTake(breaking, text)) {
    const left = look(breaking)
    if (left !== undefined && isStale(left, staleMs)) rmSync(breaking, { force: true })
    return
  }
  try {
    const held = look(path)
    if (held?.text === stale.text && isStale(held, staleMs)) rmSync(path, { force: true })
  } finally {
    rmSync(breaking, { force: true })
  }
}

const take = async (path, text, staleMs, onWait) => {
  let waited = false
  while (!tryTake(path, text)) {
    const held = look(path)
    if (held !== undefined && isStale(held, staleMs)) {
      breakLock(path, held, text, staleMs)
      if (look(path)?.text !== held.text) continue
    }
    if (!waited) onWait(held?.text ?? '')
    waited = true
    await sleep(POLL_MS)
  }
}

/** Runs `work` alone: waits for the lock at `path`, holds it while `work` runs, releases it in every case. */
export const withLock = async ({ path, staleMs = 60_000, onWait = () => {} }, work) => {
  const text = `${hostname()} ${process.pid} ${Date.now()}`
  await take(path, text, staleMs, onWait)
  const touch = setInterval(() => {
    const now = new Date()
    if (look(path)?.text === text) utimesSync(path, now, now)
  }, TOUCH_MS)
  try {
    return await work()
  } finally {
    clearInterval(touch)
    if (look(path)?.text === text) rmSync(path, { force: true })
  }
}
